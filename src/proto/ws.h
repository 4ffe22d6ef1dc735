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
#include "proto/directory.h"
#include "proto/parcel.h"
#include "proto/ws_deflate.h"
#include "proto/ws_reader.h"

struct rtn_http1;

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

struct rtn_ws {
    struct rtn_connection *connection;
    const struct rtn_ws_policy *policy;
    void *owner; /* of the layer above: struct rtn_instance */
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
    bool close_sent;
    bool close_received;
    bool waited; /* something had to wait: a drain is due */
    bool pong_due; /* a ping was sent; pong_deadline counts */
    bool awaits_end; /* both close frames are through: the end of the connection is waited for */
    int code; /* of the peer's close frame, or RTN_WS_NO_CODE, RTN_WS_ABNORMAL */
    char reason[124]; /* of the same */
    unsigned char pong[RTN_WS_CONTROL_MOST]; /* the answer to the last ping, not yet in the queue */
    unsigned pong_length;
    bool has_pong;
    int64_t heard; /* ms, monotonic: the last time that something came */
    int64_t close_deadline;
    int64_t write_deadline; /* 0: nothing waits */
    struct rtn_list unsent; /* in http->ws_unsent when something is to leave */
    struct rtn_list topics; /* struct rtn_subscription */
};

/* Upward calls, on the loop. */
struct rtn_ws_events {
    void (*open)(struct rtn_ws *ws);
    /* As in ws_reader.h. The layer above may take the bytes of a whole message by rtn_ws_take_message(). */
    void (*message)(struct rtn_ws *ws, enum rtn_ws_opcode type, unsigned char *data, size_t length, bool last);
    void (*drain)(struct rtn_ws *ws);
    /*
     * The end is told by rtn_http1_handler.closed(connection) with connection->ws set.
     */
};

/*
 * The request is to become a WebSocket; its handler has accepted. Makes connection->ws and writes the 101 with the
 * fields gathered. `terms` NULL: without compression. 0 or -ENOMEM. The outcome is then RTN_OUTCOME_UPGRADED.
 */
int rtn_ws_upgrade(struct rtn_request *request, const struct rtn_ws_policy *policy, void *owner,
                   struct rtn_str protocol, const struct rtn_ws_deflate_terms *terms, struct rtn_str extensions);

/* The layer above cannot take more events now / can again. */
void rtn_ws_pause(struct rtn_ws *ws);
void rtn_ws_resume(struct rtn_ws *ws);

/* A close frame follows what is queued; then the closing handshake. Later calls have no effect. code 0: none. */
void rtn_ws_begin_close(struct rtn_ws *ws, enum rtn_close_cause cause, int code, struct rtn_str reason,
                        const char *detail);

/* Everything that the iteration gathered leaves. Before every wait. */
void rtn_ws_flush(struct rtn_http1 *http);

#endif
