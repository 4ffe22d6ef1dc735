/* What the pool promises about tasks: all run, order of a serial, the bound of the queue, the cap of active ones. */
#include "pool_support.h"

Test(pool, runs_every_task)
{
    enum { COUNT = 2000 };
    static struct job jobs[COUNT];
    atomic_uint done = 0;
    const struct rtn_pool_options options = options_of(4, 4, PLENTY);
    struct rtn_pool *pool = start_pool(&options);

    for (unsigned i = 0; i < COUNT; i++)
        set_job(&jobs[i], i, NULL, &done);
    cr_expect_eq(submit(pool, jobs, COUNT), 0);
    cr_expect(reaches(&done, COUNT));
    end_pool(pool);
    cr_expect_eq(atomic_load(&done), COUNT);
}

Test(pool, one_thread_keeps_the_order_of_submission)
{
    enum { COUNT = 500 };
    static struct job jobs[COUNT];
    atomic_uint done = 0;
    const struct rtn_pool_options options = options_of(1, 1, PLENTY);
    struct rtn_pool *pool = start_pool(&options);

    for (unsigned i = 0; i < COUNT; i++)
        set_job(&jobs[i], i, NULL, &done);
    for (unsigned i = 0; i < COUNT; i += 50)
        cr_expect_eq(submit(pool, jobs + i, 50), 0);
    end_pool(pool);
    for (unsigned i = 0; i < COUNT; i++)
        cr_assert_eq(jobs[i].order, i);
}

Test(pool, bound_of_the_queue_is_exact_and_the_last_are_refused)
{
    struct job jobs[9];
    struct job late;
    struct gate gate = GATE_CLOSED;
    atomic_uint done = 0;
    const struct rtn_pool_options options = options_of(1, 1, 4);
    struct rtn_pool *pool = start_pool(&options);

    for (unsigned i = 0; i < 9; i++)
        set_job(&jobs[i], i, &gate, &done);
    set_job(&late, 9, NULL, &done);
    cr_assert_eq(submit(pool, &jobs[0], 1), 0);
    cr_assert(reaches(&gate.entered, 1));

    struct rtn_list list;
    rtn_list_init(&list);
    for (unsigned i = 1; i < 9; i++)
        rtn_list_append(&list, &jobs[i].task.node);
    cr_expect_eq(rtn_pool_submit(pool, &list, 8), 4);
    cr_expect_eq(stats_of(pool).queued, 4);
    for (unsigned i = 5; i < 9; i++) {
        struct rtn_list *node = rtn_list_pop(&list);
        cr_assert_not_null(node);
        cr_expect_eq(node, &jobs[i].task.node, "job %u was refused out of order", i);
    }
    cr_expect(rtn_list_empty(&list));

    cr_expect_eq(submit(pool, &late, 1), 1);
    gate_open(&gate);
    cr_assert(reaches(&done, 5));
    cr_expect_eq(submit(pool, &late, 1), 0);
    end_pool(pool);
    cr_expect_eq(atomic_load(&done), 6);
}

Test(pool, submit_always_goes_past_the_bound)
{
    struct job jobs[4];
    struct gate gate = GATE_CLOSED;
    atomic_uint done = 0;
    const struct rtn_pool_options options = options_of(1, 1, 1);
    struct rtn_pool *pool = start_pool(&options);

    for (unsigned i = 0; i < 4; i++)
        set_job(&jobs[i], i, &gate, &done);
    cr_assert_eq(submit(pool, &jobs[0], 1), 0);
    cr_assert(reaches(&gate.entered, 1));
    cr_expect_eq(submit(pool, &jobs[1], 1), 0);
    cr_expect(rtn_pool_submit_always(pool, &jobs[2].task));
    cr_expect(rtn_pool_submit_always(pool, &jobs[3].task));
    cr_expect_eq(stats_of(pool).queued, 3);
    gate_open(&gate);
    end_pool(pool);
    cr_expect_eq(atomic_load(&done), 4);
}

struct serial_job {
    struct rtn_task task;
    struct serial_state *state;
    unsigned number;
};

struct serial_state {
    struct rtn_serial serial;
    atomic_uint inside;
    unsigned next; /* guarded by the serial itself: a fault is also a data race */
    atomic_uint overlaps;
    atomic_uint disorders;
    atomic_uint *done;
};

static void run_serial(struct rtn_task *task)
{
    const struct serial_job *job = RTN_CONTAINER_OF(task, struct serial_job, task);
    struct serial_state *state = job->state;
    if (atomic_fetch_add(&state->inside, 1) != 0)
        atomic_fetch_add(&state->overlaps, 1);
    if (state->next++ != job->number)
        atomic_fetch_add(&state->disorders, 1);
    atomic_fetch_sub(&state->inside, 1);
    atomic_fetch_add(state->done, 1);
}

Test(pool, tasks_of_one_serial_keep_order_and_never_overlap)
{
    enum { SERIALS = 3, EACH = 3000 };
    static struct serial_job jobs[SERIALS * EACH];
    static struct serial_state states[SERIALS];
    atomic_uint done = 0;
    const struct rtn_pool_options options = options_of(6, 6, PLENTY);
    struct rtn_pool *pool = start_pool(&options);

    for (unsigned i = 0; i < SERIALS; i++) {
        rtn_serial_init(&states[i].serial);
        states[i].done = &done;
    }
    struct rtn_list list;
    rtn_list_init(&list);
    unsigned count = 0;
    for (unsigned i = 0; i < SERIALS * EACH; i++) {
        struct serial_state *state = &states[i % SERIALS];
        jobs[i] = (struct serial_job){ .task = { .run = run_serial, .serial = &state->serial },
                                       .state = state,
                                       .number = i / SERIALS };
        rtn_list_append(&list, &jobs[i].task.node);
        if (++count == 7 || i + 1 == SERIALS * EACH) {
            cr_assert_eq(rtn_pool_submit(pool, &list, count), 0);
            count = 0;
        }
    }
    cr_expect(reaches(&done, SERIALS * EACH));
    end_pool(pool);
    for (unsigned i = 0; i < SERIALS; i++) {
        cr_expect_eq(atomic_load(&states[i].overlaps), 0);
        cr_expect_eq(atomic_load(&states[i].disorders), 0);
        cr_expect_eq(states[i].next, EACH);
    }
}

Test(pool, waiting_for_a_serial_holds_no_worker_and_counts_as_queued)
{
    struct rtn_serial serial;
    struct job held[3];
    struct job other;
    struct gate gate = GATE_CLOSED;
    atomic_uint done = 0;
    atomic_uint others = 0;
    const struct rtn_pool_options options = options_of(2, 2, 3);
    struct rtn_pool *pool = start_pool(&options);

    rtn_serial_init(&serial);
    for (unsigned i = 0; i < 3; i++) {
        set_job(&held[i], i, &gate, &done);
        held[i].task.serial = &serial;
    }
    set_job(&other, 3, NULL, &others);
    cr_assert_eq(submit(pool, held, 3), 0);
    cr_assert(reaches(&gate.entered, 1));
    cr_assert_eq(submit(pool, &other, 1), 0);
    cr_expect(reaches(&others, 1));
    cr_expect_eq(stats_of(pool).queued, 2);
    cr_expect_eq(atomic_load(&gate.entered), 1);
    gate_open(&gate);
    end_pool(pool);
    cr_expect_eq(atomic_load(&done), 3);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(held[i].order, i);
}

/* It has waited its turn already: what was queued later does not overtake it. */
Test(pool, next_of_a_serial_goes_before_what_came_later)
{
    struct rtn_serial serial;
    struct gate first = GATE_CLOSED;
    struct gate other = GATE_CLOSED;
    struct job jobs[4];
    atomic_uint done = 0;
    atomic_uint others = 0;
    const struct rtn_pool_options options = options_of(2, 2, PLENTY);
    struct rtn_pool *pool = start_pool(&options);

    rtn_serial_init(&serial);
    set_job(&jobs[0], 0, &first, &done);
    set_job(&jobs[1], 1, NULL, &done);
    set_job(&jobs[2], 2, &other, &others);
    set_job(&jobs[3], 3, NULL, &done);
    jobs[0].task.serial = &serial;
    jobs[1].task.serial = &serial;
    cr_assert_eq(submit(pool, jobs, 1), 0);
    cr_assert(reaches(&first.entered, 1));
    cr_assert_eq(submit(pool, jobs + 1, 2), 0); /* the second worker puts one aside and runs the other */
    cr_assert(reaches(&other.entered, 1));
    cr_assert_eq(submit(pool, jobs + 3, 1), 0);
    gate_open(&first);
    cr_expect(reaches(&done, 3));
    gate_open(&other);
    end_pool(pool);
    cr_expect_eq(jobs[1].order, 1);
    cr_expect_eq(jobs[3].order, 2);
}

static void note_running(const char *thread, const char *what, void *data)
{
    unsigned *seen = data;
    cr_expect(strncmp(thread, "get/worker-", 11) == 0);
    cr_expect_str_eq(what, "job");
    ++*seen;
}

Test(pool, no_more_than_active_tasks_run_at_once)
{
    struct job jobs[12];
    struct gate gate = GATE_CLOSED;
    atomic_uint done = 0;
    const struct rtn_pool_options options = options_of(8, 3, PLENTY);
    struct rtn_pool *pool = start_pool(&options);

    for (unsigned i = 0; i < 12; i++)
        set_job(&jobs[i], i, &gate, &done);
    cr_assert_eq(submit(pool, jobs, 12), 0);
    cr_assert(reaches(&gate.entered, 3));
    pause_ms(50); /* a fourth would have come by now */
    cr_expect_eq(atomic_load(&gate.entered), 3);
    unsigned running = 0;
    rtn_pool_running(pool, note_running, &running);
    cr_expect_eq(running, 3);
    struct rtn_pool_stats stats = stats_of(pool);
    cr_expect_eq(stats.running, 3);
    cr_expect_eq(stats.blocked, 0);
    cr_expect_eq(stats.queued, 9);
    gate_open(&gate);
    end_pool(pool);
    cr_expect_eq(atomic_load(&done), 12);
}

static atomic_uint on_worker; /* counts the calls that were inside of a task */

static void note_worker(struct rtn_task *task)
{
    if (rtn_pool_on_worker())
        atomic_fetch_add(&on_worker, 1);
    run_job(task);
}

static int note_in_hook(void *data)
{
    (void) data;
    return rtn_pool_on_worker() ? -1 : 0;
}

Test(pool, tasks_know_that_they_are_on_a_worker_and_nothing_else_is)
{
    struct rtn_pool_options options = options_of(1, 1, PLENTY);
    struct job job;
    atomic_uint done = 0;

    options.thread_start = note_in_hook;
    struct rtn_pool *pool = start_pool(&options);
    set_job(&job, 0, NULL, &done);
    job.task.run = note_worker;
    job.task.what = NULL;
    cr_assert_eq(submit(pool, &job, 1), 0);
    cr_expect(reaches(&done, 1));
    cr_expect_eq(atomic_load(&on_worker), 1);
    cr_expect_not(rtn_pool_on_worker());
    end_pool(pool);
}

/* Whatever is done beside: clients get every second turn. */
Test(pool, tasks_that_are_beside_take_turns_with_the_others)
{
    enum { BESIDE = 20, OTHERS = 5 };
    struct job first;
    struct job beside[BESIDE];
    struct job others[OTHERS];
    struct gate gate = GATE_CLOSED;
    atomic_uint done = 0;
    const struct rtn_pool_options options = options_of(1, 1, PLENTY);
    struct rtn_pool *pool = start_pool(&options);

    set_job(&first, 0, &gate, &done);
    cr_assert_eq(submit(pool, &first, 1), 0);
    cr_assert(reaches(&gate.entered, 1));
    for (unsigned i = 0; i < BESIDE; i++) {
        set_job(&beside[i], i, NULL, &done);
        beside[i].task.lane = RTN_LANE_TASKS;
    }
    for (unsigned i = 0; i < OTHERS; i++)
        set_job(&others[i], i, NULL, &done);
    cr_assert_eq(submit(pool, beside, BESIDE), 0);
    cr_assert_eq(submit(pool, others, OTHERS), 0);
    cr_expect_eq(stats_of(pool).queued, BESIDE + OTHERS);
    gate_open(&gate);
    end_pool(pool);
    for (unsigned i = 0; i < OTHERS; i++)
        cr_expect_leq(others[i].order, 2 * (i + 1));
    for (unsigned i = 1; i < BESIDE; i++)
        cr_expect_gt(beside[i].order, beside[i - 1].order);
    cr_expect_eq(atomic_load(&done), 1 + BESIDE + OTHERS);
}

Test(pool, tasks_that_are_beside_leave_the_others_their_room)
{
    struct job jobs[3];
    struct job beside[4];
    struct gate gate = GATE_CLOSED;
    atomic_uint done = 0;
    const struct rtn_pool_options options = options_of(1, 1, 2);
    struct rtn_pool *pool = start_pool(&options);

    for (unsigned i = 0; i < 3; i++)
        set_job(&jobs[i], i, &gate, &done);
    for (unsigned i = 0; i < 4; i++) {
        set_job(&beside[i], i, NULL, &done);
        beside[i].task.lane = RTN_LANE_TASKS;
    }
    cr_assert_eq(submit(pool, jobs, 1), 0);
    cr_assert(reaches(&gate.entered, 1));
    cr_expect_eq(submit(pool, beside, 3), 1);
    cr_expect(rtn_pool_submit_always(pool, &beside[2].task));
    cr_expect_eq(submit(pool, beside + 3, 1), 1);
    cr_expect_eq(submit(pool, jobs + 1, 2), 0);
    cr_expect_eq(stats_of(pool).queued, 5);
    gate_open(&gate);
    end_pool(pool);
    cr_expect_eq(atomic_load(&done), 6);
}
