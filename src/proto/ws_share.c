/*
 * One message for many: a server sends the same frame to all. Those that have agreed to compression get it compressed
 * once, by the stream of the first of them, without reference to anything before it; so the streams of the others
 * forget too. Masked frames, and those for a narrower window, are made one by one.
 */
#include <errno.h>

#include "proto/ws_internal.h"

static int queue_frame(struct rtn_ws *ws, struct rtn_mailing *mailing, struct rtn_parcel *parcel)
{
    mailing->sent++;
    return rtn_session_queue_shared(&ws->session, mailing, parcel, rtn_parcel_frame(parcel));
}

/* 0, or -ENOMEM: the stream has forgotten, so that nothing is lost by it. */
static int compress(struct rtn_ws *ws, struct rtn_mailing *mailing)
{
    const struct rtn_parcel *parcel = mailing->parcel;
    struct rtn_buf *scratch = &ws->session.connection->http->ws_scratch;
    rtn_buf_clear(scratch);
    rtn_ws_compress_forget(ws->compress);
    int r = rtn_ws_compress_message(ws->compress, rtn_parcel_content(parcel).data, parcel->length, scratch);
    if (r < 0)
        return r;
    mailing->compressed = rtn_parcel_new(parcel->opcode, scratch->data, scratch->length);
    rtn_ws_compress_forget(ws->compress);
    rtn_ws_trim_scratch(ws->session.connection->http);
    if (mailing->compressed == NULL)
        return -ENOMEM;
    rtn_parcel_set_compressed(mailing->compressed);
    mailing->bits = rtn_ws_compress_bits(ws->compress);
    return 0;
}

static int queue_compressed(struct rtn_ws *ws, struct rtn_mailing *mailing)
{
    int r = mailing->compressed != NULL ? 0 : compress(ws, mailing);
    if (r < 0)
        return r;
    if (mailing->bits > rtn_ws_compress_bits(ws->compress))
        return rtn_ws_queue(&ws->session, mailing->parcel->opcode, rtn_parcel_content(mailing->parcel));
    rtn_ws_compress_forget(ws->compress);
    return queue_frame(ws, mailing, mailing->compressed);
}

static int queue(struct rtn_ws *ws, struct rtn_mailing *mailing)
{
    struct rtn_parcel *parcel = mailing->parcel;
    struct rtn_str content = rtn_parcel_content(parcel);
    bool compressed = rtn_ws_is_compressed(ws, content.length);
    if (parcel->opcode >= RTN_WS_OP_CLOSE || ws->session.connection->outgoing || (compressed && mailing->single))
        return rtn_ws_queue(&ws->session, parcel->opcode, content);
    if (compressed)
        return queue_compressed(ws, mailing);
    return queue_frame(ws, mailing, parcel);
}

void rtn_ws_queue_mailing(struct rtn_session *session, struct rtn_mailing *mailing)
{
    struct rtn_ws *ws = rtn_ws_of(session);
    if (session->closing)
        return;
    if (queue(ws, mailing) < 0)
        rtn_ws_fail(ws, RTN_CLOSE_NETWORK, RTN_WS_INTERNAL_ERROR, "memory is out");
}
