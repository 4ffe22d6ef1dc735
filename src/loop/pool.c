/*
 * The worker pool. One mutex guards the queue and all counters; it is a leaf: nothing is called with it
 * held but the wake-up and the start of a thread.
 *
 * Waking. `waking` is set by whoever signals an idle worker and cleared by the next one that comes out of its
 * wait. Since a worker that was signalled always comes to the mutex and looks at the queue before it waits again,
 * and passes the wake on when it leaves work behind, no task can be left in the queue with a worker asleep.
 * tests/unit/loop/test_pool_stress.c stresses this. `starting` does the same for a new thread, whose hook may take
 * long or fail: idle workers are woken beside it.
 *
 * Places. A task runs when `active` < options.active; a blocked task gives its place up and waits for one
 * to come back, before any queued task gets it.
 */
#include "loop/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/macros.h"
#include "loop/lanes.h"
#include "loop/loop.h"

struct worker {
    struct rtn_pool *pool;
    struct rtn_list node; /* in pool->workers, until joined by pool->ended */
    pthread_t thread;
    unsigned number;
    bool blocked;
    const char *what; /* of the task it runs; NULL: none */
    char name[RTN_THREAD_NAME_SIZE];
    struct rtn_log_context log_context;
};

struct rtn_pool {
    struct rtn_pool_options options;

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
    unsigned returning; /* wait for `place` */
    bool waking;
    bool starting; /* a new thread has not been through its hook yet */
    bool stopping;
    bool hook_done; /* by some worker */
    int hook_result; /* of the worker that came up last */
};

static _Thread_local struct worker *current;

static unsigned active(const struct rtn_pool *pool)
{
    return pool->running - pool->blocked;
}

static bool has_place(const struct rtn_pool *pool)
{
    return active(pool) < pool->options.active;
}

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
static void join_ended(struct rtn_pool *pool)
{
    RTN_LIST_FOREACH (node, &pool->ended) {
        struct worker *worker = RTN_CONTAINER_OF(node, struct worker, node);
        pthread_join(worker->thread, NULL);
        free(worker);
    }
    rtn_list_init(&pool->ended);
}

/* With the mutex held. False when the system refuses another thread. */
static bool start_worker(struct rtn_pool *pool)
{
    struct worker *worker = calloc(1, sizeof(*worker));
    if (worker == NULL)
        return false;
    worker->pool = pool;
    worker->number = take_number(pool);
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

/* With the mutex held: gets one more worker going when there is work and a place for it. */
static void wake_one(struct rtn_pool *pool)
{
    if (rtn_lanes_empty(&pool->lanes) || !has_place(pool) || pool->returning > 0)
        return;
    if (pool->idle > 0) {
        if (!pool->waking)
            pthread_cond_signal(&pool->work);
        pool->waking = true;
        return;
    }
    if (pool->starting || pool->threads >= pool->options.threads)
        return;
    join_ended(pool);
    (void) start_worker(pool);
}

/* With the mutex held: a place has come free. */
static void pass_place(struct rtn_pool *pool)
{
    if (pool->returning > 0)
        pthread_cond_signal(&pool->place);
    else
        wake_one(pool);
}

/* With the mutex held. The next task that may run now, NULL when there is none. */
static struct rtn_task *take(struct rtn_pool *pool)
{
    return has_place(pool) && pool->returning == 0 ? rtn_lanes_take(&pool->lanes) : NULL;
}

/* With the mutex held, released while the task runs. */
static void run_task(struct rtn_pool *pool, struct rtn_task *task)
{
    struct rtn_serial *serial = task->serial;
    pool->running++;
    current->what = task->what != NULL ? task->what : "";
    wake_one(pool);
    pthread_mutex_unlock(&pool->mutex);
    task->run(task);
    pthread_mutex_lock(&pool->mutex);
    current->what = NULL;
    pool->running--;
    if (current->blocked) { /* the task has forgotten to end it */
        current->blocked = false;
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
static bool wait_for_work(struct rtn_pool *pool, const struct timespec *until)
{
    pool->idle++;
    int r = pthread_cond_timedwait(&pool->work, &pool->mutex, until);
    pool->idle--;
    pool->waking = false;
    return r == ETIMEDOUT && rtn_lanes_empty(&pool->lanes);
}

/* One that has come up stays. */
static bool may_retire(const struct rtn_pool *pool)
{
    return pool->threads > (pool->starting ? 2U : 1U);
}

/* With the mutex held. */
static void work_until_retired(struct rtn_pool *pool)
{
    struct timespec until = { 0 };
    for (;;) {
        struct rtn_task *task = take(pool);
        if (task != NULL) {
            run_task(pool, task);
            until.tv_sec = 0;
            continue;
        }
        if (pool->stopping)
            return;
        if (until.tv_sec == 0)
            until = rtn_clock_after(CLOCK_MONOTONIC, pool->options.retire_ms);
        if (wait_for_work(pool, &until)) {
            if (may_retire(pool))
                return;
            until.tv_sec = 0;
        }
    }
}

static void *work(void *data)
{
    struct worker *worker = data;
    struct rtn_pool *pool = worker->pool;
    current = worker;
    pthread_setname_np(pthread_self(), worker->name);
    rtn_log_set_context(&worker->log_context);

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
        wake_one(pool);
    pthread_mutex_unlock(&pool->mutex);

    if (r == 0 && pool->options.thread_stop != NULL)
        pool->options.thread_stop(pool->options.data);
    current = NULL;

    pthread_mutex_lock(&pool->mutex);
    pool->ending--;
    rtn_list_remove(&worker->node);
    rtn_list_append(&pool->ended, &worker->node);
    pthread_cond_signal(&pool->change);
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
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
    if (start_worker(pool)) {
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
    join_ended(pool);
    return !pool->stopping && start_worker(pool);
}

/* With the mutex held: such a task may be queued. Those that a worker can take at once do not wait. */
static bool has_room(struct rtn_pool *pool, const struct rtn_task *task)
{
    unsigned threads = pool->options.threads - pool->running;
    unsigned places = has_place(pool) ? pool->options.active - active(pool) : 0;
    return rtn_lanes_of(&pool->lanes, task)->queued < pool->options.queue + RTN_MIN(threads, places);
}

/* With the mutex held: the first of the list; NULL when nobody takes it. */
static struct rtn_task *next_that_fits(struct rtn_pool *pool, const struct rtn_list *tasks)
{
    struct rtn_task *task = RTN_CONTAINER_OF(tasks->next, struct rtn_task, node);
    return has_takers(pool) && has_room(pool, task) ? task : NULL;
}

unsigned rtn_pool_submit(struct rtn_pool *pool, struct rtn_list *tasks, unsigned count)
{
    pthread_mutex_lock(&pool->mutex);
    struct rtn_task *task;
    for (; count > 0 && (task = next_that_fits(pool, tasks)) != NULL; count--) {
        rtn_list_remove(&task->node);
        rtn_lanes_add(&pool->lanes, task);
    }
    wake_one(pool);
    pthread_mutex_unlock(&pool->mutex);
    return count;
}

bool rtn_pool_submit_always(struct rtn_pool *pool, struct rtn_task *task)
{
    pthread_mutex_lock(&pool->mutex);
    bool taken = has_takers(pool);
    if (taken) {
        rtn_lanes_add(&pool->lanes, task);
        wake_one(pool);
    }
    pthread_mutex_unlock(&pool->mutex);
    return taken;
}

void rtn_pool_block_begin(void)
{
    struct worker *worker = current;
    if (worker == NULL || worker->what == NULL || worker->blocked)
        return;
    struct rtn_pool *pool = worker->pool;
    worker->blocked = true;
    pthread_mutex_lock(&pool->mutex);
    pool->blocked++;
    pass_place(pool);
    pthread_mutex_unlock(&pool->mutex);
}

void rtn_pool_block_end(void)
{
    struct worker *worker = current;
    if (worker == NULL || !worker->blocked)
        return;
    struct rtn_pool *pool = worker->pool;
    pthread_mutex_lock(&pool->mutex);
    pool->returning++;
    while (!has_place(pool))
        pthread_cond_wait(&pool->place, &pool->mutex);
    pool->returning--;
    pool->blocked--;
    pass_place(pool);
    pthread_mutex_unlock(&pool->mutex);
    worker->blocked = false;
}

bool rtn_pool_on_worker(void)
{
    return current != NULL && current->what != NULL;
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
    join_ended(pool);
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
        const struct worker *worker = RTN_CONTAINER_OF(node, struct worker, node);
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
                                    .queued = rtn_lanes_queued(&pool->lanes) };
    pthread_mutex_unlock(&pool->mutex);
}
