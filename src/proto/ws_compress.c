/*
 * The sending stream of permessage-deflate: raw deflate, flushed at the end of each message. The flush ends with an
 * empty block whose last four bytes stay behind; the receiver adds them.
 */
#include "proto/ws_deflate.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

#include "base/macros.h"

#define LEAST_BITS 9 /* of zlib's raw streams */
#define TAIL 4
#define ROOM_LEAST 16 /* a flush wants more than six bytes */
#define ROOM_MOST 16384

struct rtn_ws_compress {
    z_stream z;
    int bits;
    int level;
    int memory_level;
    bool forgets;
    bool is_open; /* the stream has memory */
};

struct rtn_ws_compress *rtn_ws_compress_new(int bits, bool forgets, const struct rtn_config_deflate *config)
{
    static const int levels[] = { [RTN_EFFORT_FAST] = 1, [RTN_EFFORT_DEFAULT] = 6, [RTN_EFFORT_BEST] = 9 };
    struct rtn_ws_compress *stream = malloc(sizeof(*stream));
    if (stream == NULL)
        return NULL;
    *stream = (struct rtn_ws_compress){
        .bits = bits,
        .level = levels[config->effort],
        .memory_level = (int) config->memory_level,
        .forgets = forgets,
    };
    return stream;
}

/* For a window that zlib does not have, nothing is repeated but the byte before: that is in any window. */
static int open_stream(struct rtn_ws_compress *stream)
{
    const bool is_narrow = stream->bits < LEAST_BITS;
    stream->z = (z_stream){ 0 };
    int r = deflateInit2(&stream->z, stream->level, Z_DEFLATED, -RTN_MAX(stream->bits, LEAST_BITS),
                         stream->memory_level, is_narrow ? Z_RLE : Z_DEFAULT_STRATEGY);
    if (r != Z_OK)
        return -ENOMEM;
    stream->is_open = true;
    return 0;
}

static void close_stream(struct rtn_ws_compress *stream)
{
    if (stream->is_open)
        (void) deflateEnd(&stream->z);
    stream->is_open = false;
}

void rtn_ws_compress_free(struct rtn_ws_compress *stream)
{
    if (stream == NULL)
        return;
    close_stream(stream);
    free(stream);
}

/* A stream that is sound and has room cannot fail. Repeated flushes, when the room was just enough, do no harm. */
static int run(z_stream *z, int flush, struct rtn_buf *out)
{
    do {
        const uLong bound = deflateBound(z, z->avail_in) + ROOM_LEAST;
        const uInt room = (uInt) RTN_MIN(bound, (uLong) ROOM_MOST);
        z->next_out = (Bytef *) rtn_buf_try_reserve(out, room);
        z->avail_out = room;
        if (z->next_out == NULL)
            return -ENOMEM;
        (void) deflate(z, flush);
        out->length += room - z->avail_out;
    } while (z->avail_out == 0);
    return 0;
}

/* zlib counts in 32 bits: what is more than that takes another round. */
static int run_all(z_stream *z, const unsigned char *data, size_t length, struct rtn_buf *out)
{
    int r = 0;
    while (r == 0 && length > 0) {
        size_t part = RTN_MIN(length, (size_t) UINT_MAX);
        z->next_in = data;
        z->avail_in = (uInt) part;
        data += part;
        length -= part;
        r = run(z, length > 0 ? Z_NO_FLUSH : Z_SYNC_FLUSH, out);
    }
    return r;
}

static void cut(struct rtn_buf *out, size_t length)
{
    out->length = length;
    if (out->data != NULL)
        out->data[length] = '\0';
}

/* A stream that was given up is followed by a new one, which repeats nothing of before: the receiver need not know. */
static int compress_content(struct rtn_ws_compress *stream, const void *data, size_t length, struct rtn_buf *out)
{
    const size_t before = out->length;
    int r = stream->is_open ? 0 : open_stream(stream);
    if (r == 0)
        r = run_all(&stream->z, data, length, out);
    if (r < 0 || stream->forgets)
        close_stream(stream);
    cut(out, r < 0 ? before : out->length - TAIL);
    return r;
}

/* The empty message is one byte (RFC 7692, 7.2.3.6): zlib would not flush a second time for nothing. */
int rtn_ws_compress_message(struct rtn_ws_compress *stream, const void *data, size_t length, struct rtn_buf *out)
{
    if (length > 0)
        return compress_content(stream, data, length, out);
    if (rtn_buf_try_reserve(out, 1) == NULL)
        return -ENOMEM;
    rtn_buf_append_char(out, '\0');
    return 0;
}

void rtn_ws_compress_forget(struct rtn_ws_compress *stream)
{
    if (stream->is_open)
        (void) deflateReset(&stream->z);
}

void rtn_ws_compress_rest(struct rtn_ws_compress *stream)
{
    close_stream(stream);
}

int rtn_ws_compress_bits(const struct rtn_ws_compress *stream)
{
    return stream->bits;
}
