/*
 * The worker pool of one server: a bounded queue, threads started on demand and retired when idle, a
 * cap on how many run at once. [any] unless a function says otherwise
 *
 * Tasks are intrusive, so queueing allocates nothing. Loops gather the tasks of one iteration in a
 * list and submit them together; one worker at most is being woken at a time and wakes the next when
 * it leaves work behind. All state is under one leaf mutex; tasks run without it.
 */
#ifndef RTN_LOOP_POOL_H
#define RTN_LOOP_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "log/log.h"

struct rtn_pool;
struct rtn_watched;

/* Runs one at a time: tasks with the same serial wait for each other without holding a worker. */
struct rtn_serial {
    struct rtn_list waiting;
    bool busy;
};

void rtn_serial_init(struct rtn_serial *serial);

/* Tasks of each kind wait in a queue of their own, and the kinds take turns. */
enum rtn_lane_kind {
    RTN_LANE_CLIENTS, /* requests, and what connections have sent */
    RTN_LANE_CALLBACKS, /* messages, timers, answers: what is done beside */
    RTN_LANE_TASKS, /* what modules have ordered, which may take long */
    RTN_LANES
};

struct rtn_task {
    struct rtn_list node;
    void (*run)(struct rtn_task *task); /* may free the task */
    struct rtn_serial *serial; /* NULL: runs beside everything */
    const char *what; /* for rtn_pool_running; must outlive the pool */
    enum rtn_lane_kind lane; /* where it waits */
};

struct rtn_pool_options {
    const char *server; /* names the threads server/worker-N */
    bool uncounted; /* it is no server's: nothing of it is counted */
    unsigned threads; /* at most so many threads; at least 1 */
    unsigned active; /* at most so many outside of rtn_pool_block_begin/end */
    unsigned queue; /* tasks of each lane that may wait for a worker */
    unsigned stuck; /* so many that do not come back in time do not count as threads or as active; 0: none */
    int64_t retire_ms; /* a worker that idles so long ends; the last one stays */
    struct rtn_log *log;
    const _Atomic int *log_level;
    struct rtn_watched *watched; /* what main knows of them; NULL: nothing is looked for */
    int (*thread_start)(void *data); /* on each new worker; non-zero: the worker ends again, logged */
    void (*thread_stop)(void *data); /* on each worker that ends after a good thread_start */
    int (*thread_refresh)(void *data); /* see rtn_pool_refresh(); non-zero: the worker ends; NULL: nothing to do */
    void (*refreshed)(void *data); /* no worker is behind any more; on a worker; NULL: nobody wants to know */
    void *data;
};

/* No thread is started yet. Options' strings must outlive the pool. 0 or -errno. */
int rtn_pool_new(const struct rtn_pool_options *options, struct rtn_pool **ret);

/*
 * Starts the first worker and waits for its thread_start; returns its result, or -EAGAIN without a thread. May be left
 * out: the first worker comes with the first task then. [main]
 */
int rtn_pool_start(struct rtn_pool *pool);

/*
 * Takes tasks off the front of `tasks` as far as their queues have room; what stays in the list was refused
 * (rtn_pool_submit returns how many). Order of one list is kept.
 */
unsigned rtn_pool_submit(struct rtn_pool *pool, struct rtn_list *tasks, unsigned count);

/*
 * Queues past the bound: for the few tasks that must not be lost (end of a connection). False when no worker runs and
 * none can be started, above all when the pool has been stopped: the caller may run the task itself.
 */
bool rtn_pool_submit_always(struct rtn_pool *pool, struct rtn_task *task);

/*
 * Other bounds from now on, as in the options. Workers that are too many end after their task, and what waits goes on
 * to wait, also past a lower bound.
 */
void rtn_pool_tune(struct rtn_pool *pool, unsigned threads, unsigned active, unsigned queue);

/*
 * Every worker calls thread_refresh before its next task, idle ones now. True when there is no worker that has to;
 * else `refreshed` follows once none is left that has not done it for all refreshes so far. One that starts meanwhile
 * is up to date after thread_start, one that ends is when it has ended.
 */
bool rtn_pool_refresh(struct rtn_pool *pool);

/* No worker is behind. */
bool rtn_pool_is_fresh(struct rtn_pool *pool);

/*
 * In a task: gives up its place among the active ones; end waits for a place. No effect elsewhere, hooks included. A
 * task that ends in between has ended it too.
 */
void rtn_pool_block_begin(void);
void rtn_pool_block_end(void);

/* True inside of a task, on the worker that runs it. */
bool rtn_pool_on_worker(void);

/*
 * Waits up to `ms` for the queue to be empty and nothing running; then ends and joins all threads that are
 * not inside a task. Returns the number of tasks that are still running (their threads and the pool must
 * then be left alone until the process ends). Tasks submitted afterwards are refused. [main]
 */
unsigned rtn_pool_stop(struct rtn_pool *pool, int64_t ms);

/* Only after rtn_pool_stop() returned 0. Accepts NULL. [main] */
void rtn_pool_free(struct rtn_pool *pool);

/* Calls `report` for each worker that is inside a task: for saying what a stop waits for. Must not call the pool. */
void rtn_pool_running(struct rtn_pool *pool, void (*report)(const char *thread, const char *what, void *data),
                      void *data);

/* What became of workers that are over their time (see activity.h). */
struct rtn_pool_stuck {
    unsigned over; /* all of them */
    unsigned replaced; /* of these, that do not count any more */
    bool stands; /* work waits, and nobody is left who could take it */
};

/* Another bound on those that are replaced. */
void rtn_pool_tune_stuck(struct rtn_pool *pool, unsigned stuck);

/* Looks who is over time, and lets others work in their place. [main] */
struct rtn_pool_stuck rtn_pool_look(struct rtn_pool *pool);

struct rtn_pool_stats {
    unsigned threads;
    unsigned running; /* inside a task */
    unsigned blocked; /* of these, between block_begin and block_end */
    unsigned stuck; /* of those running, replaced by others */
    unsigned queued;
    unsigned lanes[RTN_LANES]; /* of these, by lane */
    unsigned most; /* threads that there may be */
};
void rtn_pool_stats(struct rtn_pool *pool, struct rtn_pool_stats *ret);

#endif
