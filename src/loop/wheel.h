/*
 * Timeouts of many connections with one libev timer: a timing wheel. [loop]
 *
 * Setting a timeout later than it is filed costs one comparison: the owner keeps the true deadline
 * itself, the wheel asks for it when the filed time comes and files again. So a request that moves a
 * deadline forward touches no list, whatever the timeouts of different routes are. A timeout comes at
 * most RTN_WHEEL_TICK_MS late, never early.
 */
#ifndef RTN_LOOP_WHEEL_H
#define RTN_LOOP_WHEEL_H

#include <stdint.h>

#include <ev.h>

#include "base/list.h"

#define RTN_WHEEL_TICK_MS 64
#define RTN_WHEEL_SLOTS 1024 /* times the tick: 65 s; later deadlines are filed at that horizon and again */

struct rtn_timeout {
    struct rtn_list node;
    int64_t filed; /* tick it is filed at; 0: not filed */
};

struct rtn_wheel {
    struct ev_loop *ev;
    struct ev_timer timer;
    int64_t (*clock)(void);
    int64_t current; /* ticks up to and including this one are done */
    int64_t armed; /* tick the timer is set for; 0: none */
    /*
     * The filed time has come (the timeout is in no list now). Returns the deadline to file it at, or 0
     * when it was dealt with; the timeout may be gone then.
     */
    int64_t (*due)(struct rtn_timeout *timeout, int64_t now_ms);
    uint64_t used[RTN_WHEEL_SLOTS / 64];
    struct rtn_list slots[RTN_WHEEL_SLOTS];
};

/* `clock` gives monotonic milliseconds: rtn_clock_ms, but for tests. */
void rtn_wheel_init(struct rtn_wheel *wheel, struct ev_loop *ev, int64_t (*clock)(void),
                    int64_t (*due)(struct rtn_timeout *timeout, int64_t now_ms));

/* All timeouts must be out. */
void rtn_wheel_done(struct rtn_wheel *wheel);

void rtn_timeout_init(struct rtn_timeout *timeout);

/* The wheel will ask at `deadline_ms` (monotonic) or earlier. Moves the timeout only when it is filed later. */
void rtn_wheel_file(struct rtn_wheel *wheel, struct rtn_timeout *timeout, int64_t deadline_ms);

/* Safe on a timeout that is not filed. */
void rtn_wheel_remove(struct rtn_wheel *wheel, struct rtn_timeout *timeout);

#endif
