/*
 * The tasks of a pool that wait for workers, in lanes that take turns. However many wait in one of them, the others go
 * on. [any], with the pool's mutex held
 */
#ifndef RTN_LOOP_LANES_H
#define RTN_LOOP_LANES_H

#include "loop/pool.h"

struct rtn_lane {
    struct rtn_list tasks;
    unsigned queued; /* those, and those of the lane that wait for their serial */
};

struct rtn_lanes {
    struct rtn_lane lanes[RTN_LANES];
    unsigned turn; /* the lane that is looked at first */
    unsigned ready; /* tasks in the lanes, without those that wait for their serial */
};

void rtn_lanes_init(struct rtn_lanes *lanes);

/* The lane of such tasks. */
struct rtn_lane *rtn_lanes_of(struct rtn_lanes *lanes, const struct rtn_task *task);

void rtn_lanes_add(struct rtn_lanes *lanes, struct rtn_task *task);

/* The next one that may run, whose serial is busy then. NULL: there is none, and what was left waits for serials. */
struct rtn_task *rtn_lanes_take(struct rtn_lanes *lanes);

/* The serial is free again: its next task goes to the front, it has waited its turn. */
void rtn_lanes_release(struct rtn_lanes *lanes, struct rtn_serial *serial);

/* True when none is in a lane; some may wait for serials. */
static inline bool rtn_lanes_empty(const struct rtn_lanes *lanes)
{
    return lanes->ready == 0;
}

/* How many tasks there are. */
unsigned rtn_lanes_queued(const struct rtn_lanes *lanes);

#endif
