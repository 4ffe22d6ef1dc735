/*
 * WebSocket (RFC 6455) for modules: handlers, sending, topics, outgoing connections. Included by <retinue/module.h>,
 * which says what holds for all of this. Since level 3.
 *
 * A connection is named by its number (rtn_connection_id): safe to keep for ever, on any thread; when the connection
 * has gone, it just finds nothing. No function here calls a callback before it returns, so that locks may be held.
 * [any]
 */
#ifndef RETINUE_WEBSOCKET_H
#define RETINUE_WEBSOCKET_H

#ifndef RETINUE_MODULE_H
#error "include <retinue/module.h>, which includes this file"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What a message is (RFC 6455, 5.6). Text is UTF-8, checked in both directions. */
enum rtn_ws_type { RTN_WS_TEXT = 1, RTN_WS_BINARY = 2 };

/* How a connection ended. */
struct rtn_ws_closed {
    size_t struct_size; /* as compiled into the daemon: later members are there when it is larger */
    enum rtn_close_cause cause;
    int code; /* of the peer's close frame; 1005: it had none; 1006: no frame came, or we had refused before */
    rtn_str reason; /* the peer's words; valid during the call */
    const char *detail; /* the daemon's words; NULL: nothing to say */
    bool opened; /* false: an outgoing connection that did not come about */
};

/*
 * Callbacks run one at a time for one connection, in order, on the kind of thread that `threads` says: of the instance,
 * the lower of those of its handlers. After open, message and fragment, zero and positive results go on, as those of
 * rtn_ws_send(); a negative errno is logged and closes the connection with 1011.
 */
struct rtn_ws_handler {
    const char *name; /* named in YAML by handler:, with the HTTP handler of that name; ends with {0} */
    const char *summary; /* one sentence for --modinfo */
    enum rtn_threads threads; /* 0: the module's; may only be lower */

    /* The subprotocols it speaks, the best first; ends with NULL. The first of them that the client offers is chosen.
     */
    const char *const *protocols;

    /*
     * A client asks for a WebSocket; what RFC 6455 demands of it was checked, and its Origin. RTN_DONE takes it; after
     * a reply was given (any status, any body) it refuses it. RTN_NEXT and RTN_LATER as in HTTP handlers.
     * rtn_reply_header() adds to the 101. What rtn_connection_set_data() keeps is there in the other callbacks. Nothing
     * can be sent or subscribed yet (-ENOENT). May be NULL: everyone is taken. Not called for outgoing connections.
     */
    int (*upgrade)(rtn_request *request, void *instance);

    /* The connection is open. From here on it can be sent to and subscribed. */
    int (*open)(rtn_connection *connection, void *instance);

    /*
     * A whole message of at most limits.message; valid during the call. Or `fragment` instead: pieces as they come,
     * `last` with the final one, which may be empty. Neither: what comes is dropped.
     */
    int (*message)(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance);
    int (*fragment)(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, bool last,
                    void *instance);

    /* Something had to wait for the peer (a send returned RTN_WS_QUEUED or -ENOBUFS), and now nothing does. */
    void (*drain)(rtn_connection *connection, void *instance);

    /*
     * The last callback; nothing can be sent any more, and the pointer is dead when it returns. Then come the module's
     * connection_closed, of connections that were accepted, and the destructor of the connection's data.
     */
    void (*close)(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance);
};

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* In upgrade: chooses the subprotocol, in place of what `protocols` would. -EINVAL: the client does not offer it. */
int rtn_ws_choose_protocol(rtn_request *request, const char *protocol);

/* The chosen subprotocol; "" without one. Valid as long as the connection. [owner's thread] */
const char *rtn_ws_protocol(const rtn_connection *connection);

/* What became of a message that was taken. */
enum rtn_ws_sent {
    RTN_WS_SENT = 0, /* nothing waits for this peer but what is sent in this moment */
    RTN_WS_QUEUED = 1 /* it waits behind others: the peer is slow, or much is being sent */
};

/*
 * Sends a message; data is copied. Any thread; messages of one thread to one connection keep their order. enum
 * rtn_ws_sent, or it was not taken: -ENOENT (the connection is not open any more, or never was), -ENOTCONN (an outgoing
 * connection that is not open now), -ENOBUFS (limits.backlog bytes wait for the peer or are on their way; with
 * `backlog_policy: close` the connection is closed now if the peer is slow), -EILSEQ (text that is not UTF-8), -EINVAL
 * (type, no data), -ENOMEM.
 */
int rtn_ws_send(uint64_t connection, enum rtn_ws_type type, const void *data, size_t length);

/* The same for a string. */
int rtn_ws_send_text(uint64_t connection, const char *text);

/*
 * The same message to many: built once, and one wake-up for each loop. Returns how many did not take it (0: all did);
 * `failed`, when not NULL, has room for `count` numbers and gets theirs, grouped by loop. Negative, and nobody got it:
 * -EILSEQ, -EINVAL, -ENOMEM.
 */
int64_t rtn_ws_send_many(const uint64_t *connections, size_t count, enum rtn_ws_type type, const void *data,
                         size_t length, uint64_t *failed);

/* A ping with at most 125 bytes of data. As rtn_ws_send(); -EMSGSIZE: more. The daemon pings by itself too. */
int rtn_ws_ping(uint64_t connection, const void *data, size_t length);

/*
 * Closes: after everything that was sent before, on whatever thread the caller is. `code` as RFC 6455, 7.4 allows
 * (1000 to 1003, 1007 to 1014, 3000 to 4999), or 0: a close frame without code; `reason` is UTF-8 of at most 123 bytes,
 * or NULL. An outgoing connection does not connect again. What the peer has sent so far may still be given to a handler
 * on workers; the rest is dropped. What is sent afterwards is lost, also while other threads still get 0 for it. 0,
 * -ENOENT, -EINVAL, -ENOMEM.
 */
int rtn_ws_close(uint64_t connection, int code, const char *reason);

/* True while messages can be sent. Any thread; it may have changed when the caller looks. */
bool rtn_ws_is_open(uint64_t connection);

enum rtn_ws_role { RTN_WS_ACCEPTED = 1, RTN_WS_OUTGOING = 2 };

/* The open connections of a server that have one of `roles`: fills at most `capacity` numbers in; how many there are.
 */
size_t rtn_ws_connections(const rtn_server *server, unsigned roles, uint64_t *connections, size_t capacity);

/*
 * Topics: groups of connections by name, the same for all routes and servers of the daemon: put one of them into the
 * name where that is not wanted. A topic is there as long as it has subscribers. Any thread; calls of one thread take
 * effect in order. Names have 1 to 255 bytes.
 */

/*
 * Of a WebSocket, or a connection that takes lines. 0 (also when it is subscribed already), -ENOENT, -EINVAL, -ENOMEM.
 * The end of a connection unsubscribes it.
 */
int rtn_subscribe(uint64_t connection, const char *topic);
int rtn_unsubscribe(uint64_t connection, const char *topic);

/*
 * Sends a message to every subscriber but `except` (0: to all): built once, one wake-up for each loop. Who cannot take
 * it falls under its backlog_policy. Subscribers that take lines (<retinue/line.h>) get text as a line, where each line
 * end within begins another one; binary messages are not for them. 0, -EILSEQ, -EINVAL, -ENOMEM.
 */
int rtn_publish(const char *topic, enum rtn_ws_type type, const void *data, size_t length, uint64_t except);

/* Outgoing connections */

/* Members may be left out but struct_size; 0 is the default. NULL: all of them. Durations are milliseconds. */
struct rtn_ws_options {
    size_t struct_size; /* sizeof(struct rtn_ws_options) */
    const char *const *headers; /* "Name: value", sent with the handshake; ends with NULL */
    const char *const *protocols; /* offered; ends with NULL. Default: those of the handler */
    int64_t reconnect; /* the first pause before it connects again, doubled with each failure; default: it does not */
    int64_t reconnect_max; /* the longest pause; default 60 s */
    int64_t connect_timeout; /* until the connection is open; default 10 s */
    int64_t ping; /* a ping after so much silence; default 30 s; negative: never */
    int64_t pong; /* so long is waited for something to come after a ping; default 10 s */
    int64_t message; /* longest message taken, bytes; default 1 MiB */
    int64_t backlog; /* bytes that may wait for the peer; default 1 MiB */
    bool deflate; /* offer permessage-deflate (RFC 7692) */
    bool connected; /* `fd` is a connected socket to be used, the daemon's once it was taken; no reconnecting */
    int fd;
    void *data; /* what rtn_connection_data() gives from the start on, after reconnecting too */
    void (*destroy)(void *data); /* when the connection will not be made again, on the kind of thread of its handler */
};

/*
 * Connects to a WebSocket server: "ws://host[:port]/path?query", or "ws+unix:/path/of/socket:/path?query". `handler` is
 * a row of the module's own table of WebSocket handlers; `instance` is what the caller's callbacks get. Any thread.
 * *connection, when not NULL, gets its number, which stays the same when it connects again; open and close tell what
 * happens. 0, or options->fd and data are still the caller's, and destroy is not called: -EINVAL (logged with the
 * reason), -ENOENT (no such handler), -ENOTSOCK, -ENOMEM, -EMFILE (too many connections), -ECANCELED when the server is
 * stopping.
 */
int rtn_ws_connect(rtn_server *server, const char *url, const struct rtn_ws_options *options, const char *handler,
                   void *instance, uint64_t *connection);

/*
 * Serves a connected stream socket as if it had been accepted: it speaks HTTP/1.1 from now on, or takes lines on a line
 * server, and the daemon closes it. Any thread. 0, or -ENOTSOCK, -ENOMEM, -ECANCELED: the socket was not taken.
 */
int rtn_adopt_socket(rtn_server *server, int fd);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
