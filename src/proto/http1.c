/*
 * The life of an HTTP/1.1 connection on its loop: read once, parse in place, have the request handled, send,
 * and again. See connection.h for the states and for who may touch what.
 *
 * The usual request on the loop costs one recv() and one send(): a read that does not fill the buffer has
 * emptied the socket, so nobody asks again; timeouts are stores (loop/wheel.h); the read watcher is never
 * touched. A worker's reply is sent by the worker, and the loop hears of it only when something is left to do.
 */
#include "proto/http1_internal.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "proto/response.h"

#define FIRST_READ 2048 /* least room offered to a read */
#define MOST_READ 65536 /* so that one client with much to say does not hold up the others */
#define BODY_STEP 65536 /* timeouts.body begins anew with each so many bytes */
#define SINK_FULL (RTN_SINK_SIZE / 2) /* pipelined replies are sent when so much has gathered */
#define LINGER_READ 16384

static void advance(struct rtn_connection *connection);

void rtn_http1_set_deadline(struct rtn_connection *connection, int64_t timeout_ms)
{
    connection->deadline = rtn_http1_now_ms(connection->http) + timeout_ms;
    rtn_wheel_file(&connection->http->wheel, &connection->timeout, connection->deadline);
}

/* How long the rest of what is being read may take; of nothing, how long the next request. */
static int64_t input_timeout(const struct rtn_connection *connection)
{
    const struct rtn_config_timeouts *timeouts = rtn_http1_timeouts(connection->http);
    const struct rtn_request *request = connection->request;
    if (request == NULL || request->stage == RTN_REQUEST_EMPTY)
        return timeouts->idle;
    return request->stage == RTN_REQUEST_HEAD ? timeouts->header : timeouts->body;
}

static void drop_request(struct rtn_connection *connection)
{
    if (connection->request == NULL)
        return;
    rtn_http1_give_request(connection->http, connection->request);
    connection->request = NULL;
}

void rtn_http1_close(struct rtn_connection *connection, enum rtn_close_cause cause, const char *detail)
{
    struct rtn_http1 *http = connection->http;
    ev_io_stop(http->loop->ev, &connection->read);
    ev_io_stop(http->loop->ev, &connection->write);
    rtn_wheel_remove(&http->wheel, &connection->timeout);
    drop_request(connection);
    rtn_stream_close(&connection->stream);
    connection->state = RTN_CONNECTION_CLOSED;
    connection->cause = cause;
    connection->detail = detail;
    http->handler->closed(connection);
}

static void close_broken(struct rtn_connection *connection)
{
    bool by_peer = connection->broken == -EPIPE || connection->broken == -ECONNRESET;
    rtn_http1_close(connection, by_peer ? RTN_CLOSE_LOST : RTN_CLOSE_NETWORK,
                    by_peer ? "the client went away during the reply" : "sending failed");
}

/* False when the connection broke and was closed. */
static bool flush_sink(struct rtn_connection *connection)
{
    rtn_http1_send_sink(connection, connection->http->sink);
    if (connection->broken == 0)
        return true;
    close_broken(connection);
    return false;
}

static void begin_linger(struct rtn_connection *connection)
{
    if (shutdown(connection->stream.fd, SHUT_WR) < 0) {
        rtn_http1_close(connection, RTN_CLOSE_LOST, "the client went away");
        return;
    }
    connection->state = RTN_CONNECTION_LINGER;
    rtn_http1_set_deadline(connection, rtn_http1_timeouts(connection->http)->linger);
    ev_io_start(connection->http->loop->ev, &connection->read);
}

/* Everything is sent and the connection is not kept. */
static void end_connection(struct rtn_connection *connection)
{
    drop_request(connection);
    if (connection->linger_after)
        begin_linger(connection);
    else
        rtn_http1_close(connection, connection->cause, connection->detail);
}

/* Bytes that the kernel still keeps for the client: the socket becomes writable only when a good part of them is gone.
 */
static int unsent(const struct rtn_connection *connection)
{
    int bytes = 0;
    return ioctl(connection->stream.fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

static void begin_write_timeout(struct rtn_connection *connection)
{
    connection->unsent = unsent(connection);
    rtn_http1_set_deadline(connection, rtn_http1_timeouts(connection->http)->write);
}

/* The socket is full: stop reading until it has taken everything. */
static void wait_until_sent(struct rtn_connection *connection)
{
    connection->state = RTN_CONNECTION_SENDING;
    ev_io_stop(connection->http->loop->ev, &connection->read);
    ev_io_start(connection->http->loop->ev, &connection->write);
    begin_write_timeout(connection);
}

/*
 * The reply to connection->request is in the sink or queued. Decides what comes next; true when the next request can
 * be parsed at once.
 */
static bool after_reply(struct rtn_connection *connection)
{
    struct rtn_http1 *http = connection->http;
    struct rtn_request *request = connection->request;
    connection->used = true;
    http->handler->replied(request);
    if (!request->keep_alive && !connection->close_after) {
        connection->close_after = true;
        connection->cause = request->failed ? RTN_CLOSE_HANDLER : RTN_CLOSE_NORMAL;
        /* Whoever asked for the close has sent everything; the others may be sending the next request now. */
        connection->linger_after =
            request->stage == RTN_REQUEST_BROKEN || !rtn_http1_may_keep_alive(http) || request->parsed < request->end;
    }
    bool must_send = connection->close_after || connection->broken != 0 || http->sink->length > SINK_FULL ||
                     rtn_stream_pending(&connection->stream);
    if (must_send) {
        if (!flush_sink(connection))
            return false;
        if (rtn_stream_pending(&connection->stream)) {
            if (!connection->close_after)
                rtn_request_next(request);
            else
                drop_request(connection);
            wait_until_sent(connection);
            return false;
        }
        if (connection->close_after) {
            end_connection(connection);
            return false;
        }
    }
    rtn_request_next(request);
    connection->state = RTN_CONNECTION_READING;
    rtn_http1_set_deadline(connection, rtn_http1_timeouts(http)->idle);
    return true;
}

/* Answers a request that cannot be served, with what request->error_status says, and closes. */
static void reply_broken(struct rtn_connection *connection, enum rtn_close_cause cause)
{
    struct rtn_request *request = connection->request;
    request->keep_alive = false;
    if (request->method_name.data == NULL)
        request->method = 0; /* nothing that could ask for a reply without content */
    (void) rtn_response_error(request, request->error_status, request->error_text);
    connection->close_after = true;
    connection->linger_after = true;
    connection->cause = cause;
    connection->detail = request->error_text;
    (void) after_reply(connection);
}

/* The connection waits for bytes, with the timeout that fits what is there already. */
static void wait_for_input(struct rtn_connection *connection)
{
    struct rtn_http1 *http = connection->http;
    struct rtn_request *request = connection->request;
    if (!flush_sink(connection))
        return;
    if (rtn_stream_pending(&connection->stream)) {
        wait_until_sent(connection);
        return;
    }
    if (request->stage == RTN_REQUEST_EMPTY) {
        if (request->end == request->start)
            drop_request(connection);
        /* The deadline stays: empty lines (RFC 9112, 2.2) do not make a connection less idle. */
        if (!rtn_http1_may_keep_alive(http) && connection->used)
            rtn_http1_close(connection, RTN_CLOSE_SHUTDOWN, "the server is stopping");
    }
}

/* A request begins or goes on: the deadlines of head and body do not move with every byte. */
static void note_progress(struct rtn_connection *connection, enum rtn_request_stage before)
{
    struct rtn_request *request = connection->request;
    if (request->stage == before && request->stage != RTN_REQUEST_BODY)
        return;
    if (request->stage == RTN_REQUEST_HEAD) {
        if (connection->used)
            rtn_http1_set_deadline(connection, rtn_http1_timeouts(connection->http)->header);
        return;
    }
    if (request->stage != RTN_REQUEST_BODY)
        return;
    if (before == RTN_REQUEST_BODY && request->body_received - connection->body_mark < BODY_STEP)
        return;
    connection->body_mark = request->body_received;
    rtn_http1_set_deadline(connection, rtn_http1_timeouts(connection->http)->body);
    if (request->expects_continue && request->body_received == 0)
        rtn_response_continue(request);
    request->expects_continue = false;
}

/* Parses and has handled what has been read, request after request. */
static void advance(struct rtn_connection *connection)
{
    struct rtn_http1 *http = connection->http;
    for (;;) {
        struct rtn_request *request = connection->request;
        request->sink = http->sink;
        enum rtn_request_stage before = request->stage;
        enum rtn_request_stage stage = rtn_request_parse(request);
        if (stage == RTN_REQUEST_BROKEN) {
            reply_broken(connection, request->hostile ? RTN_CLOSE_SECURITY : RTN_CLOSE_PROTOCOL);
            return;
        }
        if (stage != RTN_REQUEST_COMPLETE) {
            note_progress(connection, before);
            wait_for_input(connection);
            return;
        }
        connection->state = RTN_CONNECTION_HANDLED;
        if (!http->handler->request(request)) {
            /* Held from here on: a failure is dealt with when the connection comes back. */
            rtn_http1_send_sink(connection, http->sink);
            return;
        }
        if (!after_reply(connection))
            return;
    }
}

static void on_end_of_input(struct rtn_connection *connection)
{
    if (connection->request == NULL)
        rtn_http1_close(connection, RTN_CLOSE_CLIENT, "the client closed the connection");
    else
        rtn_http1_close(connection, RTN_CLOSE_LOST, "the client closed the connection in the middle of a request");
}

static void on_read_error(struct rtn_connection *connection, int error)
{
    if (error == ECONNRESET)
        rtn_http1_close(connection, RTN_CLOSE_LOST, "the client reset the connection");
    else
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "reading failed");
}

/* Room for the next read: the rest of the body when its length is known, so that a large one is not copied often. */
static int make_room(struct rtn_request *request)
{
    size_t wanted = FIRST_READ;
    if (request->stage == RTN_REQUEST_BODY && !request->coding_seen &&
        request->http->config->request_body == RTN_BODY_BUFFERED)
        wanted = RTN_MIN((size_t) request->parser.content_length, BODY_STEP);
    return rtn_request_make_room(request, RTN_MAX(wanted, 1U));
}

void rtn_http1_read(struct rtn_connection *connection)
{
    if (connection->request == NULL) {
        connection->request = rtn_http1_take_request(connection->http);
        if (connection->request != NULL)
            connection->request->connection = connection;
    }
    struct rtn_request *request = connection->request;
    if (request == NULL || make_room(request) < 0) {
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "memory is out");
        return;
    }
    ssize_t n;
    do {
        n = recv(connection->stream.fd, request->buffer + request->end,
                 RTN_MIN(request->capacity - request->end, MOST_READ), 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        if (request->end == request->start && request->stage == RTN_REQUEST_EMPTY)
            drop_request(connection);
        return;
    }
    int error = errno;
    if (n <= 0 && request->stage == RTN_REQUEST_EMPTY)
        drop_request(connection);
    if (n < 0) {
        on_read_error(connection, error);
        return;
    }
    if (n == 0) {
        on_end_of_input(connection);
        return;
    }
    request->end += (size_t) n;
    advance(connection);
}

static void read_linger(struct rtn_connection *connection)
{
    char discarded[LINGER_READ];
    ssize_t n = recv(connection->stream.fd, discarded, sizeof(discarded), 0);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    rtn_http1_close(connection, connection->cause, connection->detail);
}

void rtn_http1_on_readable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
    (void) events;
    struct rtn_connection *connection = RTN_CONTAINER_OF(watcher, struct rtn_connection, read);
    if (rtn_http1_leave_to_worker(connection)) {
        ev_io_stop(ev, watcher);
        return;
    }
    if (connection->state == RTN_CONNECTION_LINGER)
        read_linger(connection);
    else
        rtn_http1_read(connection);
}

/* The loop has the connection and everything is sent: on with the next request. */
static void go_on(struct rtn_connection *connection)
{
    connection->state = RTN_CONNECTION_READING;
    ev_io_start(connection->http->loop->ev, &connection->read);
    rtn_http1_set_deadline(connection, input_timeout(connection));
    if (connection->request != NULL)
        advance(connection);
    else if (!rtn_http1_may_keep_alive(connection->http))
        rtn_http1_close_idle(connection);
}

void rtn_http1_on_writable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
    (void) events;
    struct rtn_connection *connection = RTN_CONTAINER_OF(watcher, struct rtn_connection, write);
    int r = rtn_stream_flush(&connection->stream);
    if (r == -EAGAIN) {
        begin_write_timeout(connection);
        return;
    }
    if (r < 0) {
        connection->broken = r;
        close_broken(connection);
        return;
    }
    ev_io_stop(ev, watcher);
    if (connection->close_after)
        end_connection(connection);
    else
        go_on(connection);
}

/* A worker has given the connection back with something left to do. */
void rtn_http1_on_mail(struct rtn_mail *mail)
{
    struct rtn_connection *connection = RTN_CONTAINER_OF(mail, struct rtn_connection, mail);
    atomic_store_explicit(&connection->owner, RTN_OWNER_LOOP, memory_order_relaxed);
    if (connection->broken != 0)
        close_broken(connection);
    else if (rtn_stream_pending(&connection->stream))
        wait_until_sent(connection);
    else if (connection->close_after)
        end_connection(connection);
    else
        go_on(connection);
}

static void on_timeout(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    if (connection->state == RTN_CONNECTION_LINGER) {
        rtn_http1_close(connection, connection->cause, connection->detail);
        return;
    }
    if (connection->state == RTN_CONNECTION_SENDING && unsent(connection) < connection->unsent) {
        begin_write_timeout(connection);
        return;
    }
    if (connection->state == RTN_CONNECTION_SENDING) {
        rtn_http1_close(connection, RTN_CLOSE_TIMEOUT, "the client does not read its reply (timeouts.write)");
        return;
    }
    if (request == NULL || request->stage == RTN_REQUEST_EMPTY) {
        rtn_http1_close(connection, RTN_CLOSE_TIMEOUT,
                        connection->used ? "no request came (timeouts.idle)" : "no request came (timeouts.header)");
        return;
    }
    bool in_head = request->stage == RTN_REQUEST_HEAD;
    request->sink = connection->http->sink;
    request->error_status = 408;
    request->error_text = in_head ? "the header section took too long" : "the body took too long";
    request->stage = RTN_REQUEST_BROKEN;
    reply_broken(connection, RTN_CLOSE_TIMEOUT);
}

/* The wheel asks. While a worker holds the connection, its deadline is not to be read yet. */
int64_t rtn_http1_on_due(struct rtn_timeout *timeout, int64_t now)
{
    struct rtn_connection *connection = RTN_CONTAINER_OF(timeout, struct rtn_connection, timeout);
    if (!rtn_http1_is_held_by_loop(connection) || connection->state == RTN_CONNECTION_HANDLED)
        return now + rtn_http1_timeouts(connection->http)->idle;
    if (connection->deadline > now)
        return connection->deadline;
    connection->http->loop->now_ms = now;
    on_timeout(connection);
    return 0;
}

void rtn_http1_resume(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    if (after_reply(connection))
        advance(connection);
}
