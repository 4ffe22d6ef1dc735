/* Timers: never early, turns that are not doubled, and the one end of each, whoever brings it about. */
#include "site_support.h"

#include "app/timer.h"

struct state {
    atomic_uint fired;
    atomic_uint ended;
    atomic_uint inside; /* of fire() now */
    atomic_uint overlaps; /* of calls, also with end() */
    unsigned fired_at_end;
    int64_t due_us;
    int64_t early_us; /* by how much the first call came early; 0: not */
    uint64_t number;
    bool cancels; /* in fire() */
    int cancelled; /* what that returned */
    int cancelled_again;
    bool on_worker;
    int64_t takes_ms;
};

static void fire(void *data)
{
    struct state *state = data;
    if (atomic_fetch_add(&state->inside, 1) > 0)
        atomic_fetch_add(&state->overlaps, 1);
    int64_t now_us = rtn_clock_us();
    if (atomic_load(&state->fired) == 0 && now_us < state->due_us)
        state->early_us = state->due_us - now_us;
    state->on_worker = rtn_pool_on_worker();
    if (state->cancels) {
        state->cancelled = rtn_cancel(state->number);
        state->cancelled_again = rtn_cancel(state->number);
    }
    busy_for(state->takes_ms);
    if (atomic_load(&state->ended) > 0)
        atomic_fetch_add(&state->overlaps, 1);
    atomic_fetch_sub(&state->inside, 1);
    atomic_fetch_add(&state->fired, 1);
}

static void on_end(void *data)
{
    struct state *state = data;
    state->fired_at_end = atomic_load(&state->fired);
    atomic_fetch_add(&state->ended, 1);
}

static int begin(struct state *state, int64_t after, int64_t every)
{
    const struct rtn_timer_spec spec = { .after = after, .every = every, .fire = fire, .end = on_end, .data = state };
    state->due_us = rtn_clock_us() + RTN_MIN(after, INT64_C(1) << 40) * 1000;
    return rtn_timer_begin(&site, &instance, &spec, &state->number);
}

static enum rtn_threads models[] = { RTN_THREADS_LOOP, RTN_THREADS_SERIAL, RTN_THREADS_PARALLEL };

Test(timer, fires_once_and_ends)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state state = { 0 };
        start_site(models[i]);
        cr_assert_eq(begin(&state, 5, 0), 0);
        cr_expect_eq(rtn_http1_loop_of(state.number), LOOP_NUMBER);
        cr_expect(runs_until(&state.ended, 1));
        cr_expect_eq(state.fired_at_end, 1);
        cr_expect_eq(state.early_us, 0);
        cr_expect_eq(state.on_worker, models[i] != RTN_THREADS_LOOP);
        cr_expect_eq(rtn_cancel(state.number), -ENOENT);
        cr_expect_eq(site.pendings.count, 0);
        end_site();
        cr_expect_eq(atomic_load(&state.ended), 1);
    }
}

/* The loop's own idea of the time is old then. */
Test(timer, does_not_come_early_when_it_is_begun_late_in_an_iteration)
{
    struct state state = { 0 };
    start_site(RTN_THREADS_LOOP);
    ev_run(test_loop.ev, EVRUN_NOWAIT);
    busy_for(50);
    cr_assert_eq(begin(&state, 30, 0), 0);
    cr_expect(runs_until(&state.ended, 1));
    cr_expect_eq(state.early_us, 0, "%ld us", (long) state.early_us);
    end_site();
}

static void *begin_on_thread(void *data)
{
    cr_expect_eq(begin(data, 20, 0), 0);
    return NULL;
}

Test(timer, counts_from_the_call_on_another_thread)
{
    struct state state = { 0 };
    start_site(RTN_THREADS_LOOP);
    ev_run(test_loop.ev, EVRUN_NOWAIT);
    on_a_thread(begin_on_thread, &state);
    busy_for(40); /* the time is over when the loop hears of it */
    ev_run(test_loop.ev, EVRUN_NOWAIT);
    ev_run(test_loop.ev, EVRUN_NOWAIT);
    cr_expect_eq(atomic_load(&state.fired), 1);
    cr_expect_eq(state.early_us, 0);
    end_site();
}

Test(timer, goes_on_until_it_is_cancelled_from_its_own_call)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state state = { 0 };
        start_site(models[i]);
        cr_assert_eq(begin(&state, 0, 2), 0);
        cr_assert(runs_until(&state.fired, 5));
        cr_expect_eq(atomic_load(&state.ended), 0);
        cr_expect_eq(rtn_cancel(state.number), 0);
        cr_expect_eq(rtn_cancel(state.number), -ENOENT);
        cr_expect(runs_until(&state.ended, 1));
        end_site();
        cr_expect_eq(atomic_load(&state.ended), 1);
        cr_expect_eq(state.fired_at_end, atomic_load(&state.fired));
    }
}

Test(timer, is_cancelled_in_its_own_call_and_ends_after_it)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state state = { .cancels = true };
        start_site(models[i]);
        cr_assert_eq(begin(&state, 1, 1), 0);
        cr_expect(runs_until(&state.ended, 1));
        cr_expect_eq(state.cancelled, 0);
        if (models[i] == RTN_THREADS_LOOP) /* a worker cannot know */
            cr_expect_eq(state.cancelled_again, -ENOENT);
        cr_expect_geq(state.fired_at_end, 1);
        cr_expect_eq(atomic_load(&state.overlaps), 0);
        end_site();
        cr_expect_eq(atomic_load(&state.ended), 1);
        cr_expect_eq(state.fired_at_end, atomic_load(&state.fired));
    }
}

Test(timer, a_call_on_a_worker_is_not_doubled)
{
    struct state state = { .takes_ms = 20 };
    start_site(RTN_THREADS_PARALLEL);
    cr_assert_eq(begin(&state, 0, 1), 0);
    cr_assert(runs_until(&state.fired, 5));
    end_site();
    cr_expect_eq(atomic_load(&state.overlaps), 0);
    cr_expect_eq(atomic_load(&state.ended), 1);
}

Test(timer, cannot_be_ended_by_the_number_of_another)
{
    struct state state = { 0 };
    start_site(RTN_THREADS_LOOP);
    cr_assert_eq(begin(&state, 60000, 0), 0);
    cr_expect_eq(rtn_cancel(0), -ENOENT);
    cr_expect_eq(rtn_cancel(state.number + 1), -ENOENT);
    cr_expect_eq(rtn_cancel(state.number + (UINT64_C(1) << 54)), -ENOENT); /* no such loop */
    cr_expect_eq(atomic_load(&state.ended), 0);
    end_site();
    cr_expect_eq(atomic_load(&state.ended), 1);
    cr_expect_eq(atomic_load(&state.fired), 0);
}

static void *begin_for_ever_on_thread(void *data)
{
    cr_expect_eq(begin(data, INT64_MAX, INT64_MAX), 0);
    return NULL;
}

Test(timer, is_cancelled_before_the_loop_has_heard_of_it)
{
    struct state state = { 0 };
    start_site(RTN_THREADS_LOOP);
    on_a_thread(begin_for_ever_on_thread, &state);
    cr_expect_eq(rtn_cancel(state.number), 0);
    cr_expect(runs_until(&state.ended, 1));
    cr_expect_eq(rtn_cancel(state.number), -ENOENT);
    end_site();
    cr_expect_eq(atomic_load(&state.fired), 0);
    cr_expect_eq(atomic_load(&state.ended), 1);
}

static void *cancel_on_thread(void *data)
{
    cr_expect_eq(rtn_cancel(((const struct state *) data)->number), 0);
    return NULL;
}

Test(timer, is_cancelled_by_another_thread)
{
    struct state state = { 0 };
    start_site(RTN_THREADS_LOOP);
    cr_assert_eq(begin(&state, 60000, 0), 0);
    on_a_thread(cancel_on_thread, &state);
    cr_expect_eq(atomic_load(&state.ended), 0);
    cr_expect(runs_until(&state.ended, 1));
    end_site();
    cr_expect_eq(atomic_load(&state.ended), 1);
}

static void *begin_too_late_on_thread(void *data)
{
    struct state *state = data;
    state->number = 77;
    cr_expect_eq(begin(state, 1, 0), -ECANCELED);
    cr_expect_eq(state->number, 77);
    return NULL;
}

Test(timer, begins_no_more_after_the_end)
{
    struct state under_way = { 0 };
    struct state late = { 0 };
    struct state later = { .number = 78 };
    start_site(RTN_THREADS_LOOP);
    on_a_thread(begin_on_thread, &under_way);
    rtn_pendings_end(&site.pendings);
    on_a_thread(begin_too_late_on_thread, &late);
    cr_expect_eq(begin(&later, 1, 0), -ECANCELED);
    cr_expect_eq(later.number, 78);
    end_site();
    cr_expect_eq(atomic_load(&under_way.ended), 1);
    cr_expect_eq(atomic_load(&under_way.fired), 0);
    cr_expect_eq(atomic_load(&late.ended) + atomic_load(&later.ended), 0);
}

/* What is not there need not be called. */
Test(timer, without_an_end_or_a_number)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(models); i++) {
        struct state state = { 0 };
        const struct rtn_timer_spec spec = { .every = 1, .fire = fire, .data = &state };
        start_site(models[i]);
        cr_assert_eq(rtn_timer_begin(&site, &instance, &spec, NULL), 0);
        cr_expect(runs_until(&state.fired, 3));
        end_site();
    }
}
