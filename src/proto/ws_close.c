/*
 * How a WebSocket ends (RFC 6455, 7): by a close frame of ours or of the peer, by a failure, or by a deadline. A server
 * ends its side of the socket first and reads what still comes, so that the peer gets to see the close frame; a client
 * waits for the server to do so.
 */
#include <string.h>

#include "proto/http1_internal.h"
#include "proto/ws_client.h"
#include "proto/ws_internal.h"

/* Queues the close frame; nothing can be sent behind it. */
static void send_close(struct rtn_ws *ws, int code, struct rtn_str reason)
{
    unsigned char content[RTN_WS_CONTROL_MOST];
    size_t length = 0;
    if (code != 0) {
        content[0] = (unsigned char) (code >> 8);
        content[1] = (unsigned char) code;
        length = 2 + RTN_MIN(reason.length, (size_t) RTN_WS_REASON_MOST);
        if (reason.length > 0)
            memcpy(content + 2, reason.data, length - 2);
    }
    struct rtn_connection *connection = ws->connection;
    rtn_ws_queue_control(ws, RTN_WS_OP_CLOSE, content, length);
    ws->close_sent = true;
    ws->close_deadline = rtn_http1_now_ms(connection->http) + ws->policy->close_timeout;
    atomic_store_explicit(&connection->entry->open_id, 0, memory_order_release);
    rtn_ws_file_deadline(ws);
}

static void set_cause(struct rtn_ws *ws, enum rtn_close_cause cause, const char *detail)
{
    ws->connection->cause = cause;
    ws->connection->detail = detail;
}

void rtn_ws_begin_close(struct rtn_ws *ws, enum rtn_close_cause cause, int code, struct rtn_str reason,
                        const char *detail)
{
    if (ws->close_sent || ws->connection->state != RTN_CONNECTION_WEBSOCKET)
        return;
    set_cause(ws, cause, detail);
    send_close(ws, code, reason);
    /* The answer has to be read, whoever has kept us from reading: messages before it are dropped. */
    rtn_ws_resume(ws);
}

void rtn_ws_fail(struct rtn_ws *ws, enum rtn_close_cause cause, int code, const char *detail)
{
    ws->reader.error_code = code;
    if (ws->close_sent) {
        ws->close_received = true; /* all that may be waited for */
        rtn_ws_mark_unsent(ws);
        return;
    }
    set_cause(ws, cause, detail);
    send_close(ws, code, rtn_str_of(detail));
}

void rtn_ws_leave(struct rtn_ws *ws)
{
    if (ws->connection->state == RTN_CONNECTION_CLOSED)
        return; /* its handler has not heard of it yet */
    if (ws->opened)
        rtn_ws_begin_close(ws, RTN_CLOSE_SHUTDOWN, RTN_WS_GOING_AWAY, RTN_STR("the server is stopping"),
                           "the server is stopping");
    else
        rtn_http1_close(ws->connection, RTN_CLOSE_SHUTDOWN, "the server is stopping");
}

void rtn_ws_on_close_frame(struct rtn_ws *ws, const unsigned char *data, size_t length)
{
    ws->close_received = true;
    ws->code = length >= 2 ? data[0] << 8 | data[1] : RTN_WS_NO_CODE;
    ws->reason_length = length > 2 ? (unsigned) length - 2 : 0;
    if (ws->reason_length > 0)
        memcpy(ws->reason, data + 2, ws->reason_length);
    if (ws->close_sent) {
        rtn_ws_mark_unsent(ws);
        return;
    }
    set_cause(ws, RTN_CLOSE_CLIENT, "the peer closed the connection");
    send_close(ws, length >= 2 ? ws->code : 0, (struct rtn_str){ 0 });
}

void rtn_ws_on_end_of_input(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    if (ws->close_received)
        rtn_http1_close(connection, connection->cause, connection->detail);
    else
        rtn_http1_close(connection, RTN_CLOSE_LOST, "the peer closed the connection without a close frame");
}

bool rtn_ws_end_when_due(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    bool failed = ws->reader.error_code != 0;
    if (!ws->close_sent || (!ws->close_received && !failed))
        return false;
    if (connection->outgoing && !failed) {
        ev_io_start(connection->http->loop->ev, &connection->read);
        return true;
    }
    rtn_http1_linger(connection);
    return true;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return b != 0 && (a == 0 || b < a) ? b : a;
}

/*
 * When it is time for a ping, or for the answer to one; 0: never. Not while the socket is full: a ping would wait
 * behind the rest, and the write timeout finds out whether the peer is there.
 */
static int64_t ping_deadline(const struct rtn_ws *ws)
{
    const struct rtn_ws_policy *policy = ws->policy;
    if (policy->ping_timeout == 0 || ws->close_sent || ws->paused || ws->write_deadline != 0)
        return 0;
    return ws->ping_sent ? ws->pinged + policy->pong_timeout : ws->heard + policy->ping_timeout;
}

void rtn_ws_file_deadline(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    int64_t deadline = earlier(earlier(ws->close_deadline, ws->write_deadline), ping_deadline(ws));
    connection->deadline = deadline;
    if (deadline != 0) /* else whatever ends the reason for that files it */
        rtn_wheel_file(&connection->http->wheel, &connection->timeout, deadline);
}

static bool has_passed(const struct rtn_ws *ws, int64_t deadline)
{
    return deadline != 0 && deadline <= rtn_http1_now_ms(ws->connection->http);
}

static bool close_has_passed(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    if (!has_passed(ws, ws->close_deadline))
        return false;
    bool by_plan = connection->cause == RTN_CLOSE_NORMAL || connection->cause == RTN_CLOSE_CLIENT;
    if (ws->close_received)
        rtn_ws_on_end_of_input(ws);
    else
        rtn_http1_close(connection, by_plan ? RTN_CLOSE_TIMEOUT : connection->cause,
                        "the peer did not answer the close frame (timeouts.close)");
    return true;
}

static bool write_has_passed(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    if (!has_passed(ws, ws->write_deadline))
        return false;
    int before = connection->unsent;
    rtn_ws_begin_write_timeout(ws);
    if (connection->unsent < before)
        return false;
    rtn_http1_close(connection, RTN_CLOSE_TIMEOUT, "the peer does not take what it is sent (timeouts.write)");
    return true;
}

static bool ping_has_passed(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    if (!has_passed(ws, ping_deadline(ws)))
        return false;
    if (ws->ping_sent) {
        rtn_http1_close(connection, RTN_CLOSE_TIMEOUT, "nothing came after a ping (timeouts.pong)");
        return true;
    }
    rtn_ws_queue_control(ws, RTN_WS_OP_PING, NULL, 0);
    if (ws->compress != NULL) /* it may stay silent for long */
        rtn_ws_compress_rest(ws->compress);
    ws->ping_sent = true;
    ws->pinged = rtn_http1_now_ms(connection->http);
    return false;
}

void rtn_ws_on_timeout(struct rtn_ws *ws)
{
    if (ws->connection->state == RTN_CONNECTION_CONNECTING)
        rtn_ws_client_timeout(ws->client);
    else if (!close_has_passed(ws) && !write_has_passed(ws) && !ping_has_passed(ws))
        rtn_ws_file_deadline(ws);
}
