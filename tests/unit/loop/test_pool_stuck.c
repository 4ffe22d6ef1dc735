/* Workers that are over their time: others take their part, up to a bound, until they come back. */
#include "pool_support.h"

#include "loop/activity.h"

#define MOST 8

static struct rtn_watched watched;

struct held {
    struct rtn_task task;
    struct gate *gate;
    atomic_uint *done;
    int64_t limit_ms;
    bool blocks;
    bool firm;
};

static void run_held(struct rtn_task *task)
{
    static const struct rtn_activity_label label = { "route \"/x\"", "m", "route \"/x\": module m" };
    const struct held *held = RTN_CONTAINER_OF(task, struct held, task);
    const struct rtn_activity_call call = {
        .label = &label, .what = "handler", .name = "h", .limit_ms = held->limit_ms, .firm = held->firm
    };
    const struct rtn_activity_call before = rtn_activity_enter(&call);
    if (held->blocks)
        rtn_pool_block_begin();
    gate_pass(held->gate);
    if (held->blocks)
        rtn_pool_block_end();
    rtn_activity_leave(&before);
    atomic_fetch_add(held->done, 1);
}

struct fixture {
    struct gate gate;
    atomic_uint done;
    struct held held[MOST];
    struct rtn_pool *pool;
};

static void start(struct fixture *fixture, unsigned threads, unsigned active, unsigned stuck)
{
    struct rtn_pool_options options = options_of(threads, active, PLENTY);
    options.stuck = stuck;
    options.watched = &watched;
    *fixture = (struct fixture){ .gate = GATE_CLOSED };
    fixture->pool = start_pool(&options);
}

/* `like` says how they are. */
static void hold(struct fixture *fixture, unsigned count, const struct held *like)
{
    struct rtn_list list;
    rtn_list_init(&list);
    for (unsigned i = 0; i < count; i++) {
        fixture->held[i] = *like;
        fixture->held[i].task = (struct rtn_task){ .run = run_held, .what = "held" };
        fixture->held[i].gate = &fixture->gate;
        fixture->held[i].done = &fixture->done;
        rtn_list_append(&list, &fixture->held[i].task.node);
    }
    cr_assert_eq(rtn_pool_submit(fixture->pool, &list, count), 0);
}

static bool is_replaced(struct fixture *fixture, unsigned wanted)
{
    for (int64_t until = rtn_clock_ms() + BOUND_MS; rtn_clock_ms() < until; pause_ms(1)) {
        if (rtn_pool_look(fixture->pool).replaced == wanted)
            return true;
    }
    return false;
}

static bool stands(struct fixture *fixture, unsigned over)
{
    for (int64_t until = rtn_clock_ms() + BOUND_MS; rtn_clock_ms() < until; pause_ms(1)) {
        const struct rtn_pool_stuck stuck = rtn_pool_look(fixture->pool);
        if (stuck.over == over && stuck.stands)
            return true;
    }
    return false;
}

static void end(struct fixture *fixture, unsigned held)
{
    gate_open(&fixture->gate);
    cr_assert(reaches(&fixture->done, held));
    end_pool(fixture->pool);
}

Test(pool_stuck, others_work_in_their_place)
{
    struct fixture fixture;
    atomic_uint count = 0;
    struct job jobs[3];
    start(&fixture, 2, 2, 2);
    hold(&fixture, 2, &(struct held){ .limit_ms = 1 });
    cr_assert(reaches(&fixture.gate.entered, 2));
    for (unsigned i = 0; i < 3; i++)
        set_job(&jobs[i], i, NULL, &count);
    cr_assert_eq(submit(fixture.pool, jobs, 3), 0);
    cr_assert(is_replaced(&fixture, 2));
    cr_expect_not(rtn_pool_look(fixture.pool).stands);
    cr_assert(reaches(&count, 3));
    end(&fixture, 2);
}

Test(pool_stuck, who_is_too_many_retires)
{
    struct fixture fixture;
    atomic_uint count = 0;
    struct gate second = GATE_CLOSED;
    struct job jobs[2];
    start(&fixture, 2, 2, 2);
    hold(&fixture, 2, &(struct held){ .limit_ms = 1 });
    cr_assert(is_replaced(&fixture, 2));
    for (unsigned i = 0; i < 2; i++)
        set_job(&jobs[i], i, &second, &count);
    cr_assert_eq(submit(fixture.pool, jobs, 2), 0);
    cr_assert(reaches(&second.entered, 2));
    cr_expect_eq(stats_of(fixture.pool).threads, 4);
    gate_open(&fixture.gate);
    cr_assert(reaches(&fixture.done, 2));
    gate_open(&second);
    cr_assert(reaches(&count, 2));
    cr_assert(comes_to_threads(fixture.pool, 2));
    cr_expect_eq(stats_of(fixture.pool).stuck, 0);
    end(&fixture, 2);
}

Test(pool_stuck, no_more_than_the_bound)
{
    struct fixture fixture;
    atomic_uint count = 0;
    struct job job;
    start(&fixture, 2, 2, 1);
    hold(&fixture, 3, &(struct held){ .limit_ms = 1 });
    cr_assert(is_replaced(&fixture, 1));
    cr_assert(reaches(&fixture.gate.entered, 3));
    set_job(&job, 0, NULL, &count);
    cr_assert_eq(submit(fixture.pool, &job, 1), 0);
    cr_assert(stands(&fixture, 3));
    cr_expect_eq(stats_of(fixture.pool).threads, 3);
    cr_expect_eq(atomic_load(&count), 0);
    end(&fixture, 3);
    cr_expect_eq(atomic_load(&count), 1);
}

Test(pool_stuck, none_with_a_bound_of_0)
{
    struct fixture fixture;
    atomic_uint count = 0;
    struct job job;
    start(&fixture, 1, 1, 0);
    hold(&fixture, 1, &(struct held){ .limit_ms = 1 });
    set_job(&job, 0, NULL, &count);
    cr_assert_eq(submit(fixture.pool, &job, 1), 0);
    cr_assert(stands(&fixture, 1));
    cr_expect_eq(stats_of(fixture.pool).threads, 1);
    end(&fixture, 1);
}

Test(pool_stuck, a_place_among_the_active_is_given_on)
{
    struct fixture fixture;
    atomic_uint count = 0;
    struct job job;
    start(&fixture, 4, 1, 1);
    hold(&fixture, 1, &(struct held){ .limit_ms = 1 });
    set_job(&job, 0, NULL, &count);
    cr_assert_eq(submit(fixture.pool, &job, 1), 0);
    cr_assert(is_replaced(&fixture, 1));
    cr_assert(reaches(&count, 1));
    end(&fixture, 1);
}

Test(pool_stuck, who_says_that_it_blocks_is_not_stuck)
{
    struct fixture fixture;
    start(&fixture, 2, 1, 2);
    hold(&fixture, 2, &(struct held){ .limit_ms = 1, .blocks = true });
    cr_assert(reaches(&fixture.gate.entered, 2));
    pause_ms(10);
    cr_expect_eq(rtn_pool_look(fixture.pool).over, 0);
    end(&fixture, 2);
}

Test(pool_stuck, unless_its_time_is_firm)
{
    struct fixture fixture;
    atomic_uint count = 0;
    struct job job;
    start(&fixture, 1, 1, 1);
    hold(&fixture, 1, &(struct held){ .limit_ms = 1, .blocks = true, .firm = true });
    set_job(&job, 0, NULL, &count);
    cr_assert_eq(submit(fixture.pool, &job, 1), 0);
    cr_assert(is_replaced(&fixture, 1));
    cr_assert(reaches(&count, 1));
    end(&fixture, 1);
    cr_expect_eq(atomic_load(&fixture.done), 1);
}

/* Its stretch of blocking is over, but not its wait for a place: it is found over its time in there. */
Test(pool_stuck, who_waits_for_a_place_counts_once)
{
    struct fixture fixture;
    atomic_uint count = 0;
    struct gate second = GATE_CLOSED;
    struct job jobs[2];
    start(&fixture, 3, 1, 1);
    hold(&fixture, 1, &(struct held){ .limit_ms = 1, .blocks = true, .firm = true });
    cr_assert(reaches(&fixture.gate.entered, 1));
    set_job(&jobs[0], 0, &second, &count);
    cr_assert_eq(submit(fixture.pool, &jobs[0], 1), 0);
    cr_assert(reaches(&second.entered, 1));
    gate_open(&fixture.gate);
    pause_ms(20);
    cr_assert(is_replaced(&fixture, 1));
    gate_open(&second);
    cr_assert(reaches(&fixture.done, 1));
    cr_assert(reaches(&count, 1));
    struct gate third = GATE_CLOSED;
    for (unsigned i = 0; i < 2; i++)
        set_job(&jobs[i], i, &third, &count);
    cr_assert_eq(submit(fixture.pool, jobs, 2), 0);
    cr_assert(reaches(&third.entered, 1));
    pause_ms(20);
    cr_expect_eq(atomic_load(&third.entered), 1, "no more than one is active");
    cr_expect_eq(stats_of(fixture.pool).stuck, 0);
    gate_open(&third);
    end(&fixture, 1);
    cr_expect_eq(atomic_load(&count), 3);
}

Test(pool_stuck, as_long_as_it_likes)
{
    struct fixture fixture;
    start(&fixture, 1, 1, 1);
    hold(&fixture, 1, &(struct held){ .limit_ms = 0 });
    cr_assert(reaches(&fixture.gate.entered, 1));
    pause_ms(10);
    cr_expect_eq(rtn_pool_look(fixture.pool).over, 0);
    end(&fixture, 1);
}

Test(pool_stuck, the_usual_time_is_that_of_the_server)
{
    struct fixture fixture;
    atomic_store(&watched.handler_ms, 1);
    start(&fixture, 1, 1, 1);
    hold(&fixture, 1, &(struct held){ .limit_ms = RTN_ACTIVITY_USUAL });
    cr_assert(is_replaced(&fixture, 1));
    end(&fixture, 1);
}
