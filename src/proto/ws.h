/*
 * WebSocket on a connection (RFC 6455): frames, compression, pings, the closing handshake. What it has in common with
 * other connections that take messages is in session.h. It is what an HTTP connection becomes by an upgrade, and what
 * an outgoing one is from the start. [loop]
 */
#ifndef RTN_PROTO_WS_H
#define RTN_PROTO_WS_H

#include "proto/session.h"
#include "proto/ws_deflate.h"
#include "proto/ws_reader.h"

struct rtn_ws_client;

/* What holds for the connections of one route or one client. Frozen. */
struct rtn_ws_policy {
    struct rtn_session_policy session;
    bool streamed; /* the handler takes pieces */
    int64_t ping_timeout; /* ms, as the next; 0: no pings */
    int64_t pong_timeout;
    int64_t close_timeout;
    struct rtn_schema_strings origins;
    const struct rtn_config_deflate *deflate;
};

#define RTN_WS_REASON_MOST 123 /* bytes of a reason in a close frame */

struct rtn_ws {
    struct rtn_session session;
    char *protocol; /* subprotocol; NULL: none. Never changes once it is open */
    struct rtn_ws_client *client; /* of an outgoing connection; else NULL */
    struct rtn_ws_reader *reader; /* lent by the loop while a message is on its way; else NULL */
    struct rtn_ws_inflate *inflate; /* NULL without permessage-deflate, as the next */
    struct rtn_ws_compress *compress;
    char *reason; /* of the peer's close frame; NULL: none */
    int code; /* of the same, or RTN_WS_NO_CODE, RTN_WS_ABNORMAL */
    unsigned char reason_length;
    bool close_received;
    bool failed; /* the peer has broken the protocol or a limit, or memory is out */
    bool ping_sent; /* and nothing has come since: session.heard is when it was sent */
    int64_t close_deadline; /* ms, monotonic; 0: none */
};

/* The WebSocket of a session, which is one. */
static inline struct rtn_ws *rtn_ws_of(struct rtn_session *session)
{
    return RTN_CONTAINER_OF(session, struct rtn_ws, session);
}

/* The WebSocket that the connection is; NULL when it is none. */
static inline struct rtn_ws *rtn_ws_on(const struct rtn_connection *connection)
{
    return rtn_session_is(connection->session, RTN_SESSION_WS) ? rtn_ws_of(connection->session) : NULL;
}

/* Its policy is that of the session and what stands around it. */
static inline const struct rtn_ws_policy *rtn_ws_policy_of(const struct rtn_ws *ws)
{
    const char *session = (const char *) ws->session.policy;
    return (const struct rtn_ws_policy *) (const void *) (session - offsetof(struct rtn_ws_policy, session));
}

/* Upward calls, on the loop, beside those of struct rtn_session_events. */
struct rtn_ws_events {
    /* An outgoing connection is being made. */
    void (*made)(struct rtn_ws *ws);
    /* It will not be made again: must end in rtn_ws_client_free(), at once or later on the loop. */
    void (*forget)(struct rtn_ws_client *client);
};

/*
 * ws_upgrade.c: the request is to become a WebSocket; its handler has accepted. Makes it the connection's session and
 * writes the 101 with the fields gathered. The outcome is then RTN_OUTCOME_UPGRADED. 0 or -ENOMEM.
 */
int rtn_ws_upgrade(struct rtn_request *request, const struct rtn_ws_policy *policy, void *owner,
                   struct rtn_str protocol);

/* The answer to a request for a WebSocket that cannot be one; of 426, with what is asked for. */
void rtn_ws_refuse(struct rtn_request *request, int status, const char *text);

/* ws.c */

/* The loop ends: what it has lent came back. */
void rtn_ws_drop_spare_reader(struct rtn_http1 *http);

/* A session on the connection, with nothing agreed upon; NULL when memory is out. */
struct rtn_ws *rtn_ws_new(struct rtn_connection *connection, const struct rtn_ws_policy *policy, void *owner);

/* The handshake is done. Takes what the request's buffer still holds as frames, and drops the request. */
void rtn_ws_start(struct rtn_connection *connection);

#endif
