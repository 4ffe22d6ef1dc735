/*
 * Lines of text for modules: handlers of servers with `protocol: line`, and sending. Included by <retinue/module.h>,
 * which says what holds for all of this. Since level 4.
 *
 * The peer of `listen: stdio` is "stdio". A peer that ends its side is done: its connection is closed when its lines
 * are handled and what was sent by then has left.
 *
 * A line ends with LF or CR LF, which handlers neither see nor write. Connections are named by their numbers, as in
 * <retinue/websocket.h>, and may subscribe to the same topics (rtn_subscribe): who publishes text to one reaches both;
 * each line end within becomes one of `line_end`. [any]
 */
#ifndef RETINUE_LINE_H
#define RETINUE_LINE_H

#ifndef RETINUE_MODULE_H
#error "include <retinue/module.h>, which includes this file"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* How a connection ended. */
struct rtn_line_closed {
    size_t struct_size; /* as compiled into the daemon: later members are there when it is larger */
    enum rtn_close_cause cause;
    const char *detail; /* the daemon's words; NULL: nothing to say */
};

/*
 * Callbacks run one at a time for one connection, in order, on the kind of thread that `threads` says: of the instance,
 * the lower of those of its handlers. After open and line, zero and positive results go on, as those of
 * rtn_line_send(); a negative errno is logged and closes the connection.
 */
struct rtn_line_handler {
    const char *name; /* named in YAML by handler:, with handlers of other kinds of that name; ends with {0} */
    const char *summary; /* one sentence for --modinfo */
    enum rtn_threads threads; /* 0: the module's; may only be lower */

    /* The connection is open, its greeting is on the way. From here on it can be sent to and subscribed. */
    int (*open)(rtn_connection *connection, void *instance);

    /*
     * Mandatory. A line of at most limits.line bytes, any but LF; valid during the call, with a NUL behind it. The
     * beginning of a line whose end never came is not given to anybody.
     */
    int (*line)(rtn_connection *connection, const char *line, size_t length, void *instance);

    /* Something had to wait for the peer (a send returned 1 or -ENOBUFS), and now nothing does. */
    void (*drain)(rtn_connection *connection, void *instance);

    /*
     * The last callback; nothing can be sent any more, and the pointer is dead when it returns. Then comes the
     * destructor of the connection's data.
     */
    void (*close)(rtn_connection *connection, const struct rtn_line_closed *how, void *instance);
};

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/*
 * Sends a line, or several, when there is LF in it; the end of the last is added. The bytes are copied. Any thread;
 * what one thread sends to one connection keeps its order. 0; 1: it waits behind others, the peer is slow; or it was
 * not taken: -ENOENT (no such connection that takes lines), -ENOBUFS (limits.backlog bytes wait for the peer; with
 * `backlog_policy: close` the connection is closed now if the peer is slow), -EINVAL (no data), -ENOMEM.
 */
int rtn_line_send(uint64_t connection, const char *line, size_t length);

/* The same for a string, and as printf does. */
int rtn_line_send_text(uint64_t connection, const char *line);
int rtn_line_send_format(uint64_t connection, const char *format, ...) RTN_FORMAT_LIKE_PRINTF(2, 3);

/*
 * The same line to many: built once, and one wake-up for each loop. Returns how many did not take it (0: all did);
 * `failed`, when not NULL, has room for `count` numbers and gets theirs, grouped by loop. Negative, and nobody got it:
 * -EINVAL, -ENOMEM.
 */
int64_t rtn_line_send_many(const uint64_t *connections, size_t count, const char *line, size_t length,
                           uint64_t *failed);

/*
 * Closes when everything that was sent before has left. Lines that have come are still given to a handler on workers;
 * the rest is dropped. 0, -ENOENT, -ENOMEM.
 */
int rtn_line_close(uint64_t connection);

/* True while lines can be sent. It may have changed when the caller looks. */
bool rtn_line_is_open(uint64_t connection);

/* The open connections of a server: fills at most `capacity` numbers in; how many there are. */
size_t rtn_line_connections(const rtn_server *server, uint64_t *connections, size_t capacity);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
