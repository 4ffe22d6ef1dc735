/*
 * Workers that do not come back in their time. Up to options.stuck of them count neither as threads nor as active, so
 * that others take their part; when one gives a sign of life it counts again, and who is too many then retires.
 */
#include "loop/pool_internal.h"

#include "base/macros.h"

void rtn_pool_unstick(struct rtn_pool *pool, struct rtn_worker *worker)
{
    if (!worker->stuck)
        return;
    worker->stuck = false;
    pool->stuck--;
    if (!worker->blocked)
        pool->stuck_active--;
}

static void stick(struct rtn_pool *pool, struct rtn_worker *worker)
{
    worker->stuck = true;
    pool->stuck++;
    rtn_stats_add(pool->block, RTN_STATS_POOL_REPLACEMENTS, 1);
    if (!worker->blocked)
        pool->stuck_active++;
}

static bool is_over(const struct rtn_worker *worker, int64_t now_ms)
{
    return worker->what != NULL && worker->activity != NULL && rtn_activity_over(worker->activity, now_ms);
}

/* With the mutex held. Returns how many are over time. */
static unsigned look_at_workers(struct rtn_pool *pool)
{
    int64_t now_ms = rtn_activity_now_ms();
    unsigned over = 0;
    RTN_LIST_FOREACH (node, &pool->workers) {
        struct rtn_worker *worker = RTN_CONTAINER_OF(node, struct rtn_worker, node);
        if (!is_over(worker, now_ms)) {
            rtn_pool_unstick(pool, worker);
            continue;
        }
        over++;
        if (!worker->stuck && pool->stuck < pool->options.stuck)
            stick(pool, worker);
    }
    return over;
}

void rtn_pool_tune_stuck(struct rtn_pool *pool, unsigned stuck)
{
    pthread_mutex_lock(&pool->mutex);
    pool->options.stuck = stuck;
    pthread_mutex_unlock(&pool->mutex);
}

/* With the mutex held. */
static bool can_take(const struct rtn_pool *pool)
{
    bool somebody = pool->idle > 0 || pool->starting || rtn_pool_counted(pool) < pool->options.threads;
    return somebody && rtn_pool_has_place(pool) && pool->returning == 0;
}

struct rtn_pool_stuck rtn_pool_look(struct rtn_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    unsigned over = look_at_workers(pool);
    const struct rtn_pool_stuck stuck = { .over = over,
                                          .replaced = pool->stuck,
                                          .stands = over > 0 && over == pool->running &&
                                                    !rtn_lanes_empty(&pool->lanes) && !can_take(pool) };
    if (pool->stuck > 0 && !pool->stopping)
        rtn_pool_pass_place(pool);
    pthread_mutex_unlock(&pool->mutex);
    return stuck;
}
