/* The upward calls of WebSocket connections. [loop] */
#ifndef RTN_APP_WS_EVENTS_H
#define RTN_APP_WS_EVENTS_H

#include "proto/ws.h"

/* For struct rtn_http1. */
extern const struct rtn_ws_events rtn_ws_upward_events;

/* The connection is closed: tells the handler. True when that is done; else rtn_dispatch_end_slots() follows. */
bool rtn_ws_tell_closed(struct rtn_connection *connection);

#endif
