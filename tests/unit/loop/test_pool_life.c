/* Threads of the pool: started when needed, retired when idle, hooks, names, and the ways a stop can go. */
#include "pool_support.h"

#include <errno.h>

struct hooks {
    atomic_uint starts;
    atomic_uint stops;
    atomic_uint good; /* starts that succeed before `result` is returned */
    int result;
    struct gate *gate; /* starts that fail wait here first */
};

static int on_thread_start(void *data)
{
    struct hooks *hooks = data;
    unsigned before = atomic_fetch_add(&hooks->starts, 1);
    if (before < atomic_load(&hooks->good))
        return 0;
    if (hooks->gate != NULL)
        gate_pass(hooks->gate);
    return hooks->result;
}

static void on_thread_stop(void *data)
{
    struct hooks *hooks = data;
    atomic_fetch_add(&hooks->stops, 1);
}

static struct rtn_pool_options hooked_options(unsigned threads, struct hooks *hooks)
{
    struct rtn_pool_options options = options_of(threads, threads, PLENTY);
    options.thread_start = on_thread_start;
    options.thread_stop = on_thread_stop;
    options.data = hooks;
    return options;
}

Test(pool_life, idle_threads_retire_but_the_last_and_come_back)
{
    struct hooks hooks = { .good = PLENTY };
    struct rtn_pool_options options = hooked_options(6, &hooks);
    options.retire_ms = 20;
    struct rtn_pool *pool = start_pool(&options);

    for (unsigned round = 1; round <= 3; round++) {
        struct gate gate = GATE_CLOSED;
        struct job jobs[6];
        atomic_uint done = 0;
        for (unsigned i = 0; i < 6; i++)
            set_job(&jobs[i], i, &gate, &done);
        cr_assert_eq(submit(pool, jobs, 6), 0);
        cr_assert(reaches(&gate.entered, 6));
        cr_expect_eq(stats_of(pool).threads, 6);
        gate_open(&gate);
        cr_assert(reaches(&done, 6));
        cr_assert(comes_to_threads(pool, 1));
        cr_expect(reaches(&hooks.stops, 5 * round));
    }
    end_pool(pool);
    cr_expect_eq(atomic_load(&hooks.starts), atomic_load(&hooks.stops));
}

Test(pool_life, last_thread_sleeps_when_its_time_to_retire_has_passed)
{
    struct rtn_pool_options options = options_of(2, 2, PLENTY);
    options.retire_ms = 10;
    struct rtn_pool *pool = start_pool(&options);

    pause_ms(50);
    clock_t before = clock();
    pause_ms(500);
    double seconds = (double) (clock() - before) / CLOCKS_PER_SEC;
    cr_expect_lt(seconds, 0.2, "%f s of processor time while idle", seconds);
    end_pool(pool);
}

Test(pool_life, first_thread_start_decides)
{
    struct hooks hooks = { .result = -EPERM };
    const struct rtn_pool_options options = hooked_options(4, &hooks);
    struct rtn_pool *pool = NULL;

    cr_assert_eq(rtn_pool_new(&options, &pool), 0);
    cr_expect_eq(rtn_pool_start(pool), -EPERM);
    cr_expect_eq(rtn_pool_stop(pool, BOUND_MS), 0);
    rtn_pool_free(pool);
    cr_expect_eq(atomic_load(&hooks.starts), 1);
    cr_expect_eq(atomic_load(&hooks.stops), 0);
}

Test(pool_life, first_thread_start_may_fail_with_any_number, .timeout = 30)
{
    struct hooks hooks = { .result = 1 };
    const struct rtn_pool_options options = hooked_options(4, &hooks);
    struct rtn_pool *pool = NULL;

    cr_assert_eq(rtn_pool_new(&options, &pool), 0);
    cr_expect_eq(rtn_pool_start(pool), 1);
    cr_expect_eq(rtn_pool_stop(pool, BOUND_MS), 0);
    rtn_pool_free(pool);
}

Test(pool_life, later_thread_start_failures_leave_the_work_to_the_others)
{
    struct hooks hooks = { .good = 1, .result = -ENOMEM };
    const struct rtn_pool_options options = hooked_options(4, &hooks);
    struct rtn_pool *pool = start_pool(&options);
    static struct job jobs[200];
    atomic_uint done = 0;

    for (unsigned i = 0; i < 200; i++) {
        set_job(&jobs[i], i, NULL, &done);
        cr_assert_eq(submit(pool, &jobs[i], 1), 0);
    }
    cr_expect(reaches(&done, 200));
    cr_expect(comes_to_threads(pool, 1));
    end_pool(pool);
    cr_expect_eq(atomic_load(&hooks.stops), 1);
}

/* While a new thread is in its start hook, tasks must go to those that are there and idle. */
Test(pool_life, slow_thread_start_keeps_nobody_from_working, .timeout = 60)
{
    struct gate starting = GATE_CLOSED;
    struct gate working = GATE_CLOSED;
    struct hooks hooks = { .good = 1, .result = -ENOMEM, .gate = &starting };
    const struct rtn_pool_options options = hooked_options(2, &hooks);
    struct rtn_pool *pool = start_pool(&options);
    struct job jobs[3];
    atomic_uint done = 0;

    set_job(&jobs[0], 0, &working, &done);
    set_job(&jobs[1], 1, NULL, &done);
    set_job(&jobs[2], 2, NULL, &done);
    cr_assert_eq(submit(pool, &jobs[0], 1), 0);
    cr_assert(reaches(&working.entered, 1));
    cr_assert_eq(submit(pool, &jobs[1], 1), 0); /* starts the second thread */
    cr_assert(reaches(&starting.entered, 1));
    gate_open(&working);
    cr_assert(reaches(&done, 2));
    pause_ms(20); /* the first thread is idle by now */
    cr_assert_eq(submit(pool, &jobs[2], 1), 0);
    cr_expect(reaches(&done, 3), "the task waits for a thread that is still starting");
    gate_open(&starting);
    end_pool(pool);
}

Test(pool_life, tasks_after_a_stop_are_refused)
{
    const struct rtn_pool_options options = options_of(2, 2, PLENTY);
    struct rtn_pool *pool = start_pool(&options);
    struct job jobs[2];
    atomic_uint done = 0;

    set_job(&jobs[0], 0, NULL, &done);
    set_job(&jobs[1], 1, NULL, &done);
    cr_assert_eq(rtn_pool_stop(pool, BOUND_MS), 0);
    cr_expect_eq(submit(pool, jobs, 2), 2);
    cr_expect_not(rtn_pool_submit_always(pool, &jobs[0].task));
    rtn_pool_free(pool);
    cr_expect_eq(atomic_load(&done), 0);
}

Test(pool_life, stop_waits_for_what_is_queued)
{
    const struct rtn_pool_options options = options_of(2, 1, PLENTY);
    struct rtn_pool *pool = start_pool(&options);
    static struct job jobs[100];
    atomic_uint done = 0;

    for (unsigned i = 0; i < 100; i++)
        set_job(&jobs[i], i, NULL, &done);
    cr_assert_eq(submit(pool, jobs, 100), 0);
    end_pool(pool);
    cr_expect_eq(atomic_load(&done), 100);
}

Test(pool_life, stop_without_a_start)
{
    const struct rtn_pool_options options = options_of(2, 2, PLENTY);
    struct rtn_pool *pool = NULL;

    cr_assert_eq(rtn_pool_new(&options, &pool), 0);
    cr_expect_eq(rtn_pool_stop(pool, 0), 0);
    rtn_pool_free(pool);
    rtn_pool_free(NULL);
}

/* The process leaves such a pool alone until it ends; a second stop is what a test can do to clean up. */
Test(pool_life, stop_gives_up_on_stuck_tasks_and_says_how_many)
{
    struct gate gate = GATE_CLOSED;
    struct job jobs[3];
    struct hooks hooks = { .good = PLENTY };
    const struct rtn_pool_options options = hooked_options(5, &hooks);
    struct rtn_pool *pool = start_pool(&options);

    for (unsigned i = 0; i < 3; i++)
        set_job(&jobs[i], i, &gate, NULL);
    cr_assert_eq(submit(pool, jobs, 3), 0);
    cr_assert(reaches(&gate.entered, 3));
    int64_t before = rtn_clock_ms();
    cr_expect_eq(rtn_pool_stop(pool, 30), 3);
    cr_expect_geq(rtn_clock_ms() - before, 30);
    gate_open(&gate);
    end_pool(pool);
    cr_expect_eq(atomic_load(&hooks.starts), atomic_load(&hooks.stops));
}

/* Tasks that end in the very moment the stop gives up: for the thread sanitizer above all. */
Test(pool_life, stop_gives_up_while_tasks_end)
{
    for (unsigned round = 0; round < 200; round++) {
        struct gate gate = GATE_CLOSED;
        struct job jobs[4];
        const struct rtn_pool_options options = options_of(4, 4, PLENTY);
        struct rtn_pool *pool = start_pool(&options);
        for (unsigned i = 0; i < 4; i++)
            set_job(&jobs[i], i, &gate, NULL);
        cr_assert_eq(submit(pool, jobs, 4), 0);
        cr_assert(reaches(&gate.entered, 4));
        gate_open(&gate);
        (void) rtn_pool_stop(pool, 0);
        end_pool(pool);
    }
}

Test(pool_life, a_pool_that_was_not_started_has_no_thread_until_there_is_a_task)
{
    struct hooks hooks = { .good = PLENTY };
    struct rtn_pool_options options = hooked_options(2, &hooks);
    struct rtn_pool *pool = NULL;
    cr_assert_eq(rtn_pool_new(&options, &pool), 0);
    cr_expect_eq(stats_of(pool).threads, 0);

    struct job jobs[2];
    atomic_uint done = 0;
    set_job(&jobs[0], 0, NULL, &done);
    set_job(&jobs[1], 1, NULL, &done);
    cr_expect_eq(submit(pool, &jobs[0], 1), 0);
    cr_expect(rtn_pool_submit_always(pool, &jobs[1].task));
    cr_expect(reaches(&done, 2));
    end_pool(pool);
    cr_expect_eq(atomic_load(&hooks.starts), atomic_load(&hooks.stops));
}

Test(pool_life, a_pool_without_any_thread_stops_and_refuses)
{
    const struct rtn_pool_options options = options_of(2, 2, PLENTY);
    struct rtn_pool *pool = NULL;
    struct job job;
    cr_assert_eq(rtn_pool_new(&options, &pool), 0);
    cr_expect_eq(rtn_pool_stop(pool, BOUND_MS), 0);
    set_job(&job, 0, NULL, NULL);
    cr_expect_eq(submit(pool, &job, 1), 1);
    cr_expect(!rtn_pool_submit_always(pool, &job.task));
    rtn_pool_free(pool);
}

Test(pool_life, tasks_that_no_worker_came_up_for_run_at_the_stop)
{
    struct hooks hooks = { .result = -EIO };
    struct rtn_pool_options options = hooked_options(2, &hooks);
    struct rtn_pool *pool = NULL;
    struct job jobs[2];
    atomic_uint done = 0;
    cr_assert_eq(rtn_pool_new(&options, &pool), 0);
    for (unsigned i = 0; i < 2; i++) {
        set_job(&jobs[i], i, NULL, &done);
        cr_expect_eq(submit(pool, &jobs[i], 1), 0);
        cr_assert(comes_to_threads(pool, 0));
    }
    cr_expect_eq(atomic_load(&hooks.starts), 2);
    cr_expect_eq(atomic_load(&done), 0);
    end_pool(pool);
    cr_expect_eq(atomic_load(&done), 2);
    cr_expect_eq(atomic_load(&hooks.stops), 0);
}
