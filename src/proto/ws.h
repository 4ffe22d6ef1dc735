/*
 * WebSocket on a connection: what an HTTP connection becomes by an upgrade, and what an outgoing one is from the start.
 * [loop]: it never leaves its loop; handlers on workers get copies (see the layer above). Sending from elsewhere is in
 * ws_send.h.
 *
 * Bytes are read into a buffer of the loop, so that an idle connection has none. What is sent is queued on the stream
 * and leaves at the end of the iteration, all that one connection gets in one write.
 */
#ifndef RTN_PROTO_WS_H
#define RTN_PROTO_WS_H

#include "proto/connection.h"
#include "proto/parcel.h"
#include "proto/ws_deflate.h"
#include "proto/ws_reader.h"

struct rtn_http1;
struct rtn_ws_client;
struct rtn_ws_handler; /* of the layer above */

/* What holds for the connections of one route or one client. Frozen. */
struct rtn_ws_policy {
    int64_t message_limit; /* bytes */
    int64_t backlog_limit;
    bool drop; /* what does not fit into the backlog; else the connection is closed */
    bool streamed; /* the handler takes pieces */
    int64_t ping_timeout; /* ms, as the next; 0: no pings */
    int64_t pong_timeout;
    int64_t write_timeout;
    int64_t close_timeout;
    struct rtn_schema_strings origins;
    const struct rtn_config_deflate *deflate;
};

#define RTN_WS_REASON_MOST 123 /* bytes of a reason in a close frame */

struct rtn_ws {
    struct rtn_connection *connection;
    const struct rtn_ws_policy *policy;
    void *owner; /* of the layer above: struct rtn_instance */
    const struct rtn_ws_handler *handler; /* of the layer above, set by it */
    void *handling; /* of the layer above: its queue of events */
    char *protocol; /* subprotocol; NULL: none. Never changes once it is open */
    struct rtn_ws_client *client; /* of an outgoing connection; else NULL */
    struct rtn_ws_reader reader;
    struct rtn_ws_inflate *inflate; /* NULL without permessage-deflate, as the next */
    struct rtn_ws_compress *compress;
    struct rtn_buf unread; /* came, but reading was stopped */
    bool opened; /* the layer above knows of it */
    bool paused; /* by the layer above */
    bool choked; /* the peer does not take what is sent, so that no more is read from it */
    bool feeding; /* the reader is running: reading goes on when it returns */
    bool close_sent; /* the close frame is in the queue, or was sent */
    bool close_received;
    bool overflowed; /* to be closed for its backlog at the end of the iteration */
    bool ping_sent; /* and nothing has come since */
    int code; /* of the peer's close frame, or RTN_WS_NO_CODE, RTN_WS_ABNORMAL */
    unsigned reason_length;
    char reason[RTN_WS_REASON_MOST]; /* of the same */
    int64_t opened_at; /* ms, monotonic, as the next */
    int64_t heard; /* the last time that something came */
    int64_t pinged; /* the last ping */
    int64_t close_deadline; /* 0: none, as the next */
    int64_t write_deadline;
    struct rtn_list unsent; /* in http->ws_unsent when something is to leave */
    struct rtn_list topics; /* struct rtn_subscription */
};

/* Upward calls, on the loop. The end is told by rtn_http1_handler.closed(connection), with connection->ws set. */
struct rtn_ws_events {
    void (*open)(struct rtn_ws *ws);
    /* As in ws_reader.h; bytes are valid during the call. */
    void (*message)(struct rtn_ws *ws, enum rtn_ws_opcode type, unsigned char *data, size_t length, bool last);
    void (*drain)(struct rtn_ws *ws);
    /* An outgoing connection is being made. */
    void (*made)(struct rtn_ws *ws);
    /* It will not be made again: must end in rtn_ws_client_free(), at once or later on the loop. */
    void (*forget)(struct rtn_ws_client *client);
};

/*
 * ws_upgrade.c: the request is to become a WebSocket; its handler has accepted. Makes connection->ws and writes the 101
 * with the fields gathered. The outcome is then RTN_OUTCOME_UPGRADED. 0 or -ENOMEM.
 */
int rtn_ws_upgrade(struct rtn_request *request, const struct rtn_ws_policy *policy, void *owner,
                   struct rtn_str protocol);

/* The answer to a request for a WebSocket that cannot be one; of 426, with what is asked for. */
void rtn_ws_refuse(struct rtn_request *request, int status, const char *text);

/* ws.c */

/* A session on the connection, with nothing agreed upon; NULL when memory is out. */
struct rtn_ws *rtn_ws_new(struct rtn_connection *connection, const struct rtn_ws_policy *policy, void *owner);
void rtn_ws_free(struct rtn_ws *ws); /* accepts NULL */

/* The handshake is done. Takes what the request's buffer still holds as frames, and drops the request. */
void rtn_ws_start(struct rtn_connection *connection);

/* Reading stops / goes on: the layer above has too many events waiting. */
void rtn_ws_pause(struct rtn_ws *ws);
void rtn_ws_resume(struct rtn_ws *ws);

/* The socket is about to be closed: nobody finds it any more. */
void rtn_ws_detach(struct rtn_ws *ws);

/* ws_write.c */

/* Queues a message. The bytes of its frame count as backlog at once. 0 or -ENOMEM. */
int rtn_ws_queue(struct rtn_ws *ws, enum rtn_ws_opcode type, struct rtn_str content);

/* Something is to leave at the end of the iteration. */
void rtn_ws_mark_unsent(struct rtn_ws *ws);

/* Everything that the iteration gathered leaves. Before every wait. */
void rtn_ws_flush(struct rtn_http1 *http);

/* ws_share.c: a message on its way to several connections of a loop. */
struct rtn_ws_mailing {
    struct rtn_parcel *parcel;
    bool single; /* to one only */
    struct rtn_parcel *compressed; /* NULL: nobody wanted it so far */
    int bits; /* of the window that it needs */
};

/* Queues it, if anything can still be sent; without memory the connection ends. */
void rtn_ws_queue_mailing(struct rtn_ws *ws, struct rtn_ws_mailing *mailing);

/* Gives back what was made on the way, not `parcel`. */
void rtn_ws_mailing_done(struct rtn_ws_mailing *mailing);

/* ws_close.c */

/*
 * A close frame follows what is queued; then the closing handshake, and the end for that cause. Later calls have no
 * effect. code 0: a frame without one.
 */
void rtn_ws_begin_close(struct rtn_ws *ws, enum rtn_close_cause cause, int code, struct rtn_str reason,
                        const char *detail);

/* The server is stopping. */
void rtn_ws_leave(struct rtn_ws *ws);

/* One of its deadlines may have passed. */
void rtn_ws_on_timeout(struct rtn_ws *ws);

#endif
