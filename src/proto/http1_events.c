/*
 * What wakes a connection on its loop: bytes from the client, a worker that gives it back, a deadline. See connection.h
 * for the states.
 */
#include "proto/http1_internal.h"

/* How long the rest of what is being read may take; of nothing, how long the next request. */
static int64_t input_timeout(const struct rtn_connection *connection)
{
    const struct rtn_config_timeouts *timeouts = rtn_http1_timeouts(connection->http);
    const struct rtn_request *request = connection->request;
    if (request == NULL || request->stage == RTN_REQUEST_EMPTY)
        return timeouts->idle;
    return request->stage == RTN_REQUEST_HEAD ? timeouts->header : request->policy->body_timeout;
}

void rtn_http1_set_watched(struct rtn_connection *connection, int events)
{
    struct ev_loop *ev = connection->http->loop->ev;
    ev_io_stop(ev, &connection->io);
    ev_io_modify(&connection->io, events & (EV_READ | EV_WRITE));
    if (!rtn_http1_watches(connection, EV_READ | EV_WRITE))
        return;
    ev_io_start(ev, &connection->io);
    rtn_loop_watcher_started(connection->http->loop);
}

static void read_own(struct rtn_connection *connection)
{
    if (connection->state == RTN_CONNECTION_LINGER)
        rtn_http1_read_linger(connection);
    else if (connection->state == RTN_CONNECTION_WAITING && !connection->request->reads_body)
        rtn_http1_read_ahead(connection);
    else
        rtn_http1_read(connection);
}

/* A worker held it when that was last looked at. */
RTN_NOINLINE static void read_held(struct rtn_connection *connection)
{
    if (rtn_http1_is_taken(connection))
        rtn_http1_read_taken(connection);
    else if (rtn_http1_leave_to_worker(connection))
        rtn_http1_unwatch(connection, EV_READ);
    else
        read_own(connection);
}

static inline void on_readable(struct rtn_connection *connection)
{
    if (RTN_LIKELY(rtn_http1_is_held_by_loop(connection)))
        read_own(connection);
    else
        read_held(connection);
}

void rtn_http1_on_io(struct ev_loop *ev, struct ev_io *watcher, int events)
{
    (void) ev;
    rtn_http1_take_events(watcher, events, rtn_http1_on_io, on_readable, rtn_http1_on_writable);
}

/* Nothing would be heard of it any more. One that a worker holds is watched anew when that gives it back. */
RTN_COLD void rtn_http1_on_unwatched(struct rtn_connection *connection)
{
    if (rtn_http1_leave_to_worker(connection))
        rtn_http1_unwatch(connection, EV_READ | EV_WRITE);
    else
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "the system cannot watch it (epoll_ctl failed)");
}

/* The reply has left: the request gives way to what was read behind it. */
static void end_request(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    if (request == NULL || !request->leaving)
        return;
    rtn_http1_tell_replied(connection, true);
    if (request->parsed < request->end)
        rtn_request_next(request);
    else
        rtn_http1_drop_request(connection);
}

/* The loop has the connection and everything is sent: on with the next request. */
void rtn_http1_go_on(struct rtn_connection *connection)
{
    end_request(connection);
    connection->state = RTN_CONNECTION_READING;
    rtn_http1_watch(connection, EV_READ);
    rtn_http1_set_deadline(connection, input_timeout(connection));
    if (connection->request != NULL)
        rtn_http1_advance(connection);
    else if (!rtn_http1_may_keep_alive(connection->http))
        rtn_http1_close_idle(connection);
}

static void take_connection(struct rtn_connection *connection)
{
    if (connection->broken != 0)
        rtn_http1_close_broken(connection);
    else if (connection->request != NULL && connection->request->active)
        rtn_http1_run(connection);
    else if (rtn_stream_pending(&connection->stream))
        rtn_http1_wait_for_socket(connection);
    else if (connection->close_after)
        rtn_http1_end(connection);
    else
        rtn_http1_go_on(connection);
}

/* A worker has given the connection back with something left to do. */
void rtn_http1_on_mail(struct rtn_mail *mail)
{
    struct rtn_connection *connection = RTN_CONTAINER_OF(mail, struct rtn_hold, mail)->connection;
    connection->stream.defer_files = connection->http->terms->defer_files;
    bool taken = rtn_http1_is_taken(connection);
    atomic_store_explicit(&connection->owner, RTN_OWNER_LOOP, memory_order_relaxed);
    if (taken)
        rtn_http1_end_taken(connection);
    else
        take_connection(connection);
    /* A worker may be ending the request of a connection that was closed. */
    if (connection->state != RTN_CONNECTION_CLOSED && (connection->request == NULL || !connection->request->active))
        rtn_http1_drop_resumptions(connection);
}

static void on_timeout(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    if (connection->state == RTN_CONNECTION_WAITING) {
        rtn_http1_wait_timeout(connection);
        return;
    }
    if (connection->state == RTN_CONNECTION_LINGER) {
        rtn_http1_close(connection, connection->cause, connection->detail);
        return;
    }
    if (connection->state == RTN_CONNECTION_SENDING && rtn_http1_unsent(connection) < connection->unsent) {
        rtn_http1_begin_write_timeout(connection);
        return;
    }
    if (connection->state == RTN_CONNECTION_SENDING) {
        rtn_http1_close(connection, RTN_CLOSE_TIMEOUT, "the client does not read its reply (timeouts.write)");
        return;
    }
    if (connection->expects_proxy) {
        rtn_http1_close(connection, RTN_CLOSE_TIMEOUT, "no PROXY header came (timeouts.header)");
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
    rtn_http1_reply_broken(connection, RTN_CLOSE_TIMEOUT);
}

/* The wheel asks. While a worker holds the connection, its deadline is not to be read yet. */
int64_t rtn_http1_on_due(struct rtn_timeout *timeout, int64_t now)
{
    struct rtn_connection *connection = RTN_CONTAINER_OF(timeout, struct rtn_connection, timeout);
    if (!rtn_http1_is_held_by_loop(connection))
        return rtn_http1_on_held_due(connection, now);
    if (connection->state == RTN_CONNECTION_HANDLED)
        return now + rtn_http1_timeouts(connection->http)->idle;
    if (connection->deadline > now)
        return connection->deadline;
    connection->http->loop->now_ms = now;
    struct rtn_session *session = connection->session;
    if (session != NULL && connection->state != RTN_CONNECTION_LINGER) {
        session->wire->on_timeout(session);
        return 0;
    }
    on_timeout(connection);
    return 0;
}
