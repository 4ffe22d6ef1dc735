/*
 * Requests that ask for a WebSocket on a route that has a handler for it. They are steps like others (step.h) up to the
 * answer. [owner's thread] unless a function says otherwise
 */
#ifndef RTN_APP_UPGRADE_H
#define RTN_APP_UPGRADE_H

#include "app/step_internal.h"

/*
 * On a route with a WebSocket handler: looks, once, whether the request asks for one, and answers it when it may not
 * have it. RTN_TURN_GO_ON (call->upgrade says with what) or RTN_TURN_REPLIED.
 */
enum rtn_turn rtn_upgrade_look(struct rtn_request *request);

/* Asks the handler. What it returned, RTN_DONE without one. */
int rtn_upgrade_call(struct rtn_request *request);

/* The handler has accepted: the connection becomes a WebSocket. [loop] */
enum rtn_outcome rtn_upgrade_finish(struct rtn_request *request);

#endif
