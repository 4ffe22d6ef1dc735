/*
 * What the files of the HTTP/1.1 connection share: http1.c (from parsing to the end of a reply), http1_events.c (what
 * wakes it), http1_send.c (a reply that has not left), http1_close.c (its end), http1_input.c (reading), http1_wait.c
 * (active requests that wait), http1_worker.c (the baton), and http1_connections.c (which connections there are).
 * [loop] unless a function says otherwise
 */
#ifndef RTN_PROTO_HTTP1_INTERNAL_H
#define RTN_PROTO_HTTP1_INTERNAL_H

#include <sys/types.h>

#include "proto/http1.h"

#define RTN_HTTP1_BODY_STEP 65536 /* timeouts.body begins anew with each so many bytes */

static inline int64_t rtn_http1_now_ms(const struct rtn_http1 *http)
{
    return http->loop->now_ms;
}

/* Those in force. */
static inline const struct rtn_config_timeouts *rtn_http1_timeouts(const struct rtn_http1 *http)
{
    return &http->terms->config->timeouts;
}

/* http1_events.c: its socket is watched for these events (EV_READ, EV_WRITE, both, 0) and no others. */
void rtn_http1_set_watched(struct rtn_connection *connection, int events);

static inline bool rtn_http1_watches(const struct rtn_connection *connection, int event)
{
    return (connection->io.events & event) != 0;
}

/* The same for one event beside the other, and mostly it is so already. */
static inline void rtn_http1_watch(struct rtn_connection *connection, int event)
{
    if (!rtn_http1_watches(connection, event))
        rtn_http1_set_watched(connection, connection->io.events | event);
}

static inline void rtn_http1_unwatch(struct rtn_connection *connection, int event)
{
    if (rtn_http1_watches(connection, event))
        rtn_http1_set_watched(connection, connection->io.events & ~event);
}

/* http1_events.c: libev has stopped to watch the socket, since the system could not do that. */
void rtn_http1_on_unwatched(struct rtn_connection *connection);

/*
 * What a callback of the watcher does, which is `self`. That something could be read may have closed the connection, or
 * made another callback the one that waits for room.
 */
RTN_INLINE void rtn_http1_take_events(struct ev_io *watcher, int events,
                                      void (*self)(struct ev_loop *ev, struct ev_io *watcher, int events),
                                      void (*readable)(struct rtn_connection *connection),
                                      void (*writable)(struct rtn_connection *connection))
{
    struct rtn_connection *connection = RTN_CONTAINER_OF(watcher, struct rtn_connection, io);
    if (RTN_UNLIKELY((events & EV_ERROR) != 0)) {
        rtn_http1_on_unwatched(connection);
        return;
    }
    if ((events & EV_READ) != 0)
        readable(connection);
    if ((events & EV_WRITE) != 0 && rtn_http1_watches(connection, EV_WRITE) && ev_cb(watcher) == self)
        writable(connection);
}

/* http1.c */

/* Sets the time by which something has to happen, from now. */
void rtn_http1_set_deadline(struct rtn_connection *connection, int64_t timeout_ms);

/* What follows the reply is decided: keep the connection, or close it and maybe linger. [owner's thread] */
void rtn_http1_end_reply(struct rtn_connection *connection, struct rtn_request *request);

/* Parses and has handled what has been read, request after request. */
void rtn_http1_advance(struct rtn_connection *connection);

/* The active request gets its turn. */
void rtn_http1_run(struct rtn_connection *connection);

/* The active request comes to nothing. `close`: and the connection ends with it, for that cause. */
void rtn_http1_give_up(struct rtn_connection *connection, int status, const char *text, bool close,
                       enum rtn_close_cause cause);

/* Whether the client may still be sending when the reply to its last request is sent. [owner's thread] */
bool rtn_http1_should_linger(const struct rtn_connection *connection, const struct rtn_request *request);

/* Answers a request that cannot be served, with what request->error_status says, and closes. */
void rtn_http1_reply_broken(struct rtn_connection *connection, enum rtn_close_cause cause);

/* http1_close.c */

/* Closes the socket now; the object lives until its callbacks have run and the iteration ends. */
void rtn_http1_close(struct rtn_connection *connection, enum rtn_close_cause cause, const char *detail);

/* The same, for the reason that connection->broken gives. */
void rtn_http1_close_broken(struct rtn_connection *connection);

/* Everything is sent and the connection is not kept: closes it, or lingers. */
void rtn_http1_end(struct rtn_connection *connection);

/* Ends our side, and reads what still comes until the peer ends its side, for timeouts.linger at most. */
void rtn_http1_linger(struct rtn_connection *connection);

/* While lingering: reads and drops; the end of input closes. */
void rtn_http1_read_linger(struct rtn_connection *connection);

/* Gives the request object back: the connection has nothing to keep in it. */
void rtn_http1_drop_request(struct rtn_connection *connection);

/* The reply has left, or will not: tells the layer above. [owner's thread] */
void rtn_http1_tell_replied(struct rtn_connection *connection, bool whole);

/* http1_send.c */

/* Bytes that the kernel still keeps for the client: a socket becomes writable only when a good part of them is gone. */
int rtn_http1_unsent(const struct rtn_connection *connection);

/* In SENDING: the client has to take in some of what it is sent from now on. */
void rtn_http1_begin_write_timeout(struct rtn_connection *connection);

/* The socket is full, or a file is next: stops reading until everything is sent. */
void rtn_http1_wait_until_sent(struct rtn_connection *connection);

/* The same when the socket is known to be full. */
void rtn_http1_wait_for_socket(struct rtn_connection *connection);

/* The socket has room. */
void rtn_http1_on_writable(struct rtn_connection *connection);

/* http1_events.c */

/* Everything is sent: on with the next request. */
void rtn_http1_go_on(struct rtn_connection *connection);

/* Watcher, mail and wheel callbacks. */
void rtn_http1_on_io(struct ev_loop *ev, struct ev_io *watcher, int events);
void rtn_http1_on_mail(struct rtn_mail *mail);
int64_t rtn_http1_on_due(struct rtn_timeout *timeout, int64_t now);

/* http1_input.c */

/* Reads once and goes on with what came. */
void rtn_http1_read(struct rtn_connection *connection);

/* Reads what the next request may already be, and finds out that the client has gone. */
void rtn_http1_read_ahead(struct rtn_connection *connection);

/* The connection's request, made when there is none; NULL when memory is out. */
struct rtn_request *rtn_http1_own_request(struct rtn_connection *connection);

/* An idle connection needs no request object. True when it was given back. */
bool rtn_http1_give_back_unused(struct rtn_connection *connection);

/* One recv() behind request->end. Bytes, 0 at the end of input, or -errno. [owner's thread] */
ssize_t rtn_http1_receive(struct rtn_request *request);

/* Room for the next read. 0 or -ENOMEM. [owner's thread] */
int rtn_http1_make_room(struct rtn_request *request);

/* http1_proxy.c: what was read is the PROXY header, or a part of it. True when the request behind it has begun. */
bool rtn_http1_read_proxy(struct rtn_connection *connection);

/* http1_admit.c */

bool rtn_http1_is_trusted(const struct rtn_connection *connection);

#define RTN_HTTP1_TOO_MANY "there are too many connections from this address"

/* The peer is known. False when it has too many connections. The other one has refused it then. */
bool rtn_http1_is_admitted(struct rtn_connection *connection);
bool rtn_http1_admit(struct rtn_connection *connection);

/* The connection does not count any more. */
void rtn_http1_dismiss(struct rtn_connection *connection);

/* The connection's request is the last one (limits.requests_per_connection). [owner's thread] */
bool rtn_http1_is_last_request(const struct rtn_connection *connection);

/* http1_wait.c */

/* The active request waits: arms what it waits for. */
void rtn_http1_wait(struct rtn_connection *connection);

/* One of the deadlines of a waiting request has passed. */
void rtn_http1_wait_timeout(struct rtn_connection *connection);

/* http1_connections.c */

/* A connection object without a socket, among the others of the loop. NULL when memory is out. */
struct rtn_connection *rtn_http1_make(struct rtn_http1 *http, uint64_t id);

/* A connection was read although nobody had told of bytes in it, and there were none. */
void rtn_http1_looked_in_vain(struct rtn_http1 *http);

/* After the last connection is gone while draining. */
void rtn_http1_report_drained(struct rtn_http1 *http);

/* For a connection without a request while draining: one that has arrived but was not read yet is still served. */
void rtn_http1_close_idle(struct rtn_connection *connection);

/* Drops the resumptions that came for requests that are gone. */
void rtn_http1_drop_resumptions(struct rtn_connection *connection);

/* Before a sink is emptied: that of a loop holds replies that have been told of. [owner's thread] */
static inline void rtn_http1_tell_leaving(struct rtn_http1 *http, const struct rtn_sink *sink)
{
    if (sink == http->sink && http->handler->leaving != NULL)
        http->handler->leaving(http);
}

/* http1_worker.c */

/* Sends what the sink holds for this connection; a failure is noted in connection->broken. [owner's thread] */
void rtn_http1_send_sink(struct rtn_connection *connection, struct rtn_sink *sink);

/*
 * The same after rtn_http1_end_reply(): where the connection is to close, its end leaves in the same packet, unless it
 * is among those of its client that count.
 */
void rtn_http1_send_reply(struct rtn_connection *connection, struct rtn_sink *sink);

/* True while no worker holds the connection; what the worker wrote is visible then. */
bool rtn_http1_is_held_by_loop(const struct rtn_connection *connection);

/* True when a worker holds the connection; it will then tell the loop, which does not read until then. */
bool rtn_http1_leave_to_worker(struct rtn_connection *connection);

/* http1_taken.c: workers that do not come back */

/* What the loop decides, which is about to. [worker] */
bool rtn_http1_wait_until_decided(const struct rtn_connection *connection);

static inline bool rtn_http1_is_taken(const struct rtn_connection *connection)
{
    int owner = atomic_load_explicit(&connection->owner, memory_order_acquire);
    return owner == RTN_OWNER_TAKEN || (owner == RTN_OWNER_TAKING && rtn_http1_wait_until_decided(connection));
}

/* The time of whoever will handle it begins. */
void rtn_http1_begin_hold(struct rtn_request *request);

/* What was sent before it is still queued: nothing else may be sent by its side. Before the worker begins. */
void rtn_http1_hold_queued(struct rtn_connection *connection);

/* Before anything is sent to the client. 0, or -ETIMEDOUT when the connection was taken away. [worker] */
int rtn_http1_begin_sending(struct rtn_connection *connection);

/* It waits for the client, whose time that is. begin returns what end is given. [worker] */
int64_t rtn_http1_begin_wait(struct rtn_connection *connection);
void rtn_http1_end_wait(struct rtn_connection *connection, int64_t limit);

/* The wheel asks while a worker holds the connection. */
int64_t rtn_http1_on_held_due(struct rtn_connection *connection, int64_t now);

/* After it was taken: reads and drops. */
void rtn_http1_read_taken(struct rtn_connection *connection);

/* The worker has given back what was taken from it: the connection ends, once the client has seen its answer. */
void rtn_http1_end_taken(struct rtn_connection *connection);

/* http1_worker.c */

/* The connection is the worker's from now on. 0, or -ENOMEM: it is not. */
int rtn_http1_give_to_worker(struct rtn_connection *connection);

#endif
