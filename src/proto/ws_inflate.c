/*
 * The receiving stream of permessage-deflate: raw inflate that goes on from message to message, or begins anew with
 * each. What comes out stands on the stack of feed() for the length of one call of piece(), so that a stream has no
 * memory but zlib's.
 *
 * A window of less than 2^15 is no check: what a peer repeats from farther away is an error only when zlib has no
 * longer got it.
 */
#include "proto/ws_deflate.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/macros.h"

#define PIECE 16384
#define LEAST_BITS 9 /* what zlib writes for those who say 8 */
#define AT_BLOCK_END 128 /* z_stream.data_type behind a block that is not the final one, with no bits left over */

struct rtn_ws_inflate {
    z_stream z;
    int bits;
    bool forgets;
    bool is_open; /* the stream has memory */
    bool is_fresh; /* nothing has come since a message began, or since a final block */
};

struct receiver {
    int (*piece)(void *owner, unsigned char *data, size_t length);
    void *owner;
};

struct rtn_ws_inflate *rtn_ws_inflate_new(int bits, bool forgets)
{
    struct rtn_ws_inflate *stream = malloc(sizeof(*stream));
    if (stream == NULL)
        return NULL;
    *stream = (struct rtn_ws_inflate){ .bits = RTN_MAX(bits, LEAST_BITS), .forgets = forgets };
    return stream;
}

static int open_stream(struct rtn_ws_inflate *stream)
{
    stream->z = (z_stream){ 0 };
    if (inflateInit2(&stream->z, -stream->bits) != Z_OK)
        return -ENOMEM;
    stream->is_open = true;
    stream->is_fresh = true;
    return 0;
}

static void close_stream(struct rtn_ws_inflate *stream)
{
    if (stream->is_open)
        (void) inflateEnd(&stream->z);
    stream->is_open = false;
}

void rtn_ws_inflate_free(struct rtn_ws_inflate *stream)
{
    if (stream == NULL)
        return;
    close_stream(stream);
    free(stream);
}

/* Z_BUF_ERROR only says that there was nothing to do. */
static int error_of(int result)
{
    if (result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR)
        return 0;
    return result == Z_MEM_ERROR ? -ENOMEM : -EPROTO;
}

/*
 * One piece: what fits into it of what the input gives. What came before an error is handed on too: how the input was
 * cut shall make no difference. Behind a final block another stream begins.
 */
static int step(struct rtn_ws_inflate *stream, const struct receiver *receiver)
{
    unsigned char out[PIECE];
    z_stream *z = &stream->z;
    z->next_out = out;
    z->avail_out = PIECE;
    if (z->avail_in > 0)
        stream->is_fresh = false;
    int result = inflate(z, Z_SYNC_FLUSH);
    size_t length = PIECE - z->avail_out;
    int r = length > 0 ? receiver->piece(receiver->owner, out, length) : 0;
    if (r < 0)
        return r;
    if (result == Z_STREAM_END) {
        stream->is_fresh = true;
        (void) inflateReset(z);
    }
    return error_of(result);
}

/* zlib counts in 32 bits: what is more than that takes another round. A piece that was filled may have a successor. */
static int run(struct rtn_ws_inflate *stream, const unsigned char *data, size_t length, const struct receiver *receiver)
{
    z_stream *z = &stream->z;
    while (length > 0) {
        size_t part = RTN_MIN(length, (size_t) UINT_MAX);
        z->next_in = data;
        z->avail_in = (uInt) part;
        do {
            int r = step(stream, receiver);
            if (r < 0)
                return r;
        } while (z->avail_in > 0 || z->avail_out == 0);
        data += part;
        length -= part;
    }
    return 0;
}

/*
 * The four bytes complete the empty block that ends every message. They are too much when nothing is begun: for senders
 * that leave out the block behind a final one, or that send an empty message as nothing.
 */
static int end_message(struct rtn_ws_inflate *stream, const struct receiver *receiver)
{
    static const unsigned char tail[] = { 0x00, 0x00, 0xff, 0xff };
    if (!stream->is_fresh) {
        int r = run(stream, tail, sizeof(tail), receiver);
        if (r < 0)
            return r;
        if (!stream->is_fresh && stream->z.data_type != AT_BLOCK_END)
            return -EPROTO;
    }
    stream->is_fresh = true;
    if (stream->forgets)
        close_stream(stream);
    return 0;
}

int rtn_ws_inflate_feed(struct rtn_ws_inflate *stream, const unsigned char *data, size_t length, bool last,
                        int (*piece)(void *owner, unsigned char *data, size_t length), void *owner)
{
    const struct receiver receiver = { piece, owner };
    int r = stream->is_open ? 0 : open_stream(stream);
    if (r == 0)
        r = run(stream, data, length, &receiver);
    if (r == 0 && last)
        r = end_message(stream, &receiver);
    return r;
}
