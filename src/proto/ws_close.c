/*
 * How a WebSocket ends (RFC 6455, 7): by a close frame of ours or of the peer, by a failure, or by a deadline. A server
 * ends its side of the socket first and reads what still comes, so that the peer gets to see the close frame; a client
 * waits for the server to do so.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/ws_client.h"
#include "proto/ws_internal.h"

/* Queues the close frame; nothing can be sent behind it. */
static void send_close(struct rtn_ws *ws, enum rtn_close_cause cause, int code, struct rtn_str reason,
                       const char *detail)
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
    rtn_ws_queue_control(ws, RTN_WS_OP_CLOSE, content, length);
    rtn_session_begin_closing(&ws->session, cause, detail);
    ws->close_deadline = rtn_http1_now_ms(ws->session.connection->http) + rtn_ws_policy_of(ws)->close_timeout;
    rtn_session_file_deadline(&ws->session);
}

void rtn_ws_begin_close(struct rtn_session *session, const struct rtn_session_end *end)
{
    if (session->closing || session->connection->state != RTN_CONNECTION_SESSION)
        return;
    send_close(rtn_ws_of(session), end->cause, end->code, end->reason, end->detail);
    /* The answer has to be read, whoever has kept us from reading: messages before it are dropped. */
    rtn_session_resume(session);
}

void rtn_ws_fail(struct rtn_ws *ws, enum rtn_close_cause cause, int code, const char *detail)
{
    ws->failed = true;
    ws->session.deaf = true;
    if (ws->session.closing) {
        ws->close_received = true; /* all that may be waited for */
        rtn_session_mark_unsent(&ws->session);
        return;
    }
    send_close(ws, cause, code, rtn_str_of(detail), detail);
}

/* Handlers and the log go without it when memory is out. */
static void keep_reason(struct rtn_ws *ws, const unsigned char *data, size_t length)
{
    free(ws->reason);
    ws->reason = malloc(length);
    ws->reason_length = ws->reason != NULL ? (unsigned char) length : 0;
    if (ws->reason != NULL)
        memcpy(ws->reason, data, length);
}

void rtn_ws_on_close_frame(struct rtn_ws *ws, const unsigned char *data, size_t length)
{
    ws->close_received = true;
    ws->session.deaf = true;
    ws->code = length >= 2 ? data[0] << 8 | data[1] : RTN_WS_NO_CODE;
    if (length > 2)
        keep_reason(ws, data + 2, length - 2);
    if (ws->session.closing) {
        rtn_session_mark_unsent(&ws->session);
        return;
    }
    send_close(ws, RTN_CLOSE_CLIENT, length >= 2 ? ws->code : 0, (struct rtn_str){ 0 },
               "the peer closed the connection");
}

void rtn_ws_on_end_of_input(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    if (rtn_ws_of(session)->close_received)
        rtn_http1_close(connection, connection->cause, connection->detail);
    else
        rtn_http1_close(connection, RTN_CLOSE_LOST, "the peer closed the connection without a close frame");
}

bool rtn_ws_end_when_due(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    const struct rtn_ws *ws = rtn_ws_of(session);
    if (!session->closing || (!ws->close_received && !ws->failed))
        return false;
    if (connection->outgoing && !ws->failed) {
        rtn_http1_watch(connection, EV_READ);
        return true;
    }
    rtn_http1_linger(connection);
    return true;
}

/*
 * When it is time for a ping, or for the answer to one; 0: never. Not while the socket is full: a ping would wait
 * behind the rest, and the write timeout finds out whether the peer is there.
 */
static int64_t ping_deadline(const struct rtn_ws *ws)
{
    const struct rtn_ws_policy *policy = rtn_ws_policy_of(ws);
    if (policy->ping_timeout == 0 || ws->session.closing || ws->session.paused || ws->session.write_deadline != 0)
        return 0;
    return ws->session.heard + (ws->ping_sent ? policy->pong_timeout : policy->ping_timeout);
}

int64_t rtn_ws_deadline(struct rtn_session *session)
{
    const struct rtn_ws *ws = rtn_ws_of(session);
    return ws->close_deadline != 0 ? ws->close_deadline : ping_deadline(ws); /* there are no pings then */
}

static bool close_has_passed(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->session.connection;
    if (!rtn_session_has_passed(&ws->session, ws->close_deadline))
        return false;
    bool by_plan = connection->cause == RTN_CLOSE_NORMAL || connection->cause == RTN_CLOSE_CLIENT;
    if (ws->close_received)
        rtn_ws_on_end_of_input(&ws->session);
    else
        rtn_http1_close(connection, by_plan ? RTN_CLOSE_TIMEOUT : connection->cause,
                        "the peer did not answer the close frame (timeouts.close)");
    return true;
}

static bool ping_has_passed(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->session.connection;
    if (!rtn_session_has_passed(&ws->session, ping_deadline(ws)))
        return false;
    if (ws->ping_sent) {
        rtn_http1_close(connection, RTN_CLOSE_TIMEOUT, "nothing came after a ping (timeouts.pong)");
        return true;
    }
    rtn_ws_queue_control(ws, RTN_WS_OP_PING, NULL, 0);
    if (ws->compress != NULL) /* it may stay silent for long */
        rtn_ws_compress_rest(ws->compress);
    ws->ping_sent = true;
    ws->session.heard = rtn_http1_now_ms(connection->http);
    return false;
}

void rtn_ws_on_timeout(struct rtn_session *session)
{
    struct rtn_ws *ws = rtn_ws_of(session);
    if (session->connection->state == RTN_CONNECTION_CONNECTING)
        rtn_ws_client_timeout(ws->client);
    else if (!close_has_passed(ws) && !rtn_session_write_has_passed(session) && !ping_has_passed(ws))
        rtn_session_file_deadline(session);
}
