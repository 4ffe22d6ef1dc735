/* Blocked stretches: a task between block_begin and block_end gives its place to others, and waits to get one back. */
#include "pool_support.h"

#include <unistd.h>

struct blocker {
    struct rtn_task task;
    struct gate *gate;
    atomic_uint *active; /* outside of a blocked stretch now */
    atomic_uint *most;
    atomic_uint *done;
    atomic_int thread;
    bool forgets;
};

static void note_active(struct blocker *blocker)
{
    unsigned now = atomic_fetch_add(blocker->active, 1) + 1;
    unsigned most = atomic_load(blocker->most);
    while (now > most && !atomic_compare_exchange_weak(blocker->most, &most, now))
        ;
}

static void run_blocker(struct rtn_task *task)
{
    struct blocker *blocker = RTN_CONTAINER_OF(task, struct blocker, task);
    atomic_store(&blocker->thread, (int) gettid());
    note_active(blocker);
    pause_ms(1);
    atomic_fetch_sub(blocker->active, 1);
    rtn_pool_block_begin();
    rtn_pool_block_begin(); /* no effect */
    gate_pass(blocker->gate);
    if (blocker->forgets) {
        atomic_fetch_add(blocker->done, 1);
        return;
    }
    rtn_pool_block_end();
    note_active(blocker);
    rtn_pool_block_end(); /* no effect */
    pause_ms(1);
    atomic_fetch_sub(blocker->active, 1);
    atomic_fetch_add(blocker->done, 1);
}

#define BLOCKERS 16

struct blocking {
    struct gate gate;
    atomic_uint active;
    atomic_uint most;
    atomic_uint done;
    struct blocker blockers[BLOCKERS];
};

static void submit_blockers(struct blocking *blocking, struct rtn_pool *pool, bool forget)
{
    struct rtn_list list;
    rtn_list_init(&list);
    for (unsigned i = 0; i < BLOCKERS; i++) {
        blocking->blockers[i] = (struct blocker){ .task = { .run = run_blocker },
                                                  .gate = &blocking->gate,
                                                  .active = &blocking->active,
                                                  .most = &blocking->most,
                                                  .done = &blocking->done,
                                                  .forgets = forget };
        rtn_list_append(&list, &blocking->blockers[i].task.node);
    }
    cr_assert_eq(rtn_pool_submit(pool, &list, BLOCKERS), 0);
}

Test(pool_block, sixteen_blocked_at_once_with_two_active)
{
    struct blocking blocking = { .gate = GATE_CLOSED };
    const struct rtn_pool_options options = options_of(BLOCKERS, 2, PLENTY);
    struct rtn_pool *pool = start_pool(&options);

    submit_blockers(&blocking, pool, false);
    cr_expect(reaches(&blocking.gate.entered, BLOCKERS));
    struct rtn_pool_stats stats = stats_of(pool);
    cr_expect_eq(stats.running, BLOCKERS);
    cr_expect_eq(stats.blocked, BLOCKERS);
    gate_open(&blocking.gate);
    end_pool(pool);
    cr_expect_eq(atomic_load(&blocking.done), BLOCKERS);
    cr_expect_leq(atomic_load(&blocking.most), 2, "%u at once", atomic_load(&blocking.most));
}

Test(pool_block, returning_tasks_come_before_queued_ones)
{
    struct blocking blocking = { .gate = GATE_CLOSED };
    struct gate holding = GATE_CLOSED;
    struct job holder;
    struct job queued;
    atomic_uint late = 0;
    const struct rtn_pool_options options = options_of(4, 1, PLENTY);
    struct rtn_pool *pool = start_pool(&options);

    blocking.blockers[0] = (struct blocker){ .task = { .run = run_blocker },
                                             .gate = &blocking.gate,
                                             .active = &blocking.active,
                                             .most = &blocking.most,
                                             .done = &blocking.done };
    set_job(&holder, 0, &holding, NULL);
    set_job(&queued, 1, NULL, &blocking.done);
    cr_assert(rtn_pool_submit_always(pool, &blocking.blockers[0].task));
    cr_assert(reaches(&blocking.gate.entered, 1));
    cr_assert_eq(submit(pool, &holder, 1), 0); /* takes the place */
    cr_assert(reaches(&holding.entered, 1));
    cr_assert_eq(submit(pool, &queued, 1), 0);
    gate_open(&blocking.gate);
    cr_assert(reaches(&blocking.gate.left, 1));
    cr_assert(falls_asleep(atomic_load(&blocking.blockers[0].thread)), "the blocker does not wait for its place");
    gate_open(&holding);
    end_pool(pool);
    cr_expect_eq(atomic_load(&blocking.done), 2);
    cr_expect_eq(queued.order, 1, "the queued task overtook the one that came back");
    cr_expect_eq(atomic_load(&late), 0);
}

/* A handler that returns in the middle of a blocked stretch must not take the place with it. */
Test(pool_block, forgotten_end_does_not_stop_the_pool, .timeout = 60)
{
    struct blocking blocking = { .gate = GATE_CLOSED };
    struct job jobs[4];
    atomic_uint done = 0;
    const struct rtn_pool_options options = options_of(2, 1, PLENTY);
    struct rtn_pool *pool = start_pool(&options);

    gate_open(&blocking.gate);
    submit_blockers(&blocking, pool, true);
    cr_assert(reaches(&blocking.done, BLOCKERS));
    for (unsigned i = 0; i < 4; i++)
        set_job(&jobs[i], i, NULL, &done);
    cr_assert_eq(submit(pool, jobs, 4), 0);
    cr_assert(reaches(&done, 4), "tasks wait for a place that never comes");
    end_pool(pool);
}

static int block_in_start(void *data)
{
    (void) data;
    rtn_pool_block_begin();
    rtn_pool_block_end();
    return 0;
}

static void block_in_stop(void *data)
{
    (void) block_in_start(data);
}

/* Outside of tasks there is no place to give up: on other threads, and in the hooks of workers. */
Test(pool_block, no_effect_outside_of_tasks, .timeout = 60)
{
    struct rtn_pool_options options = options_of(2, 1, PLENTY);
    struct job job;
    atomic_uint done = 0;

    rtn_pool_block_begin();
    rtn_pool_block_end();
    rtn_pool_block_end();
    options.thread_start = block_in_start;
    options.thread_stop = block_in_stop;
    struct rtn_pool *pool = start_pool(&options);
    set_job(&job, 0, NULL, &done);
    cr_assert_eq(submit(pool, &job, 1), 0);
    cr_expect(reaches(&done, 1));
    end_pool(pool);
}
