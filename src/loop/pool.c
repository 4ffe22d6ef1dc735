/*
 * The worker pool. One mutex guards the queue and all counters; it is a leaf: nothing is called with it
 * held but the start of a thread, and the wake-up where its holder goes on under it.
 *
 * Waking. `waking` is set by whoever is to signal an idle worker and cleared by the next one that comes out of its
 * wait. Since a worker that was signalled always comes to the mutex and looks at the queue before it waits again,
 * and passes the wake on when it leaves work behind, no task can be left in the queue with a worker asleep.
 * tests/unit/loop/test_pool_stress.c stresses this. `starting` does the same for a new thread, whose hook may take
 * long or fail: idle workers are woken beside it.
 *
 * Places. A task runs when `active` < options.active; a blocked task gives its place up and waits for one
 * to come back, before any queued task gets it. Those that do not come back in their time are counted apart, see
 * pool_stuck.c.
 */
#include "loop/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/macros.h"
#include "loop/pool_internal.h"

/*
 * With the mutex held: gets one more worker going when there is work and a place for it. True when an idle one is to be
 * signalled, best without the mutex: it could do nothing but wait for it.
 */
static bool call_one(struct rtn_pool *pool)
{
    if (rtn_lanes_empty(&pool->lanes) || !rtn_pool_has_place(pool) || pool->returning > 0)
        return false;
    if (pool->idle > 0) {
        bool first = !pool->waking;
        pool->waking = true;
        return first;
    }
    if (pool->starting || rtn_pool_counted(pool) >= pool->options.threads)
        return false;
    rtn_pool_join_ended(pool);
    (void) rtn_pool_start_worker(pool);
    return false;
}

/* The same, and signals. */
void rtn_pool_wake_one(struct rtn_pool *pool)
{
    if (call_one(pool))
        pthread_cond_signal(&pool->work);
}

/* The same, and releases the mutex before. */
static void unlock_and_wake_one(struct rtn_pool *pool)
{
    bool wake = call_one(pool);
    pthread_mutex_unlock(&pool->mutex);
    if (wake)
        pthread_cond_signal(&pool->work);
}

/* With the mutex held: a place has come free. */
void rtn_pool_pass_place(struct rtn_pool *pool)
{
    if (pool->returning > 0)
        pthread_cond_signal(&pool->place);
    else
        rtn_pool_wake_one(pool);
}

/* With the mutex held. The next task that may run now, NULL when there is none. */
struct rtn_task *rtn_pool_take(struct rtn_pool *pool)
{
    return rtn_pool_has_place(pool) && pool->returning == 0 ? rtn_lanes_take(&pool->lanes) : NULL;
}

/* With the mutex held, released while the task runs. */
void rtn_pool_run_task(struct rtn_pool *pool, struct rtn_task *task)
{
    struct rtn_serial *serial = task->serial;
    pool->running++;
    rtn_pool_worker->what = task->what != NULL ? task->what : "";
    unlock_and_wake_one(pool);
    task->run(task);
    pthread_mutex_lock(&pool->mutex);
    rtn_pool_worker->what = NULL;
    rtn_pool_unstick(pool, rtn_pool_worker);
    pool->running--;
    if (rtn_pool_worker->blocked) { /* the task has forgotten to end it */
        rtn_pool_worker->blocked = false;
        rtn_activity_block(false);
        pool->blocked--;
    }
    if (serial != NULL)
        rtn_lanes_release(&pool->lanes, serial);
    if (pool->returning > 0)
        pthread_cond_signal(&pool->place);
    if (pool->stopping)
        pthread_cond_signal(&pool->change);
}

/* With the mutex held. True when nothing came until then. */
bool rtn_pool_wait_for_work(struct rtn_pool *pool, const struct timespec *until)
{
    pool->idle++;
    int r = pthread_cond_timedwait(&pool->work, &pool->mutex, until);
    pool->idle--;
    pool->waking = false;
    return r == ETIMEDOUT && rtn_lanes_empty(&pool->lanes);
}

void rtn_serial_init(struct rtn_serial *serial)
{
    rtn_list_init(&serial->waiting);
    serial->busy = false;
}

int rtn_pool_new(const struct rtn_pool_options *options, struct rtn_pool **ret)
{
    struct rtn_pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL)
        return -ENOMEM;
    pool->options = *options;
    pool->block = rtn_stats_server(rtn_pool_counts_for(options));
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->work, &attributes);
    pthread_cond_init(&pool->place, &attributes);
    pthread_cond_init(&pool->change, &attributes);
    pthread_condattr_destroy(&attributes);
    rtn_lanes_init(&pool->lanes);
    rtn_list_init(&pool->workers);
    rtn_list_init(&pool->ended);
    *ret = pool;
    return 0;
}

int rtn_pool_start(struct rtn_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    int r = -EAGAIN;
    if (rtn_pool_start_worker(pool)) {
        while (!pool->hook_done)
            pthread_cond_wait(&pool->change, &pool->mutex);
        r = pool->hook_result;
    }
    pthread_mutex_unlock(&pool->mutex);
    return r;
}

/* With the mutex held: somebody takes tasks. Where rtn_pool_start() was not called the first one comes with them. */
static bool has_takers(struct rtn_pool *pool)
{
    if (pool->threads > 0)
        return true;
    rtn_pool_join_ended(pool);
    return !pool->stopping && rtn_pool_start_worker(pool);
}

/* With the mutex held: such a task may be queued. Those that a worker can take at once do not wait. */
static bool has_room(struct rtn_pool *pool, const struct rtn_task *task)
{
    unsigned threads = pool->options.threads - RTN_MIN(pool->options.threads, pool->running - pool->stuck);
    unsigned places = rtn_pool_has_place(pool) ? pool->options.active - rtn_pool_active(pool) : 0;
    return rtn_lanes_of(&pool->lanes, task)->queued < pool->options.queue + RTN_MIN(threads, places);
}

static struct rtn_task *first(const struct rtn_list *tasks)
{
    return RTN_CONTAINER_OF(tasks->next, struct rtn_task, node);
}

/* With the mutex held: somebody takes it. */
static bool fits(struct rtn_pool *pool, const struct rtn_task *task)
{
    return has_takers(pool) && has_room(pool, task);
}

unsigned rtn_pool_submit(struct rtn_pool *pool, struct rtn_list *tasks, unsigned count)
{
    pthread_mutex_lock(&pool->mutex);
    for (; count > 0 && fits(pool, first(tasks)); count--) {
        struct rtn_task *task = first(tasks);
        rtn_list_remove(&task->node);
        rtn_lanes_add(&pool->lanes, task);
        rtn_stats_add(pool->block, RTN_STATS_POOL_TAKEN + task->lane, 1);
    }
    unlock_and_wake_one(pool);
    if (count > 0) /* all of one lane */
        rtn_stats_add(pool->block, RTN_STATS_POOL_REFUSED + first(tasks)->lane, count);
    return count;
}

void rtn_pool_tune(struct rtn_pool *pool, unsigned threads, unsigned active, unsigned queue)
{
    pthread_mutex_lock(&pool->mutex);
    pool->options.threads = threads;
    pool->options.active = active;
    pool->options.queue = queue;
    pthread_cond_broadcast(&pool->work);
    pthread_cond_broadcast(&pool->place);
    rtn_pool_wake_one(pool);
    pthread_mutex_unlock(&pool->mutex);
}

bool rtn_pool_refresh(struct rtn_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->epoch++;
    bool fresh = rtn_pool_all_fresh(pool);
    pool->refreshing = !fresh;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->mutex);
    return fresh;
}

bool rtn_pool_is_fresh(struct rtn_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    bool fresh = rtn_pool_all_fresh(pool);
    pthread_mutex_unlock(&pool->mutex);
    return fresh;
}

bool rtn_pool_submit_always(struct rtn_pool *pool, struct rtn_task *task)
{
    pthread_mutex_lock(&pool->mutex);
    if (!has_takers(pool)) {
        pthread_mutex_unlock(&pool->mutex);
        return false;
    }
    rtn_lanes_add(&pool->lanes, task);
    rtn_stats_add(pool->block, RTN_STATS_POOL_TAKEN + task->lane, 1);
    unlock_and_wake_one(pool);
    return true;
}

void rtn_pool_block_begin(void)
{
    struct rtn_worker *worker = rtn_pool_worker;
    if (worker == NULL || worker->what == NULL || worker->blocked)
        return;
    struct rtn_pool *pool = worker->pool;
    rtn_activity_block(true);
    pthread_mutex_lock(&pool->mutex);
    rtn_pool_unstick(pool, worker);
    worker->blocked = true;
    pool->blocked++;
    rtn_pool_pass_place(pool);
    pthread_mutex_unlock(&pool->mutex);
}

void rtn_pool_block_end(void)
{
    struct rtn_worker *worker = rtn_pool_worker;
    if (worker == NULL || !worker->blocked)
        return;
    struct rtn_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->mutex);
    rtn_pool_unstick(pool, worker);
    pool->returning++;
    while (!rtn_pool_has_place(pool))
        pthread_cond_wait(&pool->place, &pool->mutex);
    pool->returning--;
    rtn_pool_unstick(pool, worker); /* it may have been found over its time while it waited */
    pool->blocked--;
    worker->blocked = false;
    rtn_pool_pass_place(pool);
    pthread_mutex_unlock(&pool->mutex);
    rtn_activity_block(false);
    (void) rtn_activity_progress();
}

bool rtn_pool_on_worker(void)
{
    return rtn_pool_worker != NULL && rtn_pool_worker->what != NULL;
}

/* With the mutex held: tasks whose only worker ended again, since its hook failed. */
static void run_left_over(struct rtn_pool *pool)
{
    struct rtn_task *task;
    while ((task = rtn_lanes_take(&pool->lanes)) != NULL) {
        struct rtn_serial *serial = task->serial;
        pthread_mutex_unlock(&pool->mutex);
        task->run(task);
        pthread_mutex_lock(&pool->mutex);
        if (serial != NULL)
            rtn_lanes_release(&pool->lanes, serial);
    }
}

unsigned rtn_pool_stop(struct rtn_pool *pool, int64_t ms)
{
    struct timespec until = rtn_clock_after(CLOCK_MONOTONIC, ms);
    pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->work);
    int r = 0;
    while (pool->threads + pool->ending > 0 && r == 0)
        r = pthread_cond_timedwait(&pool->change, &pool->mutex, &until);
    unsigned left = pool->threads + pool->ending > 0 ? RTN_MAX(pool->running, 1U) : 0;
    rtn_pool_join_ended(pool);
    if (left == 0)
        run_left_over(pool);
    pthread_mutex_unlock(&pool->mutex);
    return left;
}

void rtn_pool_free(struct rtn_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_cond_destroy(&pool->change);
    pthread_cond_destroy(&pool->place);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

void rtn_pool_running(struct rtn_pool *pool, void (*report)(const char *thread, const char *what, void *data),
                      void *data)
{
    pthread_mutex_lock(&pool->mutex);
    RTN_LIST_FOREACH (node, &pool->workers) {
        const struct rtn_worker *worker = RTN_CONTAINER_OF(node, struct rtn_worker, node);
        if (worker->what != NULL)
            report(worker->name, worker->what, data);
    }
    pthread_mutex_unlock(&pool->mutex);
}

void rtn_pool_stats(struct rtn_pool *pool, struct rtn_pool_stats *ret)
{
    pthread_mutex_lock(&pool->mutex);
    *ret = (struct rtn_pool_stats){ .threads = pool->threads,
                                    .running = pool->running,
                                    .blocked = pool->blocked,
                                    .stuck = pool->stuck,
                                    .queued = rtn_lanes_queued(&pool->lanes),
                                    .most = pool->options.threads };
    for (size_t i = 0; i < RTN_LANES; i++)
        ret->lanes[i] = pool->lanes.lanes[i].queued;
    pthread_mutex_unlock(&pool->mutex);
}
