/*
 * Calls the callbacks of a connection's WebSocket handler, those it has. On the kind of thread that the handler runs
 * on, one at a time for one connection. [owner's thread]
 */
#ifndef RTN_APP_WS_CALL_H
#define RTN_APP_WS_CALL_H

#include "app/instance.h"
#include "proto/connection.h"
#include "proto/ws.h"

static inline struct rtn_instance *rtn_ws_instance(const struct rtn_connection *connection)
{
    return connection->ws->owner;
}

static inline bool rtn_ws_runs_on_loop(const struct rtn_instance *instance)
{
    return instance->threads == RTN_THREADS_LOOP;
}

/* What the callback returned; 0 without one. */
int rtn_ws_call_open(struct rtn_connection *connection);
int rtn_ws_call_message(struct rtn_connection *connection, enum rtn_ws_type type, const unsigned char *data,
                        size_t length, bool last);
void rtn_ws_call_drain(struct rtn_connection *connection);
void rtn_ws_call_close(struct rtn_connection *connection);

/* A callback has returned a negative errno: logs it, where it ran; closes the connection [loop]. */
void rtn_ws_log_failure(const struct rtn_ws *ws, int error);
void rtn_ws_close_failed(struct rtn_ws *ws);

#endif
