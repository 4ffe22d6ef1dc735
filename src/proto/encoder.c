/*
 * One row per coding: how an encoder of it is made, used again, run and given up. The levels are those for content that
 * is made for one reply: past them a little less size costs much more time. Windows are small, since a server may have
 * as many encoders at work as it has streamed replies.
 */
#include "proto/encoder.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/macros.h"

#define GZIP_WINDOW (15 + 16) /* zlib's largest, in a gzip wrapper */
#define GZIP_MEMORY 8
#define BR_WINDOW 18
#define ZSTD_WINDOW 17

struct coding;

struct rtn_encoder {
    const struct coding *coding;
    int effort;
    bool unflushed; /* it has taken something since the last flush */
    union {
        z_stream gzip;
        BrotliEncoderState *br;
        ZSTD_CCtx *zstd;
    };
};

struct coding {
    enum rtn_config_encoding encoding;
    struct rtn_str name;
    int levels[RTN_EFFORT_BEST + 1];
    int (*open)(struct rtn_encoder *encoder, int level);
    int (*reset)(struct rtn_encoder *encoder); /* for new content; NULL: cannot be done */
    int (*expect)(struct rtn_encoder *encoder, int64_t length); /* NULL: does not matter */
    int (*run)(struct rtn_encoder *encoder, enum rtn_encoder_op op, struct rtn_encoder_io *io);
    void (*close)(struct rtn_encoder *encoder);
};

static void move_on(struct rtn_encoder_io *io, size_t taken, size_t given)
{
    io->in.data += taken;
    io->in.length -= taken;
    io->out += given;
    io->room -= given;
}

static int gzip_open(struct rtn_encoder *encoder, int level)
{
    encoder->gzip = (z_stream){ 0 };
    return deflateInit2(&encoder->gzip, level, Z_DEFLATED, GZIP_WINDOW, GZIP_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK
               ? 0
               : -ENOMEM;
}

static int gzip_reset(struct rtn_encoder *encoder)
{
    return deflateReset(&encoder->gzip) == Z_OK ? 0 : -EIO;
}

/* zlib counts in 32 bits: what is more than that takes another round. */
static int gzip_step(struct rtn_encoder *encoder, int flush, struct rtn_encoder_io *io)
{
    z_stream *stream = &encoder->gzip;
    size_t length = RTN_MIN(io->in.length, (size_t) UINT_MAX);
    size_t room = RTN_MIN(io->room, (size_t) UINT_MAX);
    stream->next_in = (const Bytef *) io->in.data;
    stream->avail_in = (uInt) length;
    stream->next_out = (Bytef *) io->out;
    stream->avail_out = (uInt) room;
    int r = deflate(stream, length < io->in.length ? Z_NO_FLUSH : flush);
    move_on(io, length - stream->avail_in, room - stream->avail_out);
    return r;
}

/* A flush is over when it leaves room, or, with no room left before, has nothing more to say (Z_BUF_ERROR). */
static int gzip_run(struct rtn_encoder *encoder, enum rtn_encoder_op op, struct rtn_encoder_io *io)
{
    static const int flushes[] = { Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH };
    int r;
    do {
        r = gzip_step(encoder, flushes[op], io);
        if (r != Z_OK && r != Z_STREAM_END && r != Z_BUF_ERROR)
            return -EIO;
    } while (io->in.length > 0 && io->room > 0);
    if (op == RTN_ENCODER_END)
        return r == Z_STREAM_END;
    return io->in.length == 0 && (op == RTN_ENCODER_GO_ON || io->room > 0);
}

static void gzip_close(struct rtn_encoder *encoder)
{
    (void) deflateEnd(&encoder->gzip);
}

static int br_open(struct rtn_encoder *encoder, int level)
{
    encoder->br = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    if (encoder->br == NULL)
        return -ENOMEM;
    (void) BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_QUALITY, (uint32_t) level);
    (void) BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_LGWIN, BR_WINDOW);
    return 0;
}

static int br_expect(struct rtn_encoder *encoder, int64_t length)
{
    (void) BrotliEncoderSetParameter(encoder->br, BROTLI_PARAM_SIZE_HINT, (uint32_t) RTN_MIN(length, INT32_MAX));
    return 0;
}

static bool br_is_done(struct rtn_encoder *encoder, enum rtn_encoder_op op, const struct rtn_encoder_io *io)
{
    if (op == RTN_ENCODER_END)
        return BrotliEncoderIsFinished(encoder->br);
    return io->in.length == 0 && (op == RTN_ENCODER_GO_ON || !BrotliEncoderHasMoreOutput(encoder->br));
}

static int br_run(struct rtn_encoder *encoder, enum rtn_encoder_op op, struct rtn_encoder_io *io)
{
    static const BrotliEncoderOperation operations[] = { BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH,
                                                         BROTLI_OPERATION_FINISH };
    do {
        const uint8_t *in = (const uint8_t *) io->in.data;
        uint8_t *out = (uint8_t *) io->out;
        size_t in_left = io->in.length;
        size_t room = io->room;
        if (!BrotliEncoderCompressStream(encoder->br, operations[op], &in_left, &in, &room, &out, NULL))
            return -ENOMEM;
        move_on(io, io->in.length - in_left, io->room - room);
        if (br_is_done(encoder, op, io))
            return 1;
    } while (io->room > 0);
    return 0;
}

static void br_close(struct rtn_encoder *encoder)
{
    BrotliEncoderDestroyInstance(encoder->br);
}

static int zstd_open(struct rtn_encoder *encoder, int level)
{
    encoder->zstd = ZSTD_createCCtx();
    if (encoder->zstd == NULL)
        return -ENOMEM;
    (void) ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_compressionLevel, level);
    (void) ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_windowLog, ZSTD_WINDOW);
    return 0;
}

static int zstd_reset(struct rtn_encoder *encoder)
{
    return ZSTD_isError(ZSTD_CCtx_reset(encoder->zstd, ZSTD_reset_session_only)) ? -EIO : 0;
}

static int zstd_expect(struct rtn_encoder *encoder, int64_t length)
{
    return ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(encoder->zstd, (unsigned long long) length)) ? -EIO : 0;
}

static int zstd_error(size_t result)
{
    return ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation ? -ENOMEM : -EIO;
}

static int zstd_run(struct rtn_encoder *encoder, enum rtn_encoder_op op, struct rtn_encoder_io *io)
{
    static const ZSTD_EndDirective directives[] = { ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end };
    do {
        ZSTD_inBuffer in = { io->in.data, io->in.length, 0 };
        ZSTD_outBuffer out = { io->out, io->room, 0 };
        size_t left = ZSTD_compressStream2(encoder->zstd, &out, &in, directives[op]);
        if (ZSTD_isError(left))
            return zstd_error(left);
        move_on(io, in.pos, out.pos);
        if (op == RTN_ENCODER_GO_ON ? io->in.length == 0 : left == 0)
            return 1;
    } while (io->room > 0);
    return 0;
}

static void zstd_close(struct rtn_encoder *encoder)
{
    (void) ZSTD_freeCCtx(encoder->zstd);
}

static const struct coding codings[] = {
    { .encoding = RTN_ENCODING_GZIP,
      .name = { "gzip", 4 },
      .levels = { 1, 5, 9 },
      .open = gzip_open,
      .reset = gzip_reset,
      .run = gzip_run,
      .close = gzip_close },
    { .encoding = RTN_ENCODING_BR,
      .name = { "br", 2 },
      .levels = { 2, 4, 6 },
      .open = br_open,
      .expect = br_expect,
      .run = br_run,
      .close = br_close },
    { .encoding = RTN_ENCODING_ZSTD,
      .name = { "zstd", 4 },
      .levels = { 1, 3, 6 },
      .open = zstd_open,
      .reset = zstd_reset,
      .expect = zstd_expect,
      .run = zstd_run,
      .close = zstd_close },
};

/* What this thread keeps; a place per coding. */
static _Thread_local struct rtn_encoder *spares[RTN_ARRAY_LENGTH(codings)];
static pthread_key_t spares_key; /* its destructor frees them when the thread ends */
static pthread_once_t spares_once = PTHREAD_ONCE_INIT;
static bool spares_known;

static const struct coding *coding_of(enum rtn_config_encoding encoding)
{
    size_t i = 0;
    while (codings[i].encoding != encoding)
        i++;
    return &codings[i];
}

static void destroy(struct rtn_encoder *encoder)
{
    encoder->coding->close(encoder);
    free(encoder);
}

static void free_spares(void *data)
{
    struct rtn_encoder **list = data;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(codings); i++) {
        if (list[i] != NULL)
            destroy(list[i]);
        list[i] = NULL;
    }
}

static void make_spares_key(void)
{
    spares_known = pthread_key_create(&spares_key, free_spares) == 0;
}

static bool keep(struct rtn_encoder *encoder)
{
    struct rtn_encoder **spare = &spares[encoder->coding - codings];
    if (encoder->coding->reset == NULL || *spare != NULL || encoder->coding->reset(encoder) < 0)
        return false;
    (void) pthread_once(&spares_once, make_spares_key);
    if (!spares_known || pthread_setspecific(spares_key, spares) != 0)
        return false;
    *spare = encoder;
    return true;
}

static struct rtn_encoder *take_spare(const struct coding *coding, int effort)
{
    struct rtn_encoder *encoder = spares[coding - codings];
    if (encoder == NULL || encoder->effort != effort)
        return NULL;
    spares[coding - codings] = NULL;
    return encoder;
}

static struct rtn_encoder *make(const struct coding *coding, int effort)
{
    struct rtn_encoder *encoder = malloc(sizeof(*encoder));
    if (encoder == NULL)
        return NULL;
    *encoder = (struct rtn_encoder){ .coding = coding, .effort = effort };
    if (coding->open(encoder, coding->levels[effort]) == 0)
        return encoder;
    free(encoder);
    return NULL;
}

struct rtn_str rtn_encoder_coding(enum rtn_config_encoding encoding)
{
    return coding_of(encoding)->name;
}

struct rtn_encoder *rtn_encoder_new(enum rtn_config_encoding encoding, int effort, int64_t length)
{
    const struct coding *coding = coding_of(encoding);
    struct rtn_encoder *encoder = take_spare(coding, effort);
    if (encoder == NULL)
        encoder = make(coding, effort);
    if (encoder == NULL)
        return NULL;
    encoder->unflushed = false;
    if (length < 0 || coding->expect == NULL || coding->expect(encoder, length) == 0)
        return encoder;
    destroy(encoder);
    return NULL;
}

void rtn_encoder_free(struct rtn_encoder *encoder)
{
    if (encoder != NULL && !keep(encoder))
        destroy(encoder);
}

enum rtn_config_encoding rtn_encoder_encoding(const struct rtn_encoder *encoder)
{
    return encoder->coding->encoding;
}

int rtn_encoder_run(struct rtn_encoder *encoder, enum rtn_encoder_op op, struct rtn_encoder_io *io)
{
    if (io->in.length > 0)
        encoder->unflushed = true;
    if (op == RTN_ENCODER_GO_ON && io->in.length == 0)
        return 1;
    if (op == RTN_ENCODER_FLUSH && !encoder->unflushed)
        return 1;
    int r = encoder->coding->run(encoder, op, io);
    if (r == 1 && op == RTN_ENCODER_FLUSH)
        encoder->unflushed = false;
    return r;
}
