/*
 * WebSocket as a protocol of sessions (session.h): the frames that come, and the table of what it does in its own way.
 */
#include "proto/ws.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/ws_client.h"
#include "proto/ws_internal.h"

static bool on_message(void *owner, enum rtn_ws_opcode type, unsigned char *data, size_t length, bool last)
{
    struct rtn_ws *ws = owner;
    rtn_stats_count(RTN_STATS_WS_IN, last);
    rtn_stats_count(RTN_STATS_WS_IN_BYTES, length);
    if (!ws->session.closing)
        ws->session.connection->http->session_events->message(&ws->session, type, data, length, last);
    return !ws->session.paused;
}

static bool on_control(void *owner, enum rtn_ws_opcode type, const unsigned char *data, size_t length)
{
    struct rtn_ws *ws = owner;
    if (type == RTN_WS_OP_CLOSE) {
        rtn_ws_on_close_frame(ws, data, length);
        return false;
    }
    if (type == RTN_WS_OP_PING && !ws->session.closing)
        rtn_ws_queue_control(ws, RTN_WS_OP_PONG, data, length);
    return !ws->session.paused;
}

static const struct rtn_ws_reader_events reader_events = { .message = on_message, .control = on_control };

/* Whatever stops the reader, the bytes behind that point wait, but for those behind the end. */
static size_t feed(struct rtn_session *session, unsigned char *data, size_t length)
{
    struct rtn_ws *ws = rtn_ws_of(session);
    size_t used = 0;
    int r = rtn_ws_reader_feed(&ws->reader, data, length, &used);
    if (r == -EPROTO)
        rtn_ws_fail(ws, RTN_CLOSE_PROTOCOL, ws->reader.error_code, ws->reader.error_text);
    else if (r < 0)
        rtn_ws_fail(ws, RTN_CLOSE_NETWORK, RTN_WS_INTERNAL_ERROR, "memory is out");
    return r < 0 || ws->close_received ? length : used;
}

/* The deadline of the answer to a ping gives way to that of the next ping. */
static void hear(struct rtn_session *session)
{
    struct rtn_ws *ws = rtn_ws_of(session);
    if (!ws->ping_sent)
        return;
    ws->ping_sent = false;
    rtn_session_file_deadline(session);
}

static void fail(struct rtn_session *session, enum rtn_close_cause cause, const char *detail)
{
    rtn_ws_fail(rtn_ws_of(session), cause, RTN_WS_INTERNAL_ERROR, detail);
}

/* A ping that was due has waited too. */
static void end_waiting(struct rtn_session *session)
{
    rtn_ws_of(session)->pinged = rtn_http1_now_ms(session->connection->http);
}

static void tune(struct rtn_session *session, const void *policy)
{
    struct rtn_ws *ws = rtn_ws_of(session);
    session->policy = &((const struct rtn_ws_policy *) policy)->session;
    ws->reader.limit = (uint64_t) session->policy->message_limit;
}

static void detach(struct rtn_session *session)
{
    const struct rtn_ws *ws = rtn_ws_of(session);
    if (ws->client != NULL)
        rtn_ws_client_detach(ws->client);
}

static void free_session(struct rtn_session *session)
{
    struct rtn_ws *ws = rtn_ws_of(session);
    rtn_ws_reader_done(&ws->reader);
    rtn_ws_inflate_free(ws->reader.inflate);
    rtn_ws_compress_free(ws->compress);
    free(ws->protocol);
    free(ws->reason);
    free(ws);
}

static const struct rtn_session_wire wire = {
    .kind = RTN_SESSION_WS,
    .types = 1U << RTN_WS_OP_TEXT | 1U << RTN_WS_OP_BINARY,
    .feed = feed,
    .heard = hear,
    .end_of_input = rtn_ws_on_end_of_input,
    .queue = rtn_ws_queue,
    .queue_mailing = rtn_ws_queue_mailing,
    .begin_close = rtn_ws_begin_close,
    .fail = fail,
    .end_when_due = rtn_ws_end_when_due,
    .deadline = rtn_ws_deadline,
    .on_timeout = rtn_ws_on_timeout,
    .waited = end_waiting,
    .tune = tune,
    .detach = detach,
    .free = free_session,
};

struct rtn_ws *rtn_ws_new(struct rtn_connection *connection, const struct rtn_ws_policy *policy, void *owner)
{
    struct rtn_ws *ws = calloc(1, sizeof(*ws));
    if (ws == NULL)
        return NULL;
    rtn_session_init(&ws->session, &wire, connection, &policy->session, owner);
    ws->session.assembled = &ws->reader.message;
    ws->code = RTN_WS_ABNORMAL;
    ws->reader.events = &reader_events;
    ws->reader.owner = ws;
    ws->reader.streamed = policy->streamed;
    ws->reader.limit = (uint64_t) policy->session.message_limit;
    return ws;
}

void rtn_ws_attach(struct rtn_ws *ws, struct rtn_connection *connection)
{
    ws->session.connection = connection;
    connection->ws = ws;
    connection->session = &ws->session;
    rtn_stats_count(RTN_STATS_WEBSOCKETS_BEGUN, !connection->outgoing);
}

int rtn_ws_set_compression(struct rtn_ws *ws, const struct rtn_ws_deflate_terms *terms)
{
    bool outgoing = ws->session.connection->outgoing;
    int theirs = outgoing ? terms->server_bits : terms->client_bits;
    int ours = outgoing ? terms->client_bits : terms->server_bits;
    ws->reader.inflate = rtn_ws_inflate_new(theirs, outgoing ? terms->server_forgets : terms->client_forgets);
    ws->compress = rtn_ws_compress_new(ours, outgoing ? terms->client_forgets : terms->server_forgets,
                                       rtn_ws_policy_of(ws)->deflate);
    return ws->reader.inflate != NULL && ws->compress != NULL ? 0 : -ENOMEM;
}

void rtn_ws_start(struct rtn_connection *connection)
{
    const struct rtn_request *request = connection->request;
    int r =
        rtn_session_keep_unread(connection->session, request->buffer + request->parsed, request->end - request->parsed);
    rtn_http1_drop_request(connection);
    if (r < 0)
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "memory is out");
    else
        rtn_session_open(connection->session);
}
