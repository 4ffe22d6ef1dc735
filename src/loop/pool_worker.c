/*
 * The threads of a pool: started on demand, named and numbered, retired when they are idle or too many.
 *
 * Epochs. rtn_pool_refresh() counts `epoch` up; a worker that comes to the mutex behind it runs the hook first. Who
 * catches up or ends as the last one reports it.
 */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/macros.h"
#include "loop/pool_internal.h"
#include "stats/stats.h"

_Thread_local struct rtn_worker *rtn_pool_worker;

static void *work(void *data);

static unsigned take_number(struct rtn_pool *pool)
{
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(pool->numbers); i++) {
        if (pool->numbers[i] == UINT64_MAX)
            continue;
        unsigned bit = (unsigned) __builtin_ctzll(~pool->numbers[i]);
        pool->numbers[i] |= UINT64_C(1) << bit;
        return i * 64 + bit;
    }
    return (unsigned) (RTN_ARRAY_LENGTH(pool->numbers) * 64);
}

static void give_number(struct rtn_pool *pool, unsigned number)
{
    if (number / 64 < RTN_ARRAY_LENGTH(pool->numbers))
        pool->numbers[number / 64] &= ~(UINT64_C(1) << (number % 64));
}

/* With the mutex held; threads in the list need it no more. */
void rtn_pool_join_ended(struct rtn_pool *pool)
{
    RTN_LIST_FOREACH (node, &pool->ended) {
        struct rtn_worker *worker = RTN_CONTAINER_OF(node, struct rtn_worker, node);
        pthread_join(worker->thread, NULL);
        free(worker);
    }
    rtn_list_init(&pool->ended);
}

/* With the mutex held. False when the system refuses another thread. */
bool rtn_pool_start_worker(struct rtn_pool *pool)
{
    struct rtn_worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL)
        return false;
    worker->pool = pool;
    worker->number = take_number(pool);
    worker->epoch = pool->epoch;
    rtn_thread_name_format(worker->name, pool->options.server, "worker", worker->number);
    worker->log_context = (struct rtn_log_context){ .log = pool->options.log,
                                                    .server = pool->options.server,
                                                    .thread = worker->name,
                                                    .level = pool->options.log_level };
    if (rtn_thread_start(&worker->thread, work, worker) < 0) {
        give_number(pool, worker->number);
        free(worker);
        return false;
    }
    rtn_list_append(&pool->workers, &worker->node);
    pool->threads++;
    pool->starting = true;
    return true;
}

/* One that has come up stays. */
static bool may_retire(const struct rtn_pool *pool)
{
    return rtn_pool_counted(pool) > (pool->starting ? 2U : 1U);
}

/* With the mutex held. */
bool rtn_pool_all_fresh(const struct rtn_pool *pool)
{
    RTN_LIST_FOREACH (node, &pool->workers) {
        if (RTN_CONTAINER_OF(node, struct rtn_worker, node)->epoch != pool->epoch)
            return false;
    }
    return true;
}

/* With the mutex held. True when the caller has to report, without it. */
static bool has_to_report(struct rtn_pool *pool)
{
    if (!pool->refreshing || !rtn_pool_all_fresh(pool))
        return false;
    pool->refreshing = false;
    return pool->options.refreshed != NULL;
}

/* With the mutex held, released while the hook runs. False when the worker has to end. */
static bool catch_up(struct rtn_pool *pool)
{
    while (rtn_pool_worker->epoch != pool->epoch) {
        unsigned epoch = pool->epoch;
        pthread_mutex_unlock(&pool->mutex);
        int r = pool->options.thread_refresh != NULL ? pool->options.thread_refresh(pool->options.data) : 0;
        if (r != 0)
            rtn_log(RTN_LOG_ERROR, "worker ends: thread_start failed with %d", r);
        pthread_mutex_lock(&pool->mutex);
        if (r != 0)
            return false;
        rtn_pool_worker->epoch = epoch;
        if (has_to_report(pool)) {
            pthread_mutex_unlock(&pool->mutex);
            pool->options.refreshed(pool->options.data);
            pthread_mutex_lock(&pool->mutex);
        }
    }
    return true;
}

/* With the mutex held. */
static void work_until_retired(struct rtn_pool *pool)
{
    struct timespec until = { 0 };
    while (catch_up(pool) && rtn_pool_counted(pool) <= pool->options.threads) {
        struct rtn_task *task = rtn_pool_take(pool);
        if (task != NULL) {
            rtn_pool_run_task(pool, task);
            until.tv_sec = 0;
            continue;
        }
        if (pool->stopping)
            return;
        if (until.tv_sec == 0)
            until = rtn_clock_after(CLOCK_MONOTONIC, pool->options.retire_ms);
        if (rtn_pool_wait_for_work(pool, &until)) {
            if (may_retire(pool))
                return;
            until.tv_sec = 0;
        }
    }
}

static void *work(void *data)
{
    struct rtn_worker *worker = data;
    struct rtn_pool *pool = worker->pool;
    rtn_pool_worker = worker;
    rtn_thread_begin(worker->name);
    rtn_log_set_context(&worker->log_context);
    rtn_stats_thread_begin(rtn_pool_counts_for(&pool->options));
    struct rtn_activity *activity =
        rtn_activity_begin(RTN_ACTIVITY_WORKER, pool->options.server, worker->name, pool->options.watched);
    pthread_mutex_lock(&pool->mutex);
    worker->activity = activity;
    pthread_mutex_unlock(&pool->mutex);

    int r = pool->options.thread_start != NULL ? pool->options.thread_start(pool->options.data) : 0;
    if (r != 0)
        rtn_log(RTN_LOG_ERROR, "worker ends again: thread_start failed with %d", r);

    pthread_mutex_lock(&pool->mutex);
    pool->starting = false;
    pool->hook_done = true;
    pool->hook_result = r;
    pthread_cond_broadcast(&pool->change);
    if (r == 0)
        work_until_retired(pool);
    pool->threads--;
    pool->ending++;
    give_number(pool, worker->number);
    if (r == 0)
        rtn_pool_wake_one(pool);
    pthread_mutex_unlock(&pool->mutex);

    if (r == 0 && pool->options.thread_stop != NULL)
        pool->options.thread_stop(pool->options.data);
    rtn_pool_worker = NULL;

    pthread_mutex_lock(&pool->mutex);
    pool->ending--;
    worker->activity = NULL;
    rtn_list_remove(&worker->node);
    rtn_list_append(&pool->ended, &worker->node);
    bool reports = has_to_report(pool);
    pthread_cond_signal(&pool->change);
    pthread_mutex_unlock(&pool->mutex);
    if (reports) /* nobody frees the pool before this thread was joined */
        pool->options.refreshed(pool->options.data);
    rtn_activity_end();
    rtn_stats_thread_end();
    return NULL;
}
