/*
 * The life of a WebSocket on its loop, and reading. One recv() per event into a buffer that all of them share; what
 * cannot be handled at once, because the layer above or the peer cannot follow, is kept, and nothing more is read until
 * it was handled.
 *
 * Nothing in here closes the socket while a callback of the layer above runs: closing is marked, and done by the flush
 * at the end of the iteration or by the event that comes next.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/http1_internal.h"
#include "proto/ws_client.h"
#include "proto/ws_internal.h"

#define INPUT_SIZE 65536

static bool on_message(void *owner, enum rtn_ws_opcode type, unsigned char *data, size_t length, bool last)
{
    struct rtn_ws *ws = owner;
    if (!ws->close_sent)
        ws->connection->http->ws_events->message(ws, type, data, length, last);
    return !ws->paused;
}

static bool on_control(void *owner, enum rtn_ws_opcode type, const unsigned char *data, size_t length)
{
    struct rtn_ws *ws = owner;
    if (type == RTN_WS_OP_CLOSE) {
        rtn_ws_on_close_frame(ws, data, length);
        return false;
    }
    if (type == RTN_WS_OP_PING && !ws->close_sent)
        rtn_ws_queue_control(ws, RTN_WS_OP_PONG, data, length);
    return !ws->paused;
}

static const struct rtn_ws_reader_events reader_events = { .message = on_message, .control = on_control };

struct rtn_ws *rtn_ws_new(struct rtn_connection *connection, const struct rtn_ws_policy *policy, void *owner)
{
    struct rtn_ws *ws = calloc(1, sizeof(*ws));
    if (ws == NULL)
        return NULL;
    ws->connection = connection;
    ws->policy = policy;
    ws->owner = owner;
    ws->code = RTN_WS_ABNORMAL;
    ws->reader.events = &reader_events;
    ws->reader.owner = ws;
    ws->reader.streamed = policy->streamed;
    ws->reader.limit = (uint64_t) policy->message_limit;
    rtn_list_init(&ws->unsent);
    rtn_list_init(&ws->topics);
    return ws;
}

void rtn_ws_free(struct rtn_ws *ws)
{
    if (ws == NULL)
        return;
    rtn_ws_reader_done(&ws->reader);
    rtn_ws_inflate_free(ws->inflate);
    rtn_ws_compress_free(ws->compress);
    rtn_buf_done(&ws->unread);
    free(ws->protocol);
    free(ws);
}

int rtn_ws_set_compression(struct rtn_ws *ws, const struct rtn_ws_deflate_terms *terms)
{
    bool outgoing = ws->connection->outgoing;
    int theirs = outgoing ? terms->server_bits : terms->client_bits;
    int ours = outgoing ? terms->client_bits : terms->server_bits;
    ws->inflate = rtn_ws_inflate_new(theirs, outgoing ? terms->server_forgets : terms->client_forgets);
    ws->compress =
        rtn_ws_compress_new(ours, outgoing ? terms->client_forgets : terms->server_forgets, ws->policy->deflate);
    ws->reader.inflate = ws->inflate;
    return ws->inflate != NULL && ws->compress != NULL ? 0 : -ENOMEM;
}

static bool may_read(const struct rtn_ws *ws)
{
    return !ws->paused && !ws->choked && !ws->close_received && ws->reader.error_code == 0;
}

void rtn_ws_watch_input(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    if (may_read(ws) && ws->unread.length == 0)
        ev_io_start(connection->http->loop->ev, &connection->read);
    else
        ev_io_stop(connection->http->loop->ev, &connection->read);
}

int rtn_ws_keep_unread(struct rtn_ws *ws, const void *data, size_t length)
{
    if (length == 0)
        return 0;
    char *at = rtn_buf_try_reserve(&ws->unread, length);
    if (at == NULL)
        return -ENOMEM;
    memcpy(at, data, length);
    ws->unread.length += length;
    return 0;
}

/* Whatever stops the reader, the bytes behind that point wait, but for those behind the end. */
static void feed(struct rtn_ws *ws, unsigned char *data, size_t length)
{
    size_t used = 0;
    ws->feeding = true;
    int r = rtn_ws_reader_feed(&ws->reader, data, length, &used);
    ws->feeding = false;
    if (r == 0 && !ws->close_received)
        r = rtn_ws_keep_unread(ws, data + used, length - used);
    if (r == -EPROTO)
        rtn_ws_fail(ws, RTN_CLOSE_PROTOCOL, ws->reader.error_code, ws->reader.error_text);
    else if (r < 0)
        rtn_ws_fail(ws, RTN_CLOSE_NETWORK, RTN_WS_INTERNAL_ERROR, "memory is out");
}

/* What was kept comes first. */
static void feed_unread(struct rtn_ws *ws)
{
    while (ws->unread.length > 0 && may_read(ws)) {
        struct rtn_buf unread = ws->unread;
        ws->unread = (struct rtn_buf){ 0 };
        feed(ws, (unsigned char *) unread.data, unread.length);
        rtn_buf_done(&unread);
    }
}

/* Whatever comes is a sign of life; the deadline of the answer to a ping gives way to that of the next ping. */
static void hear(struct rtn_ws *ws)
{
    ws->heard = rtn_http1_now_ms(ws->connection->http);
    if (!ws->ping_sent)
        return;
    ws->ping_sent = false;
    rtn_ws_file_deadline(ws);
}

static void on_readable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
    (void) ev;
    (void) events;
    struct rtn_connection *connection = RTN_CONTAINER_OF(watcher, struct rtn_connection, read);
    struct rtn_http1 *http = connection->http;
    struct rtn_ws *ws = connection->ws;
    if (connection->state == RTN_CONNECTION_LINGER || ws->close_received) {
        rtn_http1_read_linger(connection); /* only the end of input is of interest */
        return;
    }
    ssize_t n;
    do
        n = recv(connection->stream.fd, http->ws_input, INPUT_SIZE, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        hear(ws);
        feed(ws, http->ws_input, (size_t) n);
        rtn_ws_watch_input(ws);
    } else if (n == 0) {
        rtn_ws_on_end_of_input(ws);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
        connection->broken = -errno;
        rtn_http1_close_broken(connection);
    }
}

static bool has_input_buffer(struct rtn_http1 *http)
{
    if (http->ws_input == NULL)
        http->ws_input = malloc(INPUT_SIZE);
    return http->ws_input != NULL;
}

/* From now on senders find it. */
static void publish(struct rtn_ws *ws)
{
    struct rtn_entry *entry = ws->connection->entry;
    atomic_store_explicit(&entry->waits, false, memory_order_relaxed);
    atomic_store_explicit(&entry->drain_due, false, memory_order_relaxed);
    atomic_store_explicit(&entry->drops, ws->policy->drop, memory_order_relaxed);
    atomic_store_explicit(&entry->backlog_limit, ws->policy->backlog_limit, memory_order_relaxed);
    atomic_fetch_add_explicit(&entry->backlog, (int64_t) ws->connection->stream.queued, memory_order_relaxed);
    atomic_store_explicit(&entry->open_id, entry->id, memory_order_release);
}

static void watch(struct rtn_connection *connection)
{
    struct ev_loop *ev = connection->http->loop->ev;
    ev_io_stop(ev, &connection->read);
    ev_io_stop(ev, &connection->write);
    ev_io_init(&connection->read, on_readable, connection->stream.fd, EV_READ);
    ev_io_init(&connection->write, rtn_ws_on_writable, connection->stream.fd, EV_WRITE);
}

void rtn_ws_open(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    struct rtn_http1 *http = connection->http;
    if (!has_input_buffer(http)) {
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "memory is out");
        return;
    }
    watch(connection);
    connection->state = RTN_CONNECTION_WEBSOCKET;
    ws->heard = rtn_http1_now_ms(http);
    ws->opened = true;
    ws->opened_at = ws->heard;
    publish(ws);
    if (rtn_stream_pending(&connection->stream))
        rtn_ws_mark_unsent(ws);
    http->ws_events->open(ws);
    if (!rtn_http1_may_keep_alive(http))
        rtn_ws_leave(ws);
    feed_unread(ws);
    rtn_ws_watch_input(ws);
    rtn_ws_file_deadline(ws);
}

void rtn_ws_start(struct rtn_connection *connection)
{
    const struct rtn_request *request = connection->request;
    int r = rtn_ws_keep_unread(connection->ws, request->buffer + request->parsed, request->end - request->parsed);
    rtn_http1_drop_request(connection);
    if (r < 0)
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "memory is out");
    else
        rtn_ws_open(connection->ws);
}

void rtn_ws_pause(struct rtn_ws *ws)
{
    ws->paused = true;
    if (!ws->feeding)
        rtn_ws_watch_input(ws);
}

void rtn_ws_go_on_reading(struct rtn_ws *ws)
{
    if (ws->connection->state != RTN_CONNECTION_WEBSOCKET)
        return;
    hear(ws); /* nobody listened meanwhile */
    rtn_ws_file_deadline(ws);
    if (ws->feeding)
        return;
    feed_unread(ws);
    rtn_ws_watch_input(ws);
}

void rtn_ws_resume(struct rtn_ws *ws)
{
    ws->paused = false;
    rtn_ws_go_on_reading(ws);
}

void rtn_ws_detach(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    struct rtn_entry *entry = connection->entry;
    atomic_store_explicit(&entry->open_id, 0, memory_order_release);
    if (ws->opened)
        atomic_fetch_sub_explicit(&entry->backlog, (int64_t) connection->stream.queued, memory_order_relaxed);
    rtn_list_remove(&ws->unsent);
    if (ws->client != NULL)
        rtn_ws_client_detach(ws->client);
    rtn_topics_leave_all(&connection->http->topics, ws);
    rtn_buf_done(&ws->unread);
}
