/* What the tests of the worker pool share: pools without a log, and tasks that count. */
#ifndef RTN_TESTS_LOOP_POOL_SUPPORT_H
#define RTN_TESTS_LOOP_POOL_SUPPORT_H

#include "loop/pool.h"

#include "support.h"

#define PLENTY 100000

static _Atomic int silent = RTN_LOG_NONE;

struct job {
    struct rtn_task task;
    struct gate *gate; /* waits here first */
    atomic_uint *count; /* counts up at its end */
    unsigned number;
    unsigned order; /* what the counter was */
};

static inline struct job *job_of(struct rtn_task *task)
{
    return RTN_CONTAINER_OF(task, struct job, task);
}

static inline void run_job(struct rtn_task *task)
{
    struct job *job = job_of(task);
    if (job->gate != NULL)
        gate_pass(job->gate);
    if (job->count != NULL)
        job->order = atomic_fetch_add(job->count, 1);
}

static inline void set_job(struct job *job, unsigned number, struct gate *gate, atomic_uint *count)
{
    *job = (struct job){ .task = { .run = run_job, .what = "job" }, .gate = gate, .count = count, .number = number };
}

static inline struct rtn_pool_options options_of(unsigned threads, unsigned active, unsigned queue)
{
    return (struct rtn_pool_options){
        .server = "get", .threads = threads, .active = active, .queue = queue, .retire_ms = 60000, .log_level = &silent
    };
}

static inline struct rtn_pool *start_pool(const struct rtn_pool_options *options)
{
    struct rtn_pool *pool = NULL;
    cr_assert_eq(rtn_pool_new(options, &pool), 0);
    cr_assert_eq(rtn_pool_start(pool), 0);
    return pool;
}

static inline void end_pool(struct rtn_pool *pool)
{
    cr_assert_eq(rtn_pool_stop(pool, BOUND_MS), 0);
    rtn_pool_free(pool);
}

/* Returns how many were refused. */
static inline unsigned submit(struct rtn_pool *pool, struct job *jobs, unsigned count)
{
    struct rtn_list list;
    rtn_list_init(&list);
    for (unsigned i = 0; i < count; i++)
        rtn_list_append(&list, &jobs[i].task.node);
    return rtn_pool_submit(pool, &list, count);
}

static inline struct rtn_pool_stats stats_of(struct rtn_pool *pool)
{
    struct rtn_pool_stats stats;
    rtn_pool_stats(pool, &stats);
    return stats;
}

/* Waits until the pool has exactly so many threads; false when the bound passes. */
static inline bool comes_to_threads(struct rtn_pool *pool, unsigned wanted)
{
    int64_t until = rtn_clock_ms() + BOUND_MS;
    while (stats_of(pool).threads != wanted) {
        if (rtn_clock_ms() > until)
            return false;
        pause_ms(1);
    }
    return true;
}

#endif
