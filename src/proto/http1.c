/*
 * The life of an HTTP/1.1 connection on its loop: read once, parse in place, have the request handled, send,
 * and again. See connection.h for the states and for who may touch what.
 *
 * The usual request on the loop costs one recv() and one send(); timeouts are stores (loop/wheel.h); the watcher is
 * never touched. A worker's reply is sent by the worker, and the loop hears of it only when something is left to do.
 */
#include "proto/http1_internal.h"

#include "proto/response.h"

#define SINK_FULL (RTN_SINK_SIZE / 2) /* pipelined replies are sent when so much has gathered */

void rtn_http1_set_deadline(struct rtn_connection *connection, int64_t timeout_ms)
{
    connection->deadline = rtn_http1_now_ms(connection->http) + timeout_ms;
    rtn_wheel_file(&connection->http->wheel, &connection->timeout, connection->deadline);
}

/* False when the connection broke; it is closed then. */
static bool is_whole(struct rtn_connection *connection)
{
    if (connection->broken == 0)
        return true;
    rtn_http1_close_broken(connection);
    return false;
}

static bool flush_sink(struct rtn_connection *connection)
{
    rtn_http1_send_sink(connection, connection->http->sink);
    return is_whole(connection);
}

/* Whoever asked for the close has sent everything; the others may be sending more now. */
bool rtn_http1_should_linger(const struct rtn_connection *connection, const struct rtn_request *request)
{
    return request->stage != RTN_REQUEST_COMPLETE || request->parsed < request->end ||
           !rtn_http1_may_keep_alive(connection->http) || rtn_http1_is_last_request(connection);
}

void rtn_http1_end_reply(struct rtn_connection *connection, struct rtn_request *request)
{
    connection->used = true;
    request->active = false;
    request->leaving = true;
    if (request->keep_alive || connection->close_after)
        return;
    connection->close_after = true;
    connection->cause = request->failed ? RTN_CLOSE_HANDLER : RTN_CLOSE_NORMAL;
    connection->linger_after = rtn_http1_should_linger(connection, request);
    if (request->stage == RTN_REQUEST_BROKEN) {
        connection->cause = request->hostile ? RTN_CLOSE_SECURITY : RTN_CLOSE_PROTOCOL;
        connection->detail = request->error_text;
    }
}

/*
 * The reply to connection->request is in the sink or queued. Decides what comes next; true when the next request can
 * be parsed at once.
 */
static bool after_reply(struct rtn_connection *connection)
{
    struct rtn_http1 *http = connection->http;
    struct rtn_request *request = connection->request;
    rtn_http1_end_reply(connection, request);
    bool must_send = connection->close_after || connection->broken != 0 || http->sink->length > SINK_FULL ||
                     rtn_stream_pending(&connection->stream);
    if (must_send) {
        rtn_http1_send_reply(connection, http->sink);
        if (!is_whole(connection))
            return false;
        if (rtn_stream_pending(&connection->stream)) {
            rtn_http1_wait_until_sent(connection);
            return false;
        }
        if (connection->close_after) {
            rtn_http1_end(connection);
            return false;
        }
    }
    rtn_http1_tell_replied(connection, true);
    rtn_request_next(request);
    connection->state = RTN_CONNECTION_READING;
    rtn_http1_set_deadline(connection, rtn_http1_timeouts(http)->idle);
    return true;
}

void rtn_http1_reply_broken(struct rtn_connection *connection, enum rtn_close_cause cause)
{
    struct rtn_request *request = connection->request;
    rtn_stats_count(RTN_STATS_REQUESTS_BEGUN, 1);
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
        rtn_http1_wait_until_sent(connection);
        return;
    }
    rtn_http1_watch(connection, EV_READ); /* stopped when more was sent behind a later reply than is kept */
    if (request->stage == RTN_REQUEST_EMPTY) {
        (void) rtn_http1_give_back_unused(connection);
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
    if (before == RTN_REQUEST_BODY && request->body_received - request->body_mark < RTN_HTTP1_BODY_STEP)
        return;
    request->body_mark = request->body_received;
    rtn_http1_set_deadline(connection, request->policy->body_timeout);
    if (request->expects_continue && request->body_received == 0)
        rtn_response_continue(request);
    request->expects_continue = false;
}

/* They stand for who has served the connection before. */
static void look_at_slots(struct rtn_connection *connection)
{
    const struct rtn_http1 *http = connection->http;
    connection->slots->looked_at = http->terms;
    if (http->handler->is_outdated != NULL)
        connection->outdated = http->handler->is_outdated(connection);
}

/* Parses what was read. True when the layer above can do something with it. */
static bool parse(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    enum rtn_request_stage before = request->stage;
    enum rtn_request_stage stage = rtn_request_parse(request);
    if (stage == RTN_REQUEST_HEADED) {
        if (request->terms != connection->http->terms)
            rtn_http1_take_terms(request);
        if (connection->slots != NULL && connection->slots->looked_at != request->terms)
            look_at_slots(connection);
        connection->request_count++;
        if (rtn_http1_is_last_request(connection))
            request->keep_alive = false;
        connection->http->handler->head(request);
        stage = rtn_request_parse(request);
    }
    if (stage == RTN_REQUEST_BROKEN) {
        rtn_http1_reply_broken(connection, request->hostile ? RTN_CLOSE_SECURITY : RTN_CLOSE_PROTOCOL);
        return false;
    }
    if (stage == RTN_REQUEST_COMPLETE ||
        (stage == RTN_REQUEST_BODY && request->policy->request_body == RTN_BODY_STREAMED))
        return true;
    note_progress(connection, before);
    wait_for_input(connection);
    return false;
}

static void activate(struct rtn_connection *connection)
{
    struct rtn_http1 *http = connection->http;
    struct rtn_request *request = connection->request;
    request->active = true;
    request->write_deadline = 0;
    connection->state = RTN_CONNECTION_HANDLED;
    rtn_stats_count(RTN_STATS_REQUESTS_BEGUN, 1);
    request->id = rtn_http1_make_id(connection->id, ++http->request_count);
}

/* The answer that says so leaves; what was read behind the request are frames. */
static void become_websocket(struct rtn_connection *connection)
{
    connection->used = true;
    connection->request->active = false;
    connection->request->leaving = true;
    if (!flush_sink(connection))
        return;
    rtn_http1_tell_replied(connection, true);
    rtn_ws_start(connection);
}

/* What an outcome other than RTN_OUTCOME_REPLIED means. */
static void leave(struct rtn_connection *connection, enum rtn_outcome outcome)
{
    if (outcome == RTN_OUTCOME_UPGRADED) {
        become_websocket(connection);
        return;
    }
    if (outcome == RTN_OUTCOME_WAITING) {
        rtn_http1_wait(connection);
        return;
    }
    /* Held from the end of the iteration on: a failure is dealt with when the connection comes back. */
    connection->state = RTN_CONNECTION_HANDLED;
    (void) rtn_response_flush(connection->request);
    if (rtn_stream_pending(&connection->stream))
        rtn_http1_hold_queued(connection);
}

void rtn_http1_advance(struct rtn_connection *connection)
{
    for (;;) {
        struct rtn_request *request = connection->request;
        request->sink = connection->http->sink;
        if (!parse(connection))
            return;
        if (request->stage == RTN_REQUEST_BODY && rtn_http1_make_room(request) < 0) {
            if (flush_sink(connection))
                rtn_http1_close(connection, RTN_CLOSE_NETWORK, "memory is out");
            return;
        }
        activate(connection);
        enum rtn_outcome outcome = connection->http->handler->run(request);
        if (outcome != RTN_OUTCOME_REPLIED) {
            leave(connection, outcome);
            return;
        }
        if (!after_reply(connection))
            return;
    }
}

void rtn_http1_proceed(struct rtn_connection *connection, enum rtn_outcome outcome)
{
    if (outcome != RTN_OUTCOME_REPLIED) {
        leave(connection, outcome);
        return;
    }
    rtn_http1_unwatch(connection, EV_WRITE); /* it may have waited for room */
    if (after_reply(connection))
        rtn_http1_advance(connection);
}

void rtn_http1_run(struct rtn_connection *connection)
{
    connection->request->sink = connection->http->sink;
    rtn_http1_proceed(connection, connection->http->handler->run(connection->request));
}

void rtn_http1_give_up(struct rtn_connection *connection, int status, const char *text, bool close,
                       enum rtn_close_cause cause)
{
    struct rtn_request *request = connection->request;
    request->sink = connection->http->sink;
    if (close) {
        request->keep_alive = false;
        connection->close_after = true;
        connection->linger_after = status != 0;
        connection->cause = cause;
        connection->detail = text;
    }
    rtn_http1_proceed(connection, connection->http->handler->fail(request, status, text));
}
