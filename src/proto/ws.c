/*
 * WebSocket as a protocol of sessions (session.h): the frames that come, and the table of what it does in its own way.
 *
 * A reader is only needed while a frame or a message is on its way, so that an idle connection has none. One that
 * nobody needs is kept for the next that reads: mostly a message has come whole, and the reader is free again.
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

/* A spare one is as good as new. NULL when memory is out. */
static struct rtn_ws_reader *take_reader(struct rtn_ws *ws)
{
    struct rtn_http1 *http = ws->session.connection->http;
    struct rtn_ws_reader *reader = http->ws_reader;
    http->ws_reader = NULL;
    if (reader == NULL)
        reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return NULL;
    reader->events = &reader_events;
    reader->owner = ws;
    reader->from_server = ws->session.connection->outgoing;
    reader->streamed = rtn_ws_policy_of(ws)->streamed;
    reader->limit = (uint64_t) ws->session.policy->message_limit;
    reader->inflate = ws->inflate;
    return reader;
}

static void free_reader(struct rtn_ws_reader *reader)
{
    if (reader != NULL)
        rtn_ws_reader_done(reader);
    free(reader);
}

/* Between two messages it is given back; one that has failed goes with the connection. */
static void give_reader(struct rtn_ws *ws)
{
    struct rtn_http1 *http = ws->session.connection->http;
    if (ws->failed || !rtn_ws_reader_is_idle(ws->reader))
        return;
    if (http->ws_reader == NULL)
        http->ws_reader = ws->reader;
    else
        free_reader(ws->reader);
    ws->reader = NULL;
}

void rtn_ws_drop_spare_reader(struct rtn_http1 *http)
{
    free_reader(http->ws_reader);
    http->ws_reader = NULL;
}

/* Whatever stops the reader, the bytes behind that point wait, but for those behind the end. */
static size_t feed(struct rtn_session *session, unsigned char *data, size_t length)
{
    struct rtn_ws *ws = rtn_ws_of(session);
    size_t used = 0;
    if (ws->reader == NULL)
        ws->reader = take_reader(ws);
    int r = ws->reader != NULL ? rtn_ws_reader_feed(ws->reader, data, length, &used) : -ENOMEM;
    if (r == -EPROTO)
        rtn_ws_fail(ws, RTN_CLOSE_PROTOCOL, ws->reader->error_code, ws->reader->error_text);
    else if (r < 0)
        rtn_ws_fail(ws, RTN_CLOSE_NETWORK, RTN_WS_INTERNAL_ERROR, "memory is out");
    else
        give_reader(ws);
    return r < 0 || ws->close_received ? length : used;
}

static struct rtn_buf *assembled(struct rtn_session *session)
{
    return &rtn_ws_of(session)->reader->message;
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
    if (rtn_ws_of(session)->ping_sent)
        session->heard = rtn_http1_now_ms(session->connection->http);
}

static void tune(struct rtn_session *session, const void *policy)
{
    struct rtn_ws *ws = rtn_ws_of(session);
    session->policy = &((const struct rtn_ws_policy *) policy)->session;
    if (ws->reader != NULL)
        ws->reader->limit = (uint64_t) session->policy->message_limit;
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
    free_reader(ws->reader);
    rtn_ws_inflate_free(ws->inflate);
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
    .assembled = assembled,
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
    ws->code = RTN_WS_ABNORMAL;
    return ws;
}

void rtn_ws_attach(struct rtn_ws *ws, struct rtn_connection *connection)
{
    ws->session.connection = connection;
    connection->session = &ws->session;
    rtn_stats_count(RTN_STATS_WEBSOCKETS_BEGUN, !connection->outgoing);
}

int rtn_ws_set_compression(struct rtn_ws *ws, const struct rtn_ws_deflate_terms *terms)
{
    bool outgoing = ws->session.connection->outgoing;
    int theirs = outgoing ? terms->server_bits : terms->client_bits;
    int ours = outgoing ? terms->client_bits : terms->server_bits;
    ws->inflate = rtn_ws_inflate_new(theirs, outgoing ? terms->server_forgets : terms->client_forgets);
    ws->compress = rtn_ws_compress_new(ours, outgoing ? terms->client_forgets : terms->server_forgets,
                                       rtn_ws_policy_of(ws)->deflate);
    return ws->inflate != NULL && ws->compress != NULL ? 0 : -ENOMEM;
}

void rtn_ws_start(struct rtn_connection *connection)
{
    const struct rtn_request *request = connection->request;
    int r =
        rtn_session_keep_unread(connection->session, request->buffer + request->parsed, request->end - request->parsed);
    rtn_http1_drop_request(connection);
    free(connection->hold); /* no worker gets it any more */
    connection->hold = NULL;
    if (r < 0)
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "memory is out");
    else
        rtn_session_open(connection->session);
}
