/*
 * One message for many: a server sends the same frame to all, from where it is, as long as nothing waits before it;
 * small frames that wait are copied, since a reference would weigh more than is counted. Those that have agreed to
 * compression get it compressed once, by the stream of the first of them, without reference to anything before it; so
 * the streams of the others forget too. Masked frames, and those for a narrower window, are made one by one.
 */
#include <errno.h>
#include <string.h>

#include "proto/http1_internal.h"
#include "proto/ws_internal.h"

#define COPIED_MOST 512 /* bytes of a frame */

static int queue_reference(struct rtn_stream *stream, struct rtn_parcel *parcel, struct rtn_str frame)
{
    const struct rtn_piece piece = {
        .data = frame.data, .length = frame.length, .release = rtn_parcel_unref, .release_data = parcel
    };
    rtn_parcel_ref(parcel);
    return rtn_stream_queue(stream, &piece);
}

static int queue_copy(struct rtn_stream *stream, struct rtn_str frame)
{
    void *at = rtn_stream_reserve(stream, frame.length);
    if (at == NULL)
        return -ENOMEM;
    memcpy(at, frame.data, frame.length);
    return 0;
}

static int queue_frame(struct rtn_ws *ws, struct rtn_parcel *parcel)
{
    struct rtn_stream *stream = &ws->connection->stream;
    struct rtn_str frame = rtn_parcel_frame(parcel);
    bool copied = frame.length <= COPIED_MOST && rtn_stream_pending(stream);
    int r = copied ? queue_copy(stream, frame) : queue_reference(stream, parcel, frame);
    if (r < 0)
        return r;
    rtn_ws_count(ws, frame.length);
    rtn_ws_mark_unsent(ws);
    return 0;
}

/* 0, or -ENOMEM: the stream has forgotten, so that nothing is lost by it. */
static int compress(struct rtn_ws *ws, struct rtn_ws_mailing *mailing)
{
    const struct rtn_parcel *parcel = mailing->parcel;
    struct rtn_buf *scratch = &ws->connection->http->ws_scratch;
    rtn_buf_clear(scratch);
    rtn_ws_compress_forget(ws->compress);
    int r = rtn_ws_compress_message(ws->compress, rtn_parcel_content(parcel).data, parcel->length, scratch);
    if (r < 0)
        return r;
    mailing->compressed = rtn_parcel_new(parcel->opcode, scratch->data, scratch->length);
    rtn_ws_compress_forget(ws->compress);
    rtn_ws_trim_scratch(ws->connection->http);
    if (mailing->compressed == NULL)
        return -ENOMEM;
    rtn_parcel_set_compressed(mailing->compressed);
    mailing->bits = rtn_ws_compress_bits(ws->compress);
    return 0;
}

static int queue_compressed(struct rtn_ws *ws, struct rtn_ws_mailing *mailing)
{
    int r = mailing->compressed != NULL ? 0 : compress(ws, mailing);
    if (r < 0)
        return r;
    if (mailing->bits > rtn_ws_compress_bits(ws->compress))
        return rtn_ws_queue(ws, mailing->parcel->opcode, rtn_parcel_content(mailing->parcel));
    rtn_ws_compress_forget(ws->compress);
    return queue_frame(ws, mailing->compressed);
}

static int queue(struct rtn_ws *ws, struct rtn_ws_mailing *mailing)
{
    struct rtn_parcel *parcel = mailing->parcel;
    struct rtn_str content = rtn_parcel_content(parcel);
    if (parcel->opcode >= RTN_WS_OP_CLOSE) {
        rtn_ws_queue_control(ws, parcel->opcode, content.data, content.length);
        return 0;
    }
    if (ws->connection->outgoing)
        return rtn_ws_queue(ws, parcel->opcode, content);
    if (!rtn_ws_is_compressed(ws, content.length))
        return queue_frame(ws, parcel);
    return mailing->single ? rtn_ws_queue(ws, parcel->opcode, content) : queue_compressed(ws, mailing);
}

void rtn_ws_queue_mailing(struct rtn_ws *ws, struct rtn_ws_mailing *mailing)
{
    if (ws->close_sent)
        return;
    if (queue(ws, mailing) < 0)
        rtn_ws_fail(ws, RTN_CLOSE_NETWORK, RTN_WS_INTERNAL_ERROR, "memory is out");
}

void rtn_ws_mailing_done(struct rtn_ws_mailing *mailing)
{
    if (mailing->compressed != NULL)
        rtn_parcel_unref(mailing->compressed);
    mailing->compressed = NULL;
}
