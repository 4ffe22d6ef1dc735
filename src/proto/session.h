/*
 * A connection that takes messages: what WebSocket and lines have in common. Reading with pauses, a backlog of what is
 * to be sent, topics, sending by number from any thread. [loop]: it never leaves its loop; handlers on workers get
 * copies (see the layer above). Sending from elsewhere is in session_send.h.
 *
 * Bytes are read into a buffer of the loop, so that an idle connection has none. What is sent stands in another buffer
 * of the loop, or is queued on the stream, and leaves at the end of the iteration: all that one connection gets, in one
 * write. Only a large message may leave at once, with what stands before it.
 */
#ifndef RTN_PROTO_SESSION_H
#define RTN_PROTO_SESSION_H

#include "base/buf.h"
#include "proto/connection.h"
#include "proto/parcel.h"
#include "proto/session_round.h"

struct rtn_http1;
struct rtn_session;
struct rtn_subscription;
struct rtn_terms;

enum rtn_session_kind { RTN_SESSION_WS = 1, RTN_SESSION_LINE = 2, RTN_SESSION_ANY = RTN_SESSION_WS | RTN_SESSION_LINE };

/* Part of what holds for the connections of one route, one client or one server. Frozen. */
struct rtn_session_policy {
    int64_t message_limit; /* bytes */
    int64_t backlog_limit;
    bool drop; /* what does not fit into the backlog; else the connection is closed */
    int64_t write_timeout; /* ms */
};

/* How a connection is to be closed. Code and words are for protocols that tell the peer. */
struct rtn_session_end {
    enum rtn_close_cause cause;
    int code;
    struct rtn_str reason;
    const char *detail; /* static text */
};

/* A message on its way to several connections of a loop. */
struct rtn_mailing {
    struct rtn_parcel *parcel;
    bool single; /* to one only */
    const char *placed; /* bytes of a parcel that stand in the round of the loop too; NULL: none */
    size_t place; /* there */
    unsigned sent; /* WebSockets that got it, and are to be counted */
    struct rtn_parcel *compressed; /* of WebSocket; NULL: nobody wanted it so far */
    int bits; /* of the window that it needs */
    enum { RTN_MAILING_UNKNOWN, RTN_MAILING_LINE, RTN_MAILING_LINES } lines; /* what it is for those that take lines */
};

/* Counts what was sent, and gives back what was made on the way, not `parcel`. */
void rtn_mailing_done(struct rtn_mailing *mailing);

/* What each protocol does in its own way. Callbacks that may be NULL say so. */
struct rtn_session_wire {
    enum rtn_session_kind kind;
    unsigned types; /* 1 << enum rtn_ws_opcode of what is published to it; the rest is not for it */
    /*
     * Bytes came, to be changed at will: finds messages in them and tells of each. Returns how many it is done with;
     * the rest waits until reading goes on.
     */
    size_t (*feed)(struct rtn_session *session, unsigned char *data, size_t length);
    /* Something came, or nobody has listened. May be NULL. */
    void (*heard)(struct rtn_session *session);
    /* Where a message stands that came in pieces, while it is told of: may be taken over. May be NULL: nowhere. */
    struct rtn_buf *(*assembled)(struct rtn_session *session);
    /* The peer has ended its side. */
    void (*end_of_input)(struct rtn_session *session);
    /* Queues a message. Its bytes count as backlog at once. 0 or -ENOMEM. */
    int (*queue)(struct rtn_session *session, enum rtn_ws_opcode type, struct rtn_str content);
    /* The same, if anything can still be sent; without memory the connection ends. */
    void (*queue_mailing)(struct rtn_session *session, struct rtn_mailing *mailing);
    /* Closes in order, behind what is queued. Later calls have no effect. */
    void (*begin_close)(struct rtn_session *session, const struct rtn_session_end *end);
    /* Nothing of the peer can be handled any more. */
    void (*fail)(struct rtn_session *session, enum rtn_close_cause cause, const char *detail);
    /* All that was queued has left. True when that ended the connection. */
    bool (*end_when_due)(struct rtn_session *session);
    /* When something is to happen beside the write timeout; 0: never. ms, monotonic. */
    int64_t (*deadline)(struct rtn_session *session);
    void (*on_timeout)(struct rtn_session *session);
    /* The socket was full, and is not any more. May be NULL. */
    void (*waited)(struct rtn_session *session);
    /* It goes on with another policy of its kind. */
    void (*tune)(struct rtn_session *session, const void *policy);
    /* The layer above has handled all that it was told. May be NULL. */
    void (*settled)(struct rtn_session *session);
    /* The socket is about to be closed. */
    void (*detach)(struct rtn_session *session);
    void (*free)(struct rtn_session *session);
};

struct rtn_session {
    const struct rtn_session_wire *wire;
    struct rtn_connection *connection;
    struct rtn_terms *terms; /* held from its start to rtn_http1_release(); NULL: not begun, or outgoing */
    const struct rtn_session_policy *policy;
    void *owner; /* of the layer above: struct rtn_instance */
    void *handling; /* of the same, set by it: its queue of events */
    struct rtn_buf *unread; /* came, but reading was stopped; NULL: nothing */
    bool opened; /* the layer above knows of it */
    bool busy; /* the layer above has not handled all that it was told */
    bool paused; /* by the layer above */
    bool choked; /* the peer does not take what is sent, so that no more is read from it */
    bool deaf; /* nothing that comes is of interest, but the end of input */
    bool feeding; /* input is being handled: reading goes on when that is done */
    bool closing; /* nothing can be sent behind what is queued */
    bool overflowed; /* to be closed for its backlog at the end of the iteration */
    int64_t opened_at; /* ms, monotonic, as the next */
    int64_t heard; /* since when the peer is silent */
    int64_t write_deadline; /* 0: nothing waits for the socket */
    struct rtn_stretch stretch; /* to be sent, in the round of the loop; only while nothing is queued on the stream */
    struct rtn_list unsent; /* in http->unsent when something is to leave */
    struct rtn_subscription *topics;
};

/* Accepts NULL. */
static inline bool rtn_session_is(const struct rtn_session *session, enum rtn_session_kind kind)
{
    return session != NULL && session->wire->kind == kind;
}

/* Upward calls, on the loop. The end is told by rtn_http1_handler.closed(connection), with connection->session set. */
struct rtn_session_events {
    void (*open)(struct rtn_session *session);
    /* Bytes are valid during the call. `last`: of a message that comes in pieces. */
    void (*message)(struct rtn_session *session, enum rtn_ws_opcode type, unsigned char *data, size_t length,
                    bool last);
    void (*drain)(struct rtn_session *session);
};

/* session.c */

void rtn_session_init(struct rtn_session *session, const struct rtn_session_wire *wire,
                      struct rtn_connection *connection, const struct rtn_session_policy *policy, void *owner);

/* Accepts NULL. */
void rtn_session_free(struct rtn_session *session);

/* Reading stops / goes on: the layer above has too many events waiting. */
void rtn_session_pause(struct rtn_session *session);
void rtn_session_resume(struct rtn_session *session);

/* The layer above has handled all that it was told. */
void rtn_session_settle(struct rtn_session *session);

/* The socket is about to be closed: nobody finds it any more. */
void rtn_session_detach(struct rtn_session *session);

/* The server is stopping. */
void rtn_session_leave(struct rtn_session *session);

/* session_queue.c */

/* Bytes that wait to be sent to it, on this loop. */
static inline size_t rtn_session_queued(const struct rtn_session *session)
{
    return session->connection->stream.queued + session->stretch.length;
}

/* session_write.c */

/* Something is to leave at the end of the iteration. */
void rtn_session_mark_unsent(struct rtn_session *session);

/* Everything that the iteration gathered leaves. Before a wait, when there is something. */
void rtn_session_flush(struct rtn_http1 *http);

#endif
