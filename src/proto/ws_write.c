/*
 * Sending. Frames are queued while an iteration runs and leave together at its end, or when the queue has reached its
 * bound before that. A client masks each frame with random bytes of its own (RFC 6455, 5.3). Of a socket that is full
 * nothing is asked until it has room. Messages for many are in ws_share.c.
 *
 * A peer that does not take what it is sent is not read either, so that what it asks for cannot pile up.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "proto/http1_internal.h"
#include "proto/ws_internal.h"
#include "proto/ws_send.h"

#define SCRATCH_KEPT 65536 /* memory for compressing that a loop keeps */

void rtn_ws_mark_unsent(struct rtn_ws *ws)
{
    if (rtn_list_empty(&ws->unsent))
        rtn_list_append(&ws->connection->http->ws_unsent, &ws->unsent);
}

void rtn_ws_count(const struct rtn_ws *ws, size_t length)
{
    atomic_fetch_add_explicit(&ws->connection->entry->backlog, (int64_t) length, memory_order_relaxed);
}

/* A new mask; random bytes are fetched many at a time. */
static void next_mask(struct rtn_http1 *http, unsigned char mask[4])
{
    if (http->ws_masks_left == 0) {
        size_t got = 0;
        while (got < sizeof(http->ws_masks)) {
            ssize_t n = getrandom(http->ws_masks + got, sizeof(http->ws_masks) - got, 0);
            got += n > 0 ? (size_t) n : 0;
        }
        http->ws_masks_left = sizeof(http->ws_masks);
    }
    http->ws_masks_left -= 4;
    memcpy(mask, http->ws_masks + http->ws_masks_left, 4);
}

static int queue_frame(struct rtn_ws *ws, unsigned first, struct rtn_str content)
{
    struct rtn_connection *connection = ws->connection;
    unsigned char header[RTN_WS_HEADER_MOST];
    unsigned char mask[4];
    if (connection->outgoing)
        next_mask(connection->http, mask);
    size_t header_length = rtn_ws_header_write(header, first, content.length, connection->outgoing ? mask : NULL);
    unsigned char *at = rtn_stream_reserve(&connection->stream, header_length + content.length);
    if (at == NULL)
        return -ENOMEM;
    memcpy(at, header, header_length);
    if (content.length > 0)
        memcpy(at + header_length, content.data, content.length);
    if (connection->outgoing)
        rtn_ws_mask(at + header_length, content.length, mask, 0);
    rtn_ws_count(ws, header_length + content.length);
    rtn_ws_mark_unsent(ws);
    return 0;
}

bool rtn_ws_is_compressed(const struct rtn_ws *ws, size_t length)
{
    return ws->compress != NULL && length >= (size_t) ws->policy->deflate->min_size;
}

void rtn_ws_trim_scratch(struct rtn_http1 *http)
{
    if (http->ws_scratch.capacity > SCRATCH_KEPT)
        rtn_buf_done(&http->ws_scratch);
}

int rtn_ws_queue(struct rtn_ws *ws, enum rtn_ws_opcode type, struct rtn_str content)
{
    if (!rtn_ws_is_compressed(ws, content.length))
        return queue_frame(ws, RTN_WS_FIN | type, content);
    struct rtn_buf *scratch = &ws->connection->http->ws_scratch;
    rtn_buf_clear(scratch);
    int r = rtn_ws_compress_message(ws->compress, content.data, content.length, scratch);
    if (r == 0) {
        r = queue_frame(ws, RTN_WS_FIN | RTN_WS_RSV1 | type, rtn_buf_str(scratch));
        if (r < 0) /* the peer cannot decompress what follows */
            rtn_ws_fail(ws, RTN_CLOSE_NETWORK, RTN_WS_INTERNAL_ERROR, "memory is out");
    }
    rtn_ws_trim_scratch(ws->connection->http);
    return r;
}

/* Without memory for a few bytes the connection cannot go on. */
void rtn_ws_queue_control(struct rtn_ws *ws, enum rtn_ws_opcode type, const void *data, size_t length)
{
    if (queue_frame(ws, RTN_WS_FIN | type, (struct rtn_str){ data, length }) == 0)
        return;
    ws->connection->broken = -ENOMEM;
    rtn_ws_mark_unsent(ws);
}

static void set_choked(struct rtn_ws *ws, bool choked)
{
    if (ws->choked == choked)
        return;
    ws->choked = choked;
    if (!choked)
        rtn_ws_go_on_reading(ws);
    else if (!ws->feeding)
        rtn_ws_watch_input(ws);
}

void rtn_ws_begin_write_timeout(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    connection->unsent = rtn_http1_unsent(connection);
    ws->write_deadline = rtn_http1_now_ms(connection->http) + ws->policy->write_timeout;
}

static bool is_waiting(const struct rtn_ws *ws)
{
    return ws->write_deadline != 0;
}

/* The socket is full: it tells when it has room. No callback is called from here, since one may be running. */
static void wait_for_room(struct rtn_ws *ws, bool progress)
{
    struct rtn_connection *connection = ws->connection;
    ev_io_start(connection->http->loop->ev, &connection->write);
    atomic_store(&connection->entry->waits, true);
    atomic_store(&connection->entry->drain_due, true);
    if (progress || !is_waiting(ws)) {
        rtn_ws_begin_write_timeout(ws);
        rtn_ws_file_deadline(ws);
    }
}

static void choke_when_full(struct rtn_ws *ws)
{
    set_choked(ws, ws->connection->stream.queued > (size_t) ws->policy->backlog_limit / 2);
}

static void end_waiting(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    ws->write_deadline = 0;
    ws->pinged = rtn_http1_now_ms(connection->http); /* a ping that was due has waited too */
    ev_io_stop(connection->http->loop->ev, &connection->write);
    atomic_store(&connection->entry->waits, false);
    rtn_ws_file_deadline(ws);
}

/* All that was queued is with the system. The handler may send more when it is told: then the socket may be full. */
static void all_sent(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    if (is_waiting(ws))
        end_waiting(ws);
    if (rtn_ws_end_when_due(ws))
        return;
    if (atomic_exchange(&connection->entry->drain_due, false) && !ws->close_sent)
        connection->http->ws_events->drain(ws);
    if (!is_waiting(ws))
        set_choked(ws, false);
}

/*
 * Sends what the socket takes. 0: all; -EAGAIN; or -errno, noted. Senders elsewhere mark a drain as due and then look
 * at the backlog, we lower the backlog and then look for the mark: in one order for all, so that one of us sees it.
 */
static int send_queue(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    size_t before = connection->stream.queued;
    int r = connection->broken != 0 ? connection->broken : rtn_stream_flush(&connection->stream);
    atomic_fetch_sub(&connection->entry->backlog, (int64_t) (before - connection->stream.queued));
    if (r < 0 && r != -EAGAIN)
        connection->broken = r;
    return r;
}

static void send_now(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    size_t before = connection->stream.queued;
    int r = send_queue(ws);
    if (connection->broken != 0) {
        rtn_http1_close_broken(connection);
    } else if (r == -EAGAIN) {
        wait_for_room(ws, connection->stream.queued < before);
        choke_when_full(ws);
    } else {
        all_sent(ws);
    }
}

/* What the iteration has done to it. Of a full socket nothing is asked: it tells when it has room. */
static void flush(struct rtn_ws *ws)
{
    struct rtn_connection *connection = ws->connection;
    if (connection->state != RTN_CONNECTION_WEBSOCKET)
        return;
    if (connection->broken != 0)
        rtn_http1_close_broken(connection);
    else if (ws->overflowed)
        rtn_http1_close(connection, RTN_CLOSE_BACKLOG, "the peer does not take what it is sent (limits.backlog)");
    else if (is_waiting(ws))
        choke_when_full(ws);
    else
        send_now(ws);
}

void rtn_ws_flush(struct rtn_http1 *http)
{
    struct rtn_list *node;
    while ((node = rtn_list_pop(&http->ws_unsent)) != NULL)
        flush(RTN_CONTAINER_OF(node, struct rtn_ws, unsent));
}

void rtn_ws_on_writable(struct ev_loop *ev, struct ev_io *watcher, int events)
{
    (void) ev;
    (void) events;
    send_now(RTN_CONTAINER_OF(watcher, struct rtn_connection, write)->ws);
}

bool rtn_ws_has_room(struct rtn_ws *ws)
{
    const struct rtn_entry *entry = ws->connection->entry;
    if (atomic_load_explicit(&entry->backlog, memory_order_relaxed) < ws->policy->backlog_limit)
        return true;
    if (is_waiting(ws))
        return false;
    /* Much was sent in this iteration, to a peer that may well take it. What is left then is mail on its way. */
    int r = send_queue(ws);
    if (r == -EAGAIN)
        wait_for_room(ws, true);
    if (r < 0) /* or it is broken */
        return atomic_load_explicit(&entry->backlog, memory_order_relaxed) < ws->policy->backlog_limit;
    return true;
}
