/* What step.c (what a step does), step_conclude.c (what follows from it) and step_task.c (where it runs) share.
 * [owner's thread] */
#ifndef RTN_APP_STEP_INTERNAL_H
#define RTN_APP_STEP_INTERNAL_H

#include "app/step.h"

/* What comes next after one call of a handler. */
enum rtn_turn {
    RTN_TURN_GO_ON,
    RTN_TURN_REPLIED,
    RTN_TURN_WAIT,
    RTN_TURN_MOVE, /* what comes next belongs to the other kind of thread */
    RTN_TURN_UPGRADE /* the loop makes it a WebSocket */
};

static inline struct rtn_instance *rtn_step_instance(const struct rtn_call *call)
{
    return call->match.route != NULL ? call->match.route->instance : NULL;
}

/* What follows from `result`, which the handler returned. step_conclude.c */
enum rtn_turn rtn_step_conclude(struct rtn_request *request, int result);

/* 'route "/x": module m: handler h WHAT: REASON'; reason may be NULL. step_conclude.c */
void rtn_step_log_failure(const struct rtn_request *request, const char *what, const char *reason);

/* One step; never RTN_TURN_GO_ON. */
enum rtn_turn rtn_step_take(struct rtn_request *request);

/* True when the thread that holds the request is a worker. */
bool rtn_step_on_worker(const struct rtn_request *request);

/* The next step is taken on a worker, after this iteration of the loop. False when memory is out. [loop] */
bool rtn_step_queue(struct rtn_request *request);

#endif
