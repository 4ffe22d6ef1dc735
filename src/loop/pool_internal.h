/* What pool.c (the queue), pool_worker.c (its threads) and pool_stuck.c (those that do not come back) share. [any] */
#ifndef RTN_LOOP_POOL_INTERNAL_H
#define RTN_LOOP_POOL_INTERNAL_H

#include <pthread.h>
#include <time.h>

#include "loop/activity.h"
#include "loop/lanes.h"
#include "loop/loop.h"
#include "loop/pool.h"
#include "stats/stats.h"

struct rtn_worker {
    struct rtn_pool *pool;
    struct rtn_list node; /* in pool->workers, until joined by pool->ended */
    pthread_t thread;
    unsigned number;
    unsigned epoch;
    bool blocked; /* guarded by the mutex, as the next two */
    bool stuck; /* counted in pool->stuck: it does not count against `threads` */
    const char *what; /* of the task it runs; NULL: none */
    struct rtn_activity *activity; /* NULL: it has none; while it is in `workers` */
    char name[RTN_THREAD_NAME_SIZE];
    struct rtn_log_context log_context;
};

struct rtn_pool {
    struct rtn_pool_options options;
    rtn_stats_block block; /* of its server */

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t work; /* idle workers wait here */
    pthread_cond_t place; /* workers at the end of a blocked stretch wait here */
    pthread_cond_t change; /* rtn_pool_stop waits here */
    struct rtn_lanes lanes; /* tasks that wait */
    struct rtn_list workers;
    struct rtn_list ended; /* to be joined */
    uint64_t numbers[16]; /* bitmap: worker-N in use; numbers are taken again, so ps stays readable */
    unsigned threads; /* that take tasks, or are about to */
    unsigned ending; /* that take no more tasks but still run their hooks */
    unsigned idle;
    unsigned running;
    unsigned blocked;
    unsigned stuck; /* over their time, at most options.stuck */
    unsigned stuck_active; /* of these, not blocked */
    unsigned returning; /* wait for `place` */
    bool waking;
    bool starting; /* a new thread has not been through its hook yet */
    bool stopping;
    unsigned epoch;
    bool refreshing; /* to be reported when no worker is behind */
    bool hook_done; /* by some worker */
    int hook_result; /* of the worker that came up last */
};

/* The one that the thread is; NULL on other threads. */
extern _Thread_local struct rtn_worker *rtn_pool_worker;

/* The server that it counts for; NULL: none. */
static inline const char *rtn_pool_counts_for(const struct rtn_pool_options *options)
{
    return options->uncounted ? NULL : options->server;
}

/* These are called with the mutex held. */

/* Threads that count against options.threads. */
static inline unsigned rtn_pool_counted(const struct rtn_pool *pool)
{
    return pool->threads - pool->stuck;
}

/* Tasks that count against options.active. */
static inline unsigned rtn_pool_active(const struct rtn_pool *pool)
{
    return pool->running - pool->blocked - pool->stuck_active;
}

static inline bool rtn_pool_has_place(const struct rtn_pool *pool)
{
    return rtn_pool_active(pool) < pool->options.active;
}

/* pool.c: gets one more worker going when there is work and a place for it. */
void rtn_pool_wake_one(struct rtn_pool *pool);

/* A place has come free. */
void rtn_pool_pass_place(struct rtn_pool *pool);

/* The next task that may run now, NULL when there is none. */
struct rtn_task *rtn_pool_take(struct rtn_pool *pool);

/* The mutex is released while the task runs. */
void rtn_pool_run_task(struct rtn_pool *pool, struct rtn_task *task);

/* True when nothing came until then. */
bool rtn_pool_wait_for_work(struct rtn_pool *pool, const struct timespec *until);

/* pool_worker.c: false when the system refuses another thread. */
bool rtn_pool_start_worker(struct rtn_pool *pool);

/* Threads in the list need the mutex no more. */
void rtn_pool_join_ended(struct rtn_pool *pool);

/* No worker is behind. */
bool rtn_pool_all_fresh(const struct rtn_pool *pool);

/* pool_stuck.c: the worker gives a sign of life. */
void rtn_pool_unstick(struct rtn_pool *pool, struct rtn_worker *worker);

#endif
