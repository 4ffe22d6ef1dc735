/*
 * What the callbacks of a connection that takes messages are, by the kind of its handler. They run on the kind of
 * thread that the handler runs on, one at a time for one connection. [owner's thread]
 */
#ifndef RTN_APP_SESSION_CALL_H
#define RTN_APP_SESSION_CALL_H

#include "app/callback.h"
#include "proto/session.h"

struct rtn_session_calls {
    /* Those of the handler: what they return; 0 without one. */
    int (*open)(struct rtn_connection *connection);
    int (*message)(struct rtn_connection *connection, enum rtn_ws_opcode type, const unsigned char *data, size_t length,
                   bool last);
    void (*drain)(struct rtn_connection *connection);
    void (*close)(struct rtn_connection *connection);
    bool (*has_drain)(const struct rtn_connection *connection);
    const char *(*name)(const struct rtn_connection *connection); /* of the handler */

    /* What the log tells. [loop] */
    void (*log_open)(struct rtn_connection *connection);
    void (*log_closed)(struct rtn_connection *connection, enum rtn_log_level level); /* level of the cause */
};

extern const struct rtn_session_calls rtn_ws_calls; /* ws_call.c */
extern const struct rtn_session_calls rtn_line_calls; /* line_call.c */

static inline const struct rtn_session_calls *rtn_session_calls_of(const struct rtn_session *session)
{
    return session->wire->kind == RTN_SESSION_WS ? &rtn_ws_calls : &rtn_line_calls;
}

static inline struct rtn_instance *rtn_session_instance(const struct rtn_connection *connection)
{
    return connection->session->owner;
}

/* Around each of the first four. */
static inline struct rtn_activity_call rtn_session_enter(const struct rtn_connection *connection)
{
    return rtn_callback_enter(rtn_session_instance(connection), "handler",
                              rtn_session_calls_of(connection->session)->name(connection));
}

static inline bool rtn_session_runs_on_loop(const struct rtn_instance *instance)
{
    return instance->threads == RTN_THREADS_LOOP;
}

#endif
