/* A pool that changes while it runs: other bounds, and hooks that every worker has to call before it goes on. */
#include "pool_support.h"

#include <errno.h>

/* More threads at once */

Test(pool_live, more_threads_take_what_waits)
{
    struct rtn_pool_options options = options_of(1, 1, PLENTY);
    struct rtn_pool *pool = start_pool(&options);
    struct gate gate = GATE_CLOSED;
    struct job jobs[4];
    atomic_uint done = 0;
    for (unsigned i = 0; i < 4; i++)
        set_job(&jobs[i], i, &gate, &done);
    cr_assert_eq(submit(pool, jobs, 4), 0);
    cr_assert(reaches(&gate.entered, 1));
    rtn_pool_tune(pool, 4, 4, PLENTY);
    cr_expect(reaches(&gate.entered, 4));
    gate_open(&gate);
    cr_expect(reaches(&done, 4));
    end_pool(pool);
}

Test(pool_live, more_places_let_blocked_ones_come_back)
{
    struct rtn_pool_options options = options_of(4, 1, PLENTY);
    struct rtn_pool *pool = start_pool(&options);
    struct gate gate = GATE_CLOSED;
    struct job jobs[4];
    atomic_uint done = 0;
    for (unsigned i = 0; i < 4; i++)
        set_job(&jobs[i], i, &gate, &done);
    cr_assert_eq(submit(pool, jobs, 4), 0);
    cr_assert(reaches(&gate.entered, 1));
    rtn_pool_tune(pool, 4, 3, PLENTY);
    cr_expect(reaches(&gate.entered, 3));
    gate_open(&gate);
    cr_expect(reaches(&done, 4));
    end_pool(pool);
}

Test(pool_live, those_that_are_too_many_end_after_their_task)
{
    struct rtn_pool_options options = options_of(4, 4, PLENTY);
    struct rtn_pool *pool = start_pool(&options);
    struct gate gate = GATE_CLOSED;
    struct job jobs[6];
    atomic_uint done = 0;
    for (unsigned i = 0; i < 6; i++)
        set_job(&jobs[i], i, &gate, &done);
    cr_assert_eq(submit(pool, jobs, 4), 0);
    cr_assert(reaches(&gate.entered, 4));
    rtn_pool_tune(pool, 1, 1, PLENTY);
    cr_expect_eq(stats_of(pool).running, 4, "nobody is interrupted");
    cr_assert_eq(submit(pool, jobs + 4, 2), 0);
    gate_open(&gate);
    cr_expect(reaches(&done, 6), "what waited is done by those that are left");
    cr_expect(comes_to_threads(pool, 1));
    end_pool(pool);
}

Test(pool_live, idle_ones_that_are_too_many_end_at_once)
{
    struct rtn_pool_options options = options_of(3, 3, PLENTY);
    struct rtn_pool *pool = start_pool(&options);
    struct gate gate = GATE_CLOSED;
    struct job jobs[3];
    atomic_uint done = 0;
    for (unsigned i = 0; i < 3; i++)
        set_job(&jobs[i], i, &gate, &done);
    cr_assert_eq(submit(pool, jobs, 3), 0);
    cr_assert(reaches(&gate.entered, 3));
    gate_open(&gate);
    cr_assert(reaches(&done, 3));
    rtn_pool_tune(pool, 2, 2, PLENTY);
    cr_expect(comes_to_threads(pool, 2));
    end_pool(pool);
}

Test(pool_live, shorter_queue_refuses_and_keeps_what_waits)
{
    struct rtn_pool_options options = options_of(1, 1, 5);
    struct rtn_pool *pool = start_pool(&options);
    struct gate gate = GATE_CLOSED;
    struct job jobs[8];
    atomic_uint done = 0;
    for (unsigned i = 0; i < 8; i++)
        set_job(&jobs[i], i, &gate, &done);
    cr_assert_eq(submit(pool, jobs, 1), 0);
    cr_assert(reaches(&gate.entered, 1));
    cr_assert_eq(submit(pool, jobs + 1, 5), 0);
    rtn_pool_tune(pool, 1, 1, 2);
    cr_expect_eq(submit(pool, jobs + 6, 1), 1);
    gate_open(&gate);
    cr_expect(reaches(&done, 6));
    cr_expect_eq(submit(pool, jobs + 6, 2), 0);
    cr_expect(reaches(&done, 8));
    end_pool(pool);
}

/* Refreshing */

struct hooks {
    struct rtn_pool *pool;
    atomic_uint version; /* that workers are to have */
    atomic_uint refreshes;
    atomic_uint starts;
    atomic_uint stops;
    atomic_uint reports;
    atomic_uint bad; /* reports while a worker was behind, tasks of workers that were */
    atomic_int result; /* of the refreshes */
};

static _Thread_local unsigned own_version;

static int on_start(void *data)
{
    struct hooks *hooks = data;
    own_version = atomic_load(&hooks->version);
    atomic_fetch_add(&hooks->starts, 1);
    return 0;
}

static void on_stop(void *data)
{
    struct hooks *hooks = data;
    atomic_fetch_add(&hooks->stops, 1);
}

static int on_refresh(void *data)
{
    struct hooks *hooks = data;
    own_version = atomic_load(&hooks->version);
    atomic_fetch_add(&hooks->refreshes, 1);
    return atomic_load(&hooks->result);
}

static void on_refreshed(void *data)
{
    struct hooks *hooks = data;
    if (!rtn_pool_is_fresh(hooks->pool))
        atomic_fetch_add(&hooks->bad, 1);
    atomic_fetch_add(&hooks->reports, 1);
}

static struct rtn_pool_options hooked_options(unsigned threads, struct hooks *hooks)
{
    struct rtn_pool_options options = options_of(threads, threads, PLENTY);
    options.thread_start = on_start;
    options.thread_stop = on_stop;
    options.thread_refresh = on_refresh;
    options.refreshed = on_refreshed;
    options.data = hooks;
    return options;
}

/* So many workers are idle, or in the gate. */
static void fill(struct rtn_pool *pool, struct job *jobs, unsigned count, struct gate *gate, atomic_uint *done)
{
    for (unsigned i = 0; i < count; i++)
        set_job(&jobs[i], i, gate, done);
    cr_assert_eq(submit(pool, jobs, count), 0);
    cr_assert(reaches(&gate->entered, count));
}

Test(pool_live, without_workers_nobody_is_behind)
{
    struct hooks hooks = { 0 };
    struct rtn_pool_options options = hooked_options(2, &hooks);
    cr_assert_eq(rtn_pool_new(&options, &hooks.pool), 0);
    cr_expect(rtn_pool_refresh(hooks.pool));
    cr_expect(rtn_pool_is_fresh(hooks.pool));
    end_pool(hooks.pool);
    cr_expect_eq(atomic_load(&hooks.reports), 0);
}

Test(pool_live, idle_workers_catch_up_at_once)
{
    struct hooks hooks = { 0 };
    struct rtn_pool_options options = hooked_options(3, &hooks);
    struct gate gate = GATE_CLOSED;
    struct job jobs[3];
    atomic_uint done = 0;
    hooks.pool = start_pool(&options);
    fill(hooks.pool, jobs, 3, &gate, &done);
    gate_open(&gate);
    cr_assert(reaches(&done, 3));
    (void) rtn_pool_refresh(hooks.pool);
    cr_expect(reaches(&hooks.refreshes, 3));
    cr_expect(reaches(&hooks.reports, 1));
    cr_expect(rtn_pool_is_fresh(hooks.pool));
    end_pool(hooks.pool);
    cr_expect_eq(atomic_load(&hooks.bad), 0);
    cr_expect_eq(atomic_load(&hooks.starts), atomic_load(&hooks.stops));
}

Test(pool_live, busy_worker_catches_up_after_its_task_and_before_the_next)
{
    struct hooks hooks = { 0 };
    struct rtn_pool_options options = hooked_options(2, &hooks);
    struct gate gate = GATE_CLOSED;
    struct job jobs[2];
    atomic_uint done = 0;
    hooks.pool = start_pool(&options);
    fill(hooks.pool, jobs, 1, &gate, &done);
    cr_expect_not(rtn_pool_refresh(hooks.pool));
    cr_expect_not(rtn_pool_is_fresh(hooks.pool));
    cr_expect_eq(atomic_load(&hooks.reports), 0);
    gate_open(&gate);
    cr_expect(reaches(&hooks.reports, 1));
    cr_expect(rtn_pool_is_fresh(hooks.pool));
    cr_expect_eq(atomic_load(&hooks.refreshes), 1);
    end_pool(hooks.pool);
    cr_expect_eq(atomic_load(&hooks.bad), 0);
}

Test(pool_live, new_worker_is_up_to_date)
{
    struct hooks hooks = { 0 };
    struct rtn_pool_options options = hooked_options(2, &hooks);
    struct gate gate = GATE_CLOSED;
    struct job jobs[2];
    atomic_uint done = 0;
    hooks.pool = start_pool(&options);
    fill(hooks.pool, jobs, 1, &gate, &done);
    cr_expect_not(rtn_pool_refresh(hooks.pool));
    fill(hooks.pool, jobs + 1, 1, &gate, &done);
    cr_assert(reaches(&gate.entered, 2));
    gate_open(&gate);
    cr_assert(reaches(&hooks.reports, 1));
    end_pool(hooks.pool);
    cr_expect_eq(atomic_load(&hooks.refreshes), 1, "only by the one that was there");
}

Test(pool_live, worker_that_ends_is_not_waited_for)
{
    struct hooks hooks = { 0 };
    struct rtn_pool_options options = hooked_options(2, &hooks);
    struct gate gate = GATE_CLOSED;
    struct job jobs[2];
    atomic_uint done = 0;
    hooks.pool = start_pool(&options);
    fill(hooks.pool, jobs, 2, &gate, &done);
    atomic_store(&hooks.result, -EIO);
    cr_expect_not(rtn_pool_refresh(hooks.pool));
    gate_open(&gate);
    cr_expect(reaches(&hooks.reports, 1));
    cr_expect(reaches(&hooks.stops, 2), "a failing refresh ends the worker in order");
    cr_expect_eq(rtn_pool_stop(hooks.pool, BOUND_MS), 0);
    rtn_pool_free(hooks.pool);
    cr_expect_eq(atomic_load(&hooks.bad), 0);
}

/* Tasks under way while versions go up: no task is run by a worker that is behind what was in force at its submit. */

#define ROUNDS 200

struct versioned {
    struct rtn_task task;
    struct hooks *hooks;
    unsigned wanted;
    atomic_uint *done;
};

static void run_versioned(struct rtn_task *task)
{
    struct versioned *versioned = RTN_CONTAINER_OF(task, struct versioned, task);
    if (own_version < versioned->wanted)
        atomic_fetch_add(&versioned->hooks->bad, 1);
    atomic_fetch_add(versioned->done, 1);
}

Test(pool_live, no_task_runs_on_a_worker_that_is_behind)
{
    static struct versioned tasks[ROUNDS];
    struct hooks hooks = { 0 };
    struct rtn_pool_options options = hooked_options(4, &hooks);
    options.refreshed = NULL; /* which would often be late */
    atomic_uint done = 0;
    hooks.pool = start_pool(&options);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct rtn_list list;
        rtn_list_init(&list);
        atomic_store(&hooks.version, i + 1);
        (void) rtn_pool_refresh(hooks.pool);
        rtn_pool_tune(hooks.pool, 1 + i % 4, 1 + i % 4, PLENTY);
        tasks[i] = (struct versioned){
            .task = { .run = run_versioned, .what = "task" }, .hooks = &hooks, .wanted = i + 1, .done = &done
        };
        rtn_list_append(&list, &tasks[i].task.node);
        cr_assert_eq(rtn_pool_submit(hooks.pool, &list, 1), 0);
    }
    cr_expect(reaches(&done, ROUNDS));
    end_pool(hooks.pool);
    cr_expect_eq(atomic_load(&hooks.bad), 0);
    cr_expect_eq(atomic_load(&hooks.starts), atomic_load(&hooks.stops));
}
