/*
 * One connection: its socket, who holds it, its timeout, and what handlers keep on it. [loop], but while a
 * worker holds it ([worker]) the loop touches `owner` and the watcher only
 */
#ifndef RTN_PROTO_CONNECTION_H
#define RTN_PROTO_CONNECTION_H

#include <netinet/in.h>
#include <stdatomic.h>

#include <ev.h>

#include "base/list.h"
#include "loop/mailbox.h"
#include "loop/wheel.h"
#include "net/addr.h"
#include "net/stream.h"
#include "proto/request.h"

/*
 * The baton. A worker gives it back silently (WORKER -> LOOP) when nothing is left to do; the loop changes WORKER
 * to CALL when it wants to be told, and the worker then posts the connection's mail instead. TAKEN: the worker did not
 * come back in time, and the client was answered without it; when it comes it posts the mail, and may send nothing.
 * TAKING: the loop is about to decide whether it is TAKEN or CALL; who wants to know waits for that moment.
 */
enum rtn_owner { RTN_OWNER_LOOP, RTN_OWNER_WORKER, RTN_OWNER_CALL, RTN_OWNER_TAKING, RTN_OWNER_TAKEN };

enum rtn_connection_state {
    RTN_CONNECTION_READING, /* waiting for a request, or for the rest of one */
    RTN_CONNECTION_HANDLED, /* a worker has the request, or will have it at the end of the iteration */
    RTN_CONNECTION_WAITING, /* an active request waits for the client or for somebody else */
    RTN_CONNECTION_SENDING, /* the reply is complete, the socket is full; reading stopped */
    RTN_CONNECTION_CONNECTING, /* outgoing: no socket yet, or the handshake is under way */
    RTN_CONNECTION_SESSION, /* it takes messages, see session.h */
    RTN_CONNECTION_LINGER, /* all sent, our side shut down, reading what the client still sends */
    RTN_CONNECTION_CLOSED /* no socket any more; waits for callbacks and the end of the iteration */
};

/* What one module instance keeps on the connection. */
struct rtn_slot {
    struct rtn_slot *next;
    void *key; /* struct rtn_instance * of the layer above */
    void *data;
    void (*destroy)(void *data);
    struct rtn_connection *connection;
    const void *looked_at; /* the terms that were in force when the connection's slots were looked at; of the first */
    bool ending; /* its callbacks are running, since the connection is closed */
    struct rtn_task task; /* of the layer above, once the connection is closed, as the next */
    struct rtn_mail mail;
};

/*
 * What is only needed where workers get the connection: made for the first of them, kept until it is no HTTP any more.
 * [loop], also while a worker holds it, but for what the worker writes.
 */
struct rtn_hold {
    struct rtn_mail mail; /* by which it is given back */
    struct rtn_connection *connection;
    _Atomic int64_t begun_ms; /* when the worker began with it; 0: it has not. Written by the worker, as the next */
    _Atomic int64_t
        sent_ms; /* when some of the reply was last sent; 0: nothing was; INT64_MAX: the client does not read */
    int64_t since_ms; /* when the worker was given it */
    int64_t timeout; /* that the worker has, ms; 0: no handler runs */
    const char *request_id; /* NULL: none */
    unsigned method;
    int taken_status; /* of the reply when it was taken away; 0: it was cut off */
    unsigned taken_bytes;
    const char *handler; /* the place of the one that the worker was asked to run; NULL: none was */
};

struct rtn_entry;
struct rtn_resumption;
struct rtn_session;

/*
 * Its members stand by size where they can: there may be very many that are idle. What each request looks at comes
 * first, since of very many that are busy each has to be fetched from memory, line by line.
 */
struct rtn_connection {
    struct rtn_http1 *http;
    struct rtn_stream stream;
    struct ev_io io; /* of the socket; its events are what it is watched for now */
    struct rtn_request *request; /* NULL when idle */
    _Atomic int owner; /* enum rtn_owner */
    enum rtn_connection_state state;
    bool close_after; /* close when all is sent */
    bool linger_after; /* and linger, because the client may still be sending */
    bool used; /* has served a request */
    bool expects_proxy; /* a PROXY header is to come first */
    bool trusted; /* the peer is believed about who its client is */
    bool counted; /* among its client's connections */
    bool outdated; /* its next reply is its last */
    bool outgoing; /* made by us */
    int broken; /* -errno of a failed send, found by whoever held the connection */
    enum rtn_close_cause cause;
    struct rtn_slot *slots;
    uint64_t id;
    int64_t request_count; /* that have come */
    struct rtn_timeout timeout;
    int64_t deadline; /* ms, monotonic */

    struct rtn_hold *hold; /* NULL: no worker has had it */
    const char *detail; /* static text */
    struct rtn_session *session; /* NULL as long as it speaks HTTP */
    struct rtn_list node; /* in http->connections or http->dead */
    struct rtn_resumption *resumptions; /* the last, of this request or of one that is gone; NULL: none */
    struct rtn_entry *entry; /* in http->directory; NULL once the socket is closed */
    int64_t made_at; /* ms, monotonic; [loop], also while a worker holds it */
    char *peer_text; /* made when first asked for */
    int unsent; /* bytes in the socket when the write timeout was begun */
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
};

/* Its slot for `key`; NULL when there is none. */
struct rtn_slot *rtn_connection_slot(const struct rtn_connection *connection, const void *key);

/* The same, made when missing; NULL when memory is out. */
struct rtn_slot *rtn_connection_make_slot(struct rtn_connection *connection, void *key);

/* True when the client has closed its side or the connection is broken. Asks the system. [holder] */
bool rtn_connection_is_gone(const struct rtn_connection *connection);

/* Whose address it is from now on, as far as it is one that is kept: of a unix socket only that it is one. */
void rtn_connection_set_peer(struct rtn_connection *connection, const struct sockaddr *peer, socklen_t length);

/* "127.0.0.1:41234"; "unix:" on a unix socket, "" without a peer. */
void rtn_connection_format_peer(const struct rtn_connection *connection, char out[RTN_ADDR_TEXT_SIZE]);

/* The same; "stdio" where that is its other end. Valid as long as the connection. [holder] */
const char *rtn_connection_peer_text(struct rtn_connection *connection);

#endif
