/*
 * The baton between a loop and a worker. A worker that is done sends its reply itself and gives the connection back
 * by changing one word; only when something is left to do (unsent bytes, pipelined input, a close, or the loop has
 * asked for it by RTN_OWNER_CALL) does it post the connection's mail.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "loop/pool.h"
#include "proto/http1_internal.h"
#include "proto/response.h"

bool rtn_http1_is_held_by_loop(const struct rtn_connection *connection)
{
    return atomic_load_explicit(&connection->owner, memory_order_acquire) == RTN_OWNER_LOOP;
}

bool rtn_http1_leave_to_worker(struct rtn_connection *connection)
{
    if (rtn_http1_is_held_by_loop(connection))
        return false;
    int owner = RTN_OWNER_WORKER;
    if (atomic_compare_exchange_strong_explicit(&connection->owner, &owner, RTN_OWNER_CALL, memory_order_acq_rel,
                                                memory_order_acquire))
        return true;
    return owner != RTN_OWNER_LOOP;
}

typedef int (*send_function)(struct rtn_stream *stream, const void *data, size_t length);

static void empty_sink(struct rtn_connection *connection, struct rtn_sink *sink, send_function send)
{
    if (sink->length == 0)
        return;
    rtn_http1_tell_leaving(connection->http, sink);
    int r = send(&connection->stream, sink->data, sink->length);
    sink->length = 0;
    if (r < 0)
        connection->broken = r;
}

void rtn_http1_send_sink(struct rtn_connection *connection, struct rtn_sink *sink)
{
    empty_sink(connection, sink, rtn_stream_send_memory);
}

/* Who sees the end may come again at once. So where its connections count, this one has to be off the count by then. */
void rtn_http1_send_reply(struct rtn_connection *connection, struct rtn_sink *sink)
{
    bool last = connection->close_after && connection->broken == 0 && !connection->counted;
    empty_sink(connection, sink, last ? rtn_stream_send_last : rtn_stream_send_memory);
}

static struct rtn_hold *make_hold(struct rtn_connection *connection)
{
    struct rtn_hold *hold = malloc(sizeof(*hold));
    if (hold != NULL)
        *hold = (struct rtn_hold){ .mail.deliver = rtn_http1_on_mail, .connection = connection };
    return hold;
}

int rtn_http1_give_to_worker(struct rtn_connection *connection)
{
    struct rtn_http1 *http = connection->http;
    if (connection->hold == NULL)
        connection->hold = make_hold(connection);
    if (connection->hold == NULL)
        return -ENOMEM;
    rtn_http1_unwatch(connection, EV_WRITE);
    rtn_http1_watch(connection, EV_READ); /* a worker that is done silently relies on it */
    /* The wheel looks at the connection again before an idle timeout that begins now can end. */
    rtn_wheel_file(&http->wheel, &connection->timeout, rtn_http1_now_ms(http) + rtn_http1_timeouts(http)->idle);
    connection->stream.defer_files = false;
    connection->hold->timeout = 0;
    connection->hold->handler = NULL; /* that of an earlier request may have gone with a reload */
    bool old = connection->request != NULL && connection->request->terms != http->terms;
    atomic_store_explicit(&connection->owner, old ? RTN_OWNER_CALL : RTN_OWNER_WORKER, memory_order_relaxed);
    return 0;
}

int rtn_http1_hold(struct rtn_request *request)
{
    request->reads_body = false;
    if (request->busy_since == 0)
        request->busy_since = rtn_http1_now_ms(request->http);
    int r = rtn_http1_give_to_worker(request->connection);
    if (r == 0)
        rtn_http1_begin_hold(request);
    return r;
}

void rtn_http1_take_back(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    connection->stream.defer_files = connection->http->terms->defer_files;
    atomic_store_explicit(&connection->owner, RTN_OWNER_LOOP, memory_order_relaxed);
    rtn_http1_watch(connection, EV_READ);
}

/* To the loop, without a word to it. False when it has asked for one. */
static bool give_back(struct rtn_connection *connection, const struct rtn_terms *terms)
{
    int owner = RTN_OWNER_WORKER;
    connection->state = RTN_CONNECTION_READING;
    connection->deadline = rtn_clock_ms() + terms->config->timeouts.idle;
    connection->stream.defer_files = terms->defer_files;
    return atomic_compare_exchange_strong_explicit(&connection->owner, &owner, RTN_OWNER_LOOP, memory_order_release,
                                                   memory_order_relaxed);
}

/*
 * The reply has left. True when nothing is left to do for the loop. The connection goes back before its request is
 * cleared: the client may have its next one on the way already.
 */
static bool finish_silently(struct rtn_connection *connection, struct rtn_request *request)
{
    struct rtn_http1 *http = connection->http;
    bool keep = request->keep_alive;
    rtn_http1_tell_replied(connection, true);
    if (keep && request->parsed < request->end) {
        rtn_request_next(request);
        return false;
    }
    connection->request = NULL;
    bool silent = keep && give_back(connection, request->terms);
    rtn_http1_give_request_from_worker(http, request);
    return silent;
}

void rtn_http1_finish(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    struct rtn_http1 *http = connection->http;
    if (rtn_http1_begin_sending(connection) < 0)
        request->sink->length = 0;
    rtn_http1_end_reply(connection, request);
    rtn_http1_send_reply(connection, request->sink);
    bool sent = connection->broken == 0 && !rtn_stream_pending(&connection->stream);
    if (!sent || !finish_silently(connection, request))
        rtn_loop_post(http->loop, &connection->hold->mail);
}

void rtn_http1_hand_back(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    (void) rtn_response_flush(request);
    rtn_loop_post(connection->http->loop, &connection->hold->mail);
}

bool rtn_http1_fill(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    if (request->stage != RTN_REQUEST_BODY || request->expects_continue)
        return false;
    int r = rtn_http1_make_room(request);
    ssize_t n = r < 0 ? r : rtn_http1_receive(request);
    if (rtn_http1_is_taken(connection)) { /* the loop reads, too, and throws away */
        connection->broken = -ETIMEDOUT;
        return true;
    }
    if (n == -EAGAIN)
        return false;
    if (n <= 0)
        connection->broken = n < 0 ? (int) n : -ECONNRESET;
    else
        (void) rtn_request_parse(request);
    return true;
}

/* Waits for the socket to take more. 0, or -errno. */
static int wait_until_writable(struct rtn_connection *connection, int64_t timeout_ms)
{
    int before = rtn_http1_unsent(connection);
    struct pollfd poller = { .fd = connection->stream.fd, .events = POLLOUT };
    for (;;) {
        int n = poll(&poller, 1, (int) RTN_MIN(timeout_ms, INT32_MAX));
        if (n > 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return -errno;
        int now = rtn_http1_unsent(connection);
        if (n == 0 && now >= before)
            return -ETIMEDOUT;
        before = now;
    }
}

int rtn_http1_wait_for_room(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    rtn_pool_block_begin();
    int64_t limit = rtn_http1_begin_wait(connection);
    int r = connection->broken;
    while (r == 0 && rtn_response_full(request)) {
        r = wait_until_writable(connection, request->policy->write_timeout);
        if (r == 0)
            r = rtn_stream_flush(&connection->stream);
        if (r == -EAGAIN)
            r = 0;
    }
    rtn_http1_end_wait(connection, limit);
    rtn_pool_block_end();
    if (r < 0)
        connection->broken = r;
    return r;
}

int rtn_http1_send_queued(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    int r = rtn_http1_begin_sending(connection);
    if (r == 0)
        r = rtn_stream_flush(&connection->stream);
    if (r < 0 && r != -EAGAIN)
        connection->broken = r;
    return connection->broken;
}

void rtn_http1_send_files(struct rtn_connection *connection)
{
    int r = rtn_stream_flush(&connection->stream);
    if (r < 0 && r != -EAGAIN)
        connection->broken = r;
    rtn_loop_post(connection->http->loop, &connection->hold->mail);
}
