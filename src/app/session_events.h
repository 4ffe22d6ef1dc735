/* The upward calls of connections that take messages. [loop] unless a function says otherwise */
#ifndef RTN_APP_SESSION_EVENTS_H
#define RTN_APP_SESSION_EVENTS_H

#include "app/session_call.h"

/* For struct rtn_http1. */
extern const struct rtn_session_events rtn_session_upward_events;

/* Before it opens: what its events need. 0 or -ENOMEM. */
int rtn_session_prepare(struct rtn_session *session);

/* A callback has returned a negative errno: logs it, where it ran [owner's thread]; closes the connection. */
void rtn_session_log_failure(const struct rtn_connection *connection, int error);
void rtn_session_close_failed(struct rtn_session *session);

/* The connection is closed: tells the handler. True when that is done; else rtn_dispatch_end_slots() follows. */
bool rtn_session_tell_closed(struct rtn_connection *connection);

#endif
