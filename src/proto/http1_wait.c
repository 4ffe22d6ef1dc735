/*
 * Active requests that the loop keeps: they wait for more of their body, for room for more of their reply, or for
 * somebody who will resume them. Each of the three has its deadline; the connection is filed under the earliest.
 */
#include <stdint.h>

#include "proto/http1_internal.h"
#include "proto/response.h"

#define LOOK_MS 2000 /* how often a client that is not read is looked after: it may have gone */

/* What the client may take for 64 KiB of body; time in which it was not asked for any does not count. */
static void move_body_deadline(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    int64_t now = rtn_http1_now_ms(connection->http);
    bool begun = request->body_deadline != 0;
    if (begun && request->busy_since != 0)
        request->body_deadline += now - request->busy_since;
    request->busy_since = 0;
    if (begun && request->body_received - request->body_mark < RTN_HTTP1_BODY_STEP)
        return;
    request->body_mark = request->body_received;
    request->body_deadline = now + request->policy->body_timeout;
}

static void begin_write_timeout(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    connection->unsent = rtn_http1_unsent(connection);
    request->write_deadline = rtn_http1_now_ms(connection->http) + request->policy->write_timeout;
}

static void watch_input(struct rtn_connection *connection)
{
    const struct rtn_request *request = connection->request;
    if (request->reads_body || (request->stage == RTN_REQUEST_COMPLETE && request->end < request->capacity))
        rtn_http1_watch(connection, EV_READ);
    else
        rtn_http1_unwatch(connection, EV_READ);
}

static void watch_output(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    /* Who wants room waits for the client too: the system may have taken all that there was, and be full. */
    bool waits = rtn_stream_pending(&connection->stream) || request->wants_room;
    if (waits)
        rtn_http1_watch(connection, EV_WRITE);
    else
        rtn_http1_unwatch(connection, EV_WRITE);
    if (!waits)
        request->write_deadline = 0;
    else if (request->write_deadline == 0)
        begin_write_timeout(connection);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return b != 0 && b < a ? b : a;
}

static void file_deadline(struct rtn_connection *connection)
{
    const struct rtn_request *request = connection->request;
    struct rtn_http1 *http = connection->http;
    int64_t look = rtn_http1_watches(connection, EV_READ) ? rtn_http1_timeouts(http)->idle : LOOK_MS;
    int64_t deadline = rtn_http1_now_ms(http) + look;
    if (request->reads_body)
        deadline = earlier(deadline, request->body_deadline);
    if (request->response.state == RTN_RESPONSE_NONE)
        deadline = earlier(deadline, request->handler_deadline);
    connection->deadline = earlier(deadline, request->write_deadline);
    rtn_wheel_file(&http->wheel, &connection->timeout, connection->deadline);
}

/* Whoever was told to wait for 100 Continue may send the body now (RFC 9110, 10.1.1). */
static void ask_for_body(struct rtn_request *request)
{
    if (request->expects_continue && request->response.state == RTN_RESPONSE_NONE)
        rtn_response_continue(request);
    request->expects_continue = false;
}

void rtn_http1_wait(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    struct rtn_http1 *http = connection->http;
    connection->state = RTN_CONNECTION_WAITING;
    if (request->reads_body) {
        ask_for_body(request);
        move_body_deadline(connection);
    } else if (request->busy_since == 0) {
        request->busy_since = rtn_http1_now_ms(http);
    }
    (void) rtn_response_flush(request);
    if (connection->broken != 0) {
        rtn_http1_close_broken(connection);
        return;
    }
    watch_input(connection);
    watch_output(connection);
    file_deadline(connection);
}

static bool has_passed(const struct rtn_connection *connection, int64_t deadline)
{
    return deadline != 0 && deadline <= rtn_http1_now_ms(connection->http);
}

void rtn_http1_wait_timeout(struct rtn_connection *connection)
{
    const struct rtn_request *request = connection->request;
    if (request->response.state == RTN_RESPONSE_NONE && has_passed(connection, request->handler_deadline)) {
        rtn_http1_give_up(connection, 504, "the handler took too long (timeouts.handler)", false, RTN_CLOSE_TIMEOUT);
        return;
    }
    if (request->reads_body && has_passed(connection, request->body_deadline)) {
        rtn_http1_give_up(connection, 408, "the body took too long", true, RTN_CLOSE_TIMEOUT);
        return;
    }
    if (has_passed(connection, request->write_deadline)) {
        if (rtn_http1_unsent(connection) >= connection->unsent) {
            rtn_http1_close(connection, RTN_CLOSE_TIMEOUT, "the client does not read its reply (timeouts.write)");
            return;
        }
        begin_write_timeout(connection);
    }
    if (!rtn_http1_watches(connection, EV_READ) && rtn_connection_is_gone(connection)) {
        rtn_http1_give_up(connection, 0, "the client closed the connection in the middle of a request", true,
                          RTN_CLOSE_LOST);
        return;
    }
    file_deadline(connection);
}
