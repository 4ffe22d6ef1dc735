/*
 * What the log tells of WebSockets: refused handshakes, outgoing connections that open or fail, and ends. URLs stand
 * there without their query, which may hold secrets. [loop] unless a function says otherwise
 */
#ifndef RTN_APP_WS_LOG_H
#define RTN_APP_WS_LOG_H

#include "app/instance.h"
#include "proto/connection.h"
#include "proto/ws.h"

/* For "%.*s": the URL up to its query. [any] */
struct rtn_str rtn_ws_log_url(const char *url);

/* The daemon has refused a request on a route with a WebSocket handler, and why. [owner's thread] */
void rtn_ws_log_refused(struct rtn_request *request, int status, const char *why);

/* The same because of its origin. [owner's thread] */
void rtn_ws_log_origin(struct rtn_request *request);

/* It is open. Of those that were accepted the access log tells. */
void rtn_ws_log_open(struct rtn_connection *connection);

/* The end of one that was accepted, or of an outgoing one, open or not. `level` is that of the cause. */
void rtn_ws_log_closed(struct rtn_connection *connection, enum rtn_log_level level);

#endif
