/*
 * Frames to be sent. A client masks each of them with random bytes of its own (RFC 6455, 5.3). Messages for many are in
 * ws_share.c.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "proto/ws_internal.h"

#define SCRATCH_KEPT 65536 /* memory for compressing that a loop keeps */

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

/* Where the content is, behind the header; NULL when memory is out. */
static unsigned char *queue_parts(struct rtn_ws *ws, struct rtn_str header, struct rtn_str content)
{
    unsigned char *at = rtn_session_reserve(&ws->session, header.length + content.length);
    if (at == NULL)
        return NULL;
    memcpy(at, header.data, header.length);
    if (content.length > 0)
        memcpy(at + header.length, content.data, content.length);
    return at + header.length;
}

static int queue_masked(struct rtn_ws *ws, unsigned first, struct rtn_str content)
{
    unsigned char header[RTN_WS_HEADER_MOST];
    unsigned char mask[4];
    next_mask(ws->session.connection->http, mask);
    size_t length = rtn_ws_header_write(header, first, content.length, mask);
    unsigned char *at = queue_parts(ws, (struct rtn_str){ (const char *) header, length }, content);
    if (at == NULL)
        return -ENOMEM;
    (void) rtn_ws_mask(at, content.length, mask, 0);
    return 0;
}

static int queue_frame(struct rtn_ws *ws, unsigned first, struct rtn_str content)
{
    unsigned char header[RTN_WS_HEADER_MOST];
    if (ws->session.connection->outgoing)
        return queue_masked(ws, first, content);
    size_t length = rtn_ws_header_write(header, first, content.length, NULL);
    struct rtn_str written = { (const char *) header, length };
    if (rtn_session_sends_at_once(&ws->session, content.length)) {
        rtn_session_send_at_once(&ws->session, written, content);
        return 0;
    }
    return queue_parts(ws, written, content) != NULL ? 0 : -ENOMEM;
}

bool rtn_ws_is_compressed(const struct rtn_ws *ws, size_t length)
{
    return ws->compress != NULL && length >= (size_t) rtn_ws_policy_of(ws)->deflate->min_size;
}

void rtn_ws_trim_scratch(struct rtn_http1 *http)
{
    if (http->ws_scratch.capacity > SCRATCH_KEPT)
        rtn_buf_done(&http->ws_scratch);
}

static int queue_compressed(struct rtn_ws *ws, enum rtn_ws_opcode type, struct rtn_str content)
{
    struct rtn_buf *scratch = &ws->session.connection->http->ws_scratch;
    rtn_buf_clear(scratch);
    int r = rtn_ws_compress_message(ws->compress, content.data, content.length, scratch);
    if (r == 0) {
        r = queue_frame(ws, RTN_WS_FIN | RTN_WS_RSV1 | type, rtn_buf_str(scratch));
        if (r < 0) /* the peer cannot decompress what follows */
            rtn_ws_fail(ws, RTN_CLOSE_NETWORK, RTN_WS_INTERNAL_ERROR, "memory is out");
    }
    rtn_ws_trim_scratch(ws->session.connection->http);
    return r;
}

int rtn_ws_queue(struct rtn_session *session, enum rtn_ws_opcode type, struct rtn_str content)
{
    struct rtn_ws *ws = rtn_ws_of(session);
    if (type >= RTN_WS_OP_CLOSE) {
        rtn_ws_queue_control(ws, type, content.data, content.length);
        return 0;
    }
    rtn_ws_count_sent(content.length);
    if (rtn_ws_is_compressed(ws, content.length))
        return queue_compressed(ws, type, content);
    return queue_frame(ws, RTN_WS_FIN | type, content);
}

void rtn_ws_queue_control(struct rtn_ws *ws, enum rtn_ws_opcode type, const void *data, size_t length)
{
    if (queue_frame(ws, RTN_WS_FIN | type, (struct rtn_str){ data, length }) == 0)
        return;
    ws->session.connection->broken = -ENOMEM;
    rtn_session_mark_unsent(&ws->session);
}
