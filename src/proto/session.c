/*
 * The life of a connection that takes messages, and reading. One recv() per event into a buffer that all of them share;
 * what cannot be handled at once, because the layer above or the peer cannot follow, is kept, and nothing more is read
 * until it was handled.
 *
 * Nothing in here closes the socket while a callback of the layer above runs: closing is marked, and done by the flush
 * at the end of the iteration or by the event that comes next.
 */
#include "proto/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/session_internal.h"
#include "proto/ws_frame.h"

#define INPUT_SIZE ((size_t) 128 * 1024) /* of which only what was ever needed takes memory */

void rtn_session_init(struct rtn_session *session, const struct rtn_session_wire *wire,
                      struct rtn_connection *connection, const struct rtn_session_policy *policy, void *owner)
{
    session->wire = wire;
    session->connection = connection;
    session->policy = policy;
    session->owner = owner;
    rtn_list_init(&session->unsent);
}

void rtn_session_take_terms(struct rtn_session *session, struct rtn_terms *terms)
{
    session->terms = terms;
    rtn_terms_hold(terms);
    atomic_fetch_add_explicit(&terms->sessions, 1, memory_order_relaxed);
}

void rtn_session_release_terms(struct rtn_session *session)
{
    struct rtn_terms *terms = session->terms;
    session->terms = NULL;
    if (terms == NULL)
        return;
    atomic_fetch_sub_explicit(&terms->sessions, 1, memory_order_relaxed);
    rtn_terms_release(session->connection->http, terms);
}

static void drop_unread(struct rtn_session *session)
{
    if (session->unread != NULL)
        rtn_buf_done(session->unread);
    free(session->unread);
    session->unread = NULL;
}

void rtn_session_free(struct rtn_session *session)
{
    if (session == NULL)
        return;
    drop_unread(session);
    session->wire->free(session);
}

/* Reading */

static bool may_read(const struct rtn_session *session)
{
    return !session->paused && !session->choked && !session->deaf;
}

void rtn_session_watch_input(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    if (may_read(session) && session->unread == NULL)
        rtn_http1_watch(connection, EV_READ);
    else
        rtn_http1_unwatch(connection, EV_READ);
}

int rtn_session_keep_unread(struct rtn_session *session, const void *data, size_t length)
{
    if (length == 0)
        return 0;
    if (session->unread == NULL)
        session->unread = calloc(1, sizeof(*session->unread));
    char *at = session->unread != NULL ? rtn_buf_try_reserve(session->unread, length) : NULL;
    if (at == NULL)
        return -ENOMEM;
    memcpy(at, data, length);
    session->unread->length += length;
    return 0;
}

static void feed(struct rtn_session *session, unsigned char *data, size_t length)
{
    session->feeding = true;
    size_t used = session->wire->feed(session, data, length);
    session->feeding = false;
    if (used < length && rtn_session_keep_unread(session, data + used, length - used) < 0)
        session->wire->fail(session, RTN_CLOSE_NETWORK, "memory is out");
}

/* What was kept comes first. */
static void feed_unread(struct rtn_session *session)
{
    while (session->unread != NULL && may_read(session)) {
        struct rtn_buf *unread = session->unread;
        session->unread = NULL;
        feed(session, (unsigned char *) unread->data, unread->length);
        rtn_buf_done(unread);
        free(unread);
    }
}

/* Whatever comes is a sign of life. */
static void hear(struct rtn_session *session)
{
    session->heard = rtn_http1_now_ms(session->connection->http);
    if (session->wire->heard != NULL)
        session->wire->heard(session);
}

static void on_readable(struct rtn_connection *connection)
{
    struct rtn_http1 *http = connection->http;
    struct rtn_session *session = connection->session;
    if (connection->state == RTN_CONNECTION_LINGER || session->deaf) {
        rtn_http1_read_linger(connection); /* only the end of input is of interest */
        return;
    }
    ssize_t n;
    do
        n = recv(connection->stream.fd, http->session_input, INPUT_SIZE, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        rtn_stats_count(RTN_STATS_BYTES_IN, (uint64_t) n);
        hear(session);
        feed(session, http->session_input, (size_t) n);
        rtn_session_watch_input(session);
    } else if (n == 0) {
        session->wire->end_of_input(session);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
        connection->broken = -errno;
        rtn_http1_close_broken(connection);
    }
}

static void on_io(struct ev_loop *ev, struct ev_io *watcher, int events)
{
    (void) ev;
    rtn_http1_take_events(watcher, events, on_io, on_readable, rtn_session_on_writable);
}

void rtn_session_go_on_reading(struct rtn_session *session)
{
    if (session->connection->state != RTN_CONNECTION_SESSION)
        return;
    hear(session); /* nobody listened meanwhile */
    rtn_session_file_deadline(session);
    if (session->feeding)
        return;
    feed_unread(session);
    rtn_session_watch_input(session);
}

void rtn_session_pause(struct rtn_session *session)
{
    session->paused = true;
    if (!session->feeding)
        rtn_session_watch_input(session);
}

void rtn_session_resume(struct rtn_session *session)
{
    session->paused = false;
    rtn_session_go_on_reading(session);
}

/* From the start to the end */

static bool has_input_buffer(struct rtn_http1 *http)
{
    if (http->session_input == NULL)
        http->session_input = malloc(INPUT_SIZE);
    return http->session_input != NULL;
}

/* What senders look at. */
static void publish_policy(struct rtn_session *session)
{
    struct rtn_entry *entry = session->connection->entry;
    atomic_store_explicit(&entry->drops, session->policy->drop, memory_order_relaxed);
    atomic_store_explicit(&entry->backlog_limit, session->policy->backlog_limit, memory_order_relaxed);
}

/* From now on senders find it. */
static void publish(struct rtn_session *session)
{
    struct rtn_entry *entry = session->connection->entry;
    publish_policy(session);
    atomic_store_explicit(&entry->kind, session->wire->kind, memory_order_relaxed);
    atomic_store_explicit(&entry->owner, session->owner, memory_order_relaxed);
    atomic_store_explicit(&entry->waits, false, memory_order_relaxed);
    atomic_store_explicit(&entry->drain_due, false, memory_order_relaxed);
    rtn_session_publish_queued(session, memory_order_relaxed);
    atomic_store_explicit(&entry->open_id, session->connection->id, memory_order_release);
}

void rtn_session_open(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    struct rtn_http1 *http = connection->http;
    if (!has_input_buffer(http)) {
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "memory is out");
        return;
    }
    rtn_http1_unwatch(connection, EV_WRITE); /* what is pending leaves at the end of the iteration */
    ev_set_cb(&connection->io, on_io);
    connection->state = RTN_CONNECTION_SESSION;
    session->heard = rtn_http1_now_ms(http);
    session->opened = true;
    session->opened_at = session->heard;
    publish(session);
    if (rtn_stream_pending(&connection->stream))
        rtn_session_mark_unsent(session);
    http->session_events->open(session);
    if (!rtn_http1_may_keep_alive(http))
        rtn_session_leave(session);
    feed_unread(session);
    rtn_session_watch_input(session);
    rtn_session_file_deadline(session);
}

void rtn_session_tune(struct rtn_session *session, const void *policy)
{
    session->wire->tune(session, policy);
    if (!session->opened || session->connection->state != RTN_CONNECTION_SESSION)
        return;
    publish_policy(session);
    rtn_session_file_deadline(session);
}

void rtn_session_settle(struct rtn_session *session)
{
    session->busy = false;
    if (session->wire->settled != NULL)
        session->wire->settled(session);
}

void rtn_session_begin_closing(struct rtn_session *session, enum rtn_close_cause cause, const char *detail)
{
    session->connection->cause = cause;
    session->connection->detail = detail;
    session->closing = true;
    atomic_store_explicit(&session->connection->entry->open_id, 0, memory_order_release);
}

void rtn_session_leave(struct rtn_session *session)
{
    static const struct rtn_session_end end = { .cause = RTN_CLOSE_SHUTDOWN,
                                                .code = RTN_WS_GOING_AWAY,
                                                .reason = { "the server is stopping", 22 },
                                                .detail = "the server is stopping" };
    if (session->connection->state == RTN_CONNECTION_CLOSED)
        return; /* its handler has not heard of it yet */
    if (session->opened)
        session->wire->begin_close(session, &end);
    else
        rtn_http1_close(session->connection, end.cause, end.detail);
}

void rtn_session_detach(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    struct rtn_entry *entry = connection->entry;
    atomic_store_explicit(&entry->open_id, 0, memory_order_release);
    atomic_store_explicit(&entry->queued, 0, memory_order_relaxed);
    session->stretch.length = 0;
    rtn_list_remove(&session->unsent);
    session->wire->detach(session);
    rtn_topics_leave_all(&connection->http->topics, session);
    drop_unread(session);
}
