/*
 * The timing wheel: slot number = tick modulo RTN_WHEEL_SLOTS, a bitmap of slots that may be in use to
 * find the next one, one libev timer set for it. A slot's bit is cleared when the slot is visited, so
 * removals cost nothing more than the list.
 */
#include "loop/wheel.h"

#define WORD_BITS 64

static void mark_used(struct rtn_wheel *wheel, unsigned slot)
{
    wheel->used[slot / WORD_BITS] |= UINT64_C(1) << (slot % WORD_BITS);
}

/* The first tick after `current` whose slot may be in use; 0 when none is. */
static int64_t next_used(const struct rtn_wheel *wheel)
{
    for (int64_t tick = wheel->current + 1; tick <= wheel->current + RTN_WHEEL_SLOTS;) {
        unsigned slot = (unsigned) (tick % RTN_WHEEL_SLOTS);
        uint64_t word = wheel->used[slot / WORD_BITS] >> (slot % WORD_BITS);
        if (word != 0)
            return tick + __builtin_ctzll(word);
        tick += WORD_BITS - slot % WORD_BITS;
    }
    return 0;
}

static void arm(struct rtn_wheel *wheel, int64_t tick, int64_t now_ms)
{
    if (wheel->armed != 0 && wheel->armed <= tick)
        return;
    wheel->armed = tick;
    ev_timer_stop(wheel->ev, &wheel->timer);
    int64_t wait_ms = tick * RTN_WHEEL_TICK_MS - now_ms;
    /* libev counts from the time it last looked at; that may lie behind now_ms. */
    ev_now_update(wheel->ev);
    ev_timer_set(&wheel->timer, wait_ms > 0 ? (double) wait_ms / 1e3 : 0., 0.);
    ev_timer_start(wheel->ev, &wheel->timer);
}

static void visit(struct rtn_wheel *wheel, int64_t tick, int64_t now_ms)
{
    unsigned slot = (unsigned) (tick % RTN_WHEEL_SLOTS);
    wheel->used[slot / WORD_BITS] &= ~(UINT64_C(1) << (slot % WORD_BITS));

    struct rtn_list due;
    rtn_list_init(&due);
    rtn_list_splice(&due, &wheel->slots[slot]);
    struct rtn_list *node;
    while ((node = rtn_list_pop(&due)) != NULL) {
        struct rtn_timeout *timeout = RTN_CONTAINER_OF(node, struct rtn_timeout, node);
        timeout->filed = 0;
        int64_t deadline_ms = wheel->due(timeout, now_ms);
        if (deadline_ms != 0)
            rtn_wheel_file(wheel, timeout, deadline_ms);
    }
}

static void on_timer(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct rtn_wheel *wheel = RTN_CONTAINER_OF(timer, struct rtn_wheel, timer);
    int64_t now_ms = wheel->clock();
    int64_t now_tick = now_ms / RTN_WHEEL_TICK_MS;
    wheel->armed = 0;
    int64_t tick;
    while ((tick = next_used(wheel)) != 0 && tick <= now_tick) {
        wheel->current = tick;
        visit(wheel, tick, now_ms);
    }
    if (wheel->current < now_tick)
        wheel->current = now_tick;
    if (tick != 0)
        arm(wheel, tick, now_ms);
}

void rtn_wheel_init(struct rtn_wheel *wheel, struct ev_loop *ev, int64_t (*clock)(void),
                    int64_t (*due)(struct rtn_timeout *timeout, int64_t now_ms))
{
    *wheel = (struct rtn_wheel){ .ev = ev, .clock = clock, .due = due, .current = clock() / RTN_WHEEL_TICK_MS };
    for (unsigned i = 0; i < RTN_WHEEL_SLOTS; i++)
        rtn_list_init(&wheel->slots[i]);
    ev_timer_init(&wheel->timer, on_timer, 0., 0.);
}

void rtn_wheel_done(struct rtn_wheel *wheel)
{
    ev_timer_stop(wheel->ev, &wheel->timer);
}

void rtn_timeout_init(struct rtn_timeout *timeout)
{
    rtn_list_init(&timeout->node);
    timeout->filed = 0;
}

void rtn_wheel_file(struct rtn_wheel *wheel, struct rtn_timeout *timeout, int64_t deadline_ms)
{
    int64_t tick = (deadline_ms + RTN_WHEEL_TICK_MS - 1) / RTN_WHEEL_TICK_MS;
    if (timeout->filed != 0 && timeout->filed <= tick)
        return;

    int64_t now_ms = wheel->clock();
    /* An idle wheel does not follow the clock; bring it up before filing relative to it. */
    if (wheel->armed == 0 && wheel->current < now_ms / RTN_WHEEL_TICK_MS && next_used(wheel) == 0)
        wheel->current = now_ms / RTN_WHEEL_TICK_MS;
    if (tick <= wheel->current)
        tick = wheel->current + 1;
    if (tick >= wheel->current + RTN_WHEEL_SLOTS)
        tick = wheel->current + RTN_WHEEL_SLOTS - 1;

    rtn_list_remove(&timeout->node);
    timeout->filed = tick;
    unsigned slot = (unsigned) (tick % RTN_WHEEL_SLOTS);
    rtn_list_append(&wheel->slots[slot], &timeout->node);
    mark_used(wheel, slot);
    arm(wheel, tick, now_ms);
}

void rtn_wheel_remove(struct rtn_wheel *wheel, struct rtn_timeout *timeout)
{
    (void) wheel;
    rtn_list_remove(&timeout->node);
    timeout->filed = 0;
}
