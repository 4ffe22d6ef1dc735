/* How the callbacks of line handlers are called, those that a handler has, and what the log tells of connections.
 * [owner's thread] */
#ifndef RTN_APP_LINE_CALL_H
#define RTN_APP_LINE_CALL_H

#include "app/session_call.h"
#include "proto/line.h"

/* For struct rtn_http1. */
extern const struct rtn_line_events rtn_line_upward_events;

#endif
