/*
 * The timing wheel, mostly on a clock of the test's own.
 */
#include "loop/wheel.h"

#include <stdlib.h>

#include "base/macros.h"

#include "support.h"

#define TICK RTN_WHEEL_TICK_MS

static int64_t fake_ms; /* 0: the real clock */

static int64_t test_clock_ms(void)
{
    return fake_ms != 0 ? fake_ms : rtn_clock_ms();
}

struct entry {
    struct rtn_timeout timeout;
    int64_t deadline;
    int64_t fired; /* 0: not yet */
    unsigned asked;
    void (*on_due)(struct entry *entry);
};

static struct rtn_wheel wheel;
static struct ev_loop *ev;
static unsigned fired;
static unsigned wanted; /* ends ev_run */

static int64_t on_due(struct rtn_timeout *timeout, int64_t now_ms)
{
    struct entry *entry = RTN_CONTAINER_OF(timeout, struct entry, timeout);
    entry->asked++;
    if (entry->deadline > now_ms)
        return entry->deadline;
    entry->fired = now_ms;
    if (++fired == wanted)
        ev_break(ev, EVBREAK_ALL);
    if (entry->on_due != NULL)
        entry->on_due(entry);
    return 0;
}

static void begin(void)
{
    ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    rtn_wheel_init(&wheel, ev, test_clock_ms, on_due);
    fired = 0;
    wanted = 0;
}

static void begin_fake(void)
{
    fake_ms = INT64_C(1000000007);
    begin();
}

static void end(void)
{
    rtn_wheel_done(&wheel);
    ev_loop_destroy(ev);
}

TestSuite(wheel, .init = begin_fake, .fini = end);
TestSuite(wheel_real, .init = begin, .fini = end);

/* What libev does when the time it was set for has come. */
static void move_to(int64_t ms)
{
    fake_ms = ms;
    if (wheel.armed != 0 && wheel.armed * TICK <= ms)
        ev_invoke(ev, &wheel.timer, EV_TIMER);
}

static void set(struct entry *entry, int64_t deadline)
{
    entry->deadline = deadline;
    rtn_wheel_file(&wheel, &entry->timeout, deadline);
}

static void make(struct entry *entry, int64_t deadline)
{
    *entry = (struct entry){ 0 };
    rtn_timeout_init(&entry->timeout);
    set(entry, deadline);
}

Test(wheel, files_at_the_first_tick_that_is_not_early)
{
    /* Every place between two ticks, near and far. */
    for (int64_t wait = 1; wait < 65000; wait += wait < 200 ? 1 : 97) {
        struct entry entry;
        make(&entry, fake_ms + wait);
        int64_t due = entry.timeout.filed * TICK;
        cr_expect_geq(due, entry.deadline, "%lld ms", (long long) wait);
        cr_expect_lt(due, entry.deadline + TICK, "%lld ms", (long long) wait);
        rtn_wheel_remove(&wheel, &entry.timeout);
    }
}

Test(wheel, what_is_already_late_comes_with_the_next_tick)
{
    struct entry entry;
    int64_t before = fake_ms;
    make(&entry, fake_ms - 5000);
    cr_expect_eq(entry.timeout.filed, wheel.current + 1);
    move_to(before + TICK);
    cr_expect_eq(entry.fired, before + TICK);
}

Test(wheel, thousands_come_in_time)
{
    enum { COUNT = 5000, STEP = 13, SPAN = 150000 };
    static struct entry entries[COUNT];
    unsigned seed = 1;
    int64_t start = fake_ms;

    for (unsigned i = 0; i < COUNT; i++)
        make(&entries[i], start + 1 + rand_r(&seed) % SPAN);
    for (int64_t now = start; now < start + SPAN + 2 * TICK; now += STEP)
        move_to(now);
    cr_expect_eq(fired, COUNT, "%u of %u", fired, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        cr_assert_geq(entries[i].fired, entries[i].deadline, "early");
        cr_assert_leq(entries[i].fired, entries[i].deadline + TICK + STEP, "late");
        cr_assert_leq(entries[i].asked, 4);
    }
    cr_expect_eq(wheel.armed, 0, "an empty wheel sets no timer");
}

Test(wheel, filing_later_moves_nothing)
{
    struct entry entry;
    int64_t start = fake_ms;
    make(&entry, start + 1000);
    int64_t filed = entry.timeout.filed;
    set(&entry, start + 9000);
    cr_expect_eq(entry.timeout.filed, filed);
    move_to(start + 1000 + TICK);
    cr_expect_eq(entry.asked, 1);
    cr_expect_eq(entry.fired, 0);
    cr_expect_geq(entry.timeout.filed * TICK, start + 9000);
    move_to(start + 9000 - TICK);
    cr_expect_eq(entry.fired, 0);
    move_to(start + 9000 + TICK);
    cr_expect_eq(entry.fired, start + 9000 + TICK);
    cr_expect_eq(entry.asked, 2);
}

Test(wheel, filing_earlier_moves)
{
    struct entry entry;
    int64_t start = fake_ms;
    make(&entry, start + 9000);
    set(&entry, start + 500);
    cr_expect_lt(entry.timeout.filed * TICK, start + 500 + TICK);
    move_to(start + 500 + TICK);
    cr_expect_neq(entry.fired, 0);
    move_to(start + 9000 + TICK);
    cr_expect_eq(entry.asked, 1, "it was still filed where it had been before");
}

Test(wheel, beyond_the_horizon_is_filed_at_it_and_again)
{
    struct entry entry;
    int64_t start = fake_ms;
    make(&entry, start + 200000);
    cr_expect_eq(entry.timeout.filed, wheel.current + RTN_WHEEL_SLOTS - 1);
    for (int64_t now = start; now < start + 200000; now += TICK)
        move_to(now);
    cr_expect_eq(entry.fired, 0);
    cr_expect_eq(entry.asked, 3);
    move_to(start + 200000 + TICK);
    cr_expect_neq(entry.fired, 0);
}

Test(wheel, idle_wheel_does_not_lag)
{
    struct entry entry;
    move_to(fake_ms + 3600 * 1000);
    make(&entry, fake_ms + 60000);
    cr_expect_geq(entry.timeout.filed * TICK, fake_ms + 60000, "filed relative to a time long ago");
    cr_expect_lt(entry.timeout.filed * TICK, fake_ms + 60000 + TICK);
}

Test(wheel, removed_ones_never_come)
{
    struct entry entries[10];
    int64_t start = fake_ms;
    for (int i = 0; i < 10; i++)
        make(&entries[i], start + 300 + i * 40);
    for (int i = 0; i < 10; i += 2)
        rtn_wheel_remove(&wheel, &entries[i].timeout);
    rtn_wheel_remove(&wheel, &entries[0].timeout); /* safe */
    move_to(start + 2000);
    for (int i = 0; i < 10; i++)
        cr_expect_eq(entries[i].fired != 0, i % 2 == 1, "entry %d", i);
}

Test(wheel, stalled_loop_asks_each_once_when_it_goes_on)
{
    enum { COUNT = 300 };
    static struct entry entries[COUNT];
    int64_t start = fake_ms;
    for (int i = 0; i < COUNT; i++)
        make(&entries[i], start + i * 200); /* up to 60 s */
    move_to(start + 300000);
    cr_expect_eq(fired, COUNT);
    for (int i = 0; i < COUNT; i++)
        cr_assert_eq(entries[i].asked, 1);
}

static struct entry *neighbours[4];

static void remove_and_free_neighbours(struct entry *entry)
{
    for (int i = 0; i < 4; i++) {
        if (neighbours[i] == NULL)
            continue;
        rtn_wheel_remove(&wheel, &neighbours[i]->timeout);
        free(neighbours[i]);
        neighbours[i] = NULL;
    }
    (void) entry;
}

/* The first that comes closes the others, in the same slot and later, and is itself gone when the callback returns. */
Test(wheel, callbacks_may_remove_any_other)
{
    int64_t start = fake_ms;
    for (int i = 0; i < 4; i++) {
        neighbours[i] = malloc(sizeof(*neighbours[i]));
        make(neighbours[i], i < 3 ? start + 500 : start + 700);
        neighbours[i]->on_due = remove_and_free_neighbours;
    }
    move_to(start + 1000);
    cr_expect_eq(fired, 1);
    for (int i = 0; i < 4; i++)
        cr_expect_null(neighbours[i]);
}

static void file_again(struct entry *entry)
{
    if (fired < 5)
        set(entry, fake_ms + 100);
}

Test(wheel, callbacks_may_file_again)
{
    struct entry entry;
    int64_t start = fake_ms;
    make(&entry, start + 100);
    entry.on_due = file_again;
    for (int64_t now = start; now < start + 5 * (100 + TICK) + TICK; now += 10)
        move_to(now);
    cr_expect_eq(fired, 5);
    cr_expect_eq(entry.timeout.filed, 0);
}

/* Through libev and the real clock, with bounds that only a fault passes. */
Test(wheel_real, comes_by_itself)
{
    enum { COUNT = 200 };
    static struct entry entries[COUNT];
    int64_t start = rtn_clock_ms();
    wanted = COUNT;
    for (int i = 0; i < COUNT; i++)
        make(&entries[i], start + 10 + i * 2);
    ev_run(ev, 0);
    cr_expect_eq(fired, COUNT);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_geq(entries[i].fired, entries[i].deadline, "early");
        cr_assert_leq(entries[i].fired, entries[i].deadline + TICK + 60000, "late");
    }
}
