/* The upward calls of outgoing WebSocket connections alone. [loop] */
#ifndef RTN_APP_WS_EVENTS_H
#define RTN_APP_WS_EVENTS_H

#include "proto/ws.h"

/* For struct rtn_http1. */
extern const struct rtn_ws_events rtn_ws_upward_events;

#endif
