/* Encoders: what the libraries' own decoders make of their output, for all sizes, efforts and small rooms. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <brotli/decode.h>
#include <criterion/criterion.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "proto/encoder.h"

#define MOST 300000

static const enum rtn_config_encoding encodings[] = { RTN_ENCODING_GZIP, RTN_ENCODING_BR, RTN_ENCODING_ZSTD };
static char content[MOST];
static char decoded[MOST + 1];

/* Half text, half noise. */
static void begin(void)
{
    unsigned state = 1;
    for (size_t i = 0; i < MOST; i++) {
        state = state * 1103515245 + 12345;
        content[i] = i / 5000 % 2 == 0 ? "some text, and again "[i % 21] : (char) (state >> 23);
    }
}

TestSuite(encoder, .init = begin);

/* One call of rtn_encoder_run() after the other, each with that much room. */
static int run(struct rtn_encoder *encoder, enum rtn_encoder_op op, struct rtn_str in, size_t room, struct rtn_buf *out)
{
    struct rtn_encoder_io io = { .in = in };
    int r = 0;
    while (r == 0) {
        io.out = rtn_buf_reserve(out, room);
        io.room = room;
        r = rtn_encoder_run(encoder, op, &io);
        out->length += room - io.room;
        cr_assert_leq(io.room, room);
        cr_assert(r != 0 || io.room == 0, "it had room and did not use it");
    }
    cr_assert(r < 0 || io.in.length == 0);
    return r;
}

static size_t gunzip(struct rtn_str in, bool *ended)
{
    z_stream stream = { .next_in = (Bytef *) (uintptr_t) in.data,
                        .avail_in = (uInt) in.length,
                        .next_out = (Bytef *) decoded,
                        .avail_out = sizeof(decoded) };
    cr_assert_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    int r = inflate(&stream, Z_SYNC_FLUSH);
    cr_assert(r == Z_OK || r == Z_STREAM_END || r == Z_BUF_ERROR, "%d", r);
    *ended = r == Z_STREAM_END && stream.avail_in == 0;
    (void) inflateEnd(&stream);
    return sizeof(decoded) - stream.avail_out;
}

static size_t unbr(struct rtn_str in, bool *ended)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    const uint8_t *next_in = (const uint8_t *) in.data;
    uint8_t *next_out = (uint8_t *) decoded;
    size_t room = sizeof(decoded);
    int r = BrotliDecoderDecompressStream(state, &in.length, &next_in, &room, &next_out, NULL);
    cr_assert_neq(r, BROTLI_DECODER_RESULT_ERROR);
    *ended = r == BROTLI_DECODER_RESULT_SUCCESS && in.length == 0;
    BrotliDecoderDestroyInstance(state);
    return sizeof(decoded) - room;
}

static size_t unzstd(struct rtn_str in, bool *ended)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer input = { in.data, in.length, 0 };
    ZSTD_outBuffer output = { decoded, sizeof(decoded), 0 };
    size_t left = 1;
    while (input.pos < input.size && left != 0) {
        left = ZSTD_decompressStream(context, &output, &input);
        cr_assert(!ZSTD_isError(left), "%s", ZSTD_getErrorName(left));
    }
    *ended = left == 0 && input.pos == input.size;
    (void) ZSTD_freeDCtx(context);
    return output.pos;
}

/* The first `length` bytes of the content come out, and the end, or not. */
static void expect_decoded(enum rtn_config_encoding encoding, const struct rtn_buf *out, size_t length, bool wants_end)
{
    bool ended = false;
    struct rtn_str in = rtn_buf_str(out);
    size_t found = encoding == RTN_ENCODING_GZIP ? gunzip(in, &ended)
                   : encoding == RTN_ENCODING_BR ? unbr(in, &ended)
                                                 : unzstd(in, &ended);
    cr_assert_eq(found, length, "encoding %d: %zu of %zu", (int) encoding, found, length);
    cr_assert(memcmp(decoded, content, length) == 0);
    cr_assert_eq(ended, wants_end, "encoding %d, %zu bytes", (int) encoding, length);
}

static struct rtn_encoder *make(enum rtn_config_encoding encoding, int effort, int64_t length)
{
    struct rtn_encoder *encoder = rtn_encoder_new(encoding, effort, length);
    cr_assert_not_null(encoder);
    cr_assert_eq(rtn_encoder_encoding(encoder), encoding);
    return encoder;
}

Test(encoder, names_are_those_of_the_registry)
{
    cr_expect(rtn_str_equal(rtn_encoder_coding(RTN_ENCODING_GZIP), RTN_STR("gzip")));
    cr_expect(rtn_str_equal(rtn_encoder_coding(RTN_ENCODING_BR), RTN_STR("br")));
    cr_expect(rtn_str_equal(rtn_encoder_coding(RTN_ENCODING_ZSTD), RTN_STR("zstd")));
}

Test(encoder, every_size_at_once)
{
    static const size_t sizes[] = { 0, 1, 2, 15, 100, 4999, 5001, 65535, 65536, 131072, 262144, 262145, MOST };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(encodings) * RTN_ARRAY_LENGTH(sizes) * 6; i++) {
        enum rtn_config_encoding encoding = encodings[i % 3];
        int effort = (int) (i / 3 % 3);
        bool promised = i / 9 % 2 != 0;
        size_t size = sizes[i / 18];
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
        struct rtn_encoder *encoder = make(encoding, effort, promised ? (int64_t) size : -1);
        cr_assert_eq(run(encoder, RTN_ENCODER_END, (struct rtn_str){ content, size }, 10000, &out), 1);
        expect_decoded(encoding, &out, size, true);
        cr_assert(size < 1000 || out.length < size, "%zu became %zu", size, out.length);
        rtn_encoder_free(encoder);
    }
}

Test(encoder, pieces_and_rooms_of_every_kind)
{
    static const size_t pieces[] = { 1, 7, 1000, 70000 };
    static const size_t rooms[] = { 16, 17, 100, 4096 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(encodings) * 16; i++) {
        enum rtn_config_encoding encoding = encodings[i % 3];
        size_t piece = pieces[i / 3 % 4];
        size_t room = rooms[i / 12];
        size_t size = piece == 1 ? 6000 : 140000;
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
        struct rtn_encoder *encoder = make(encoding, RTN_EFFORT_DEFAULT, -1);
        for (size_t at = 0; at < size; at += piece) {
            struct rtn_str in = { content + at, RTN_MIN(piece, size - at) };
            cr_assert_eq(run(encoder, RTN_ENCODER_GO_ON, in, room, &out), 1);
        }
        cr_assert_eq(run(encoder, RTN_ENCODER_END, (struct rtn_str){ 0 }, room, &out), 1);
        expect_decoded(encoding, &out, size, true);
        rtn_encoder_free(encoder);
    }
}

Test(encoder, a_flush_makes_all_so_far_decodable)
{
    static const size_t rooms[] = { 16, 10000 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(encodings) * 2; i++) {
        enum rtn_config_encoding encoding = encodings[i % 3];
        size_t room = rooms[i / 3];
        size_t at = 0;
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
        struct rtn_encoder *encoder = make(encoding, RTN_EFFORT_DEFAULT, -1);
        for (size_t piece = 1; piece < 20000; at += piece, piece *= 3) {
            cr_assert_eq(run(encoder, RTN_ENCODER_GO_ON, (struct rtn_str){ content + at, piece }, room, &out), 1);
            cr_assert_eq(run(encoder, RTN_ENCODER_FLUSH, (struct rtn_str){ 0 }, room, &out), 1);
            expect_decoded(encoding, &out, at + piece, false);
        }
        cr_assert_eq(run(encoder, RTN_ENCODER_END, (struct rtn_str){ 0 }, room, &out), 1);
        expect_decoded(encoding, &out, at, true);
        rtn_encoder_free(encoder);
    }
}

Test(encoder, a_flush_of_nothing_says_nothing)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(encodings); i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
        struct rtn_encoder *encoder = make(encodings[i], RTN_EFFORT_DEFAULT, -1);
        cr_expect_eq(run(encoder, RTN_ENCODER_FLUSH, (struct rtn_str){ 0 }, 100, &out), 1);
        cr_expect_eq(run(encoder, RTN_ENCODER_GO_ON, (struct rtn_str){ 0 }, 100, &out), 1);
        cr_expect_eq(out.length, 0);
        cr_expect_eq(run(encoder, RTN_ENCODER_FLUSH, (struct rtn_str){ content, 50 }, 100, &out), 1);
        size_t length = out.length;
        cr_expect_gt(length, 0);
        cr_expect_eq(run(encoder, RTN_ENCODER_FLUSH, (struct rtn_str){ 0 }, 100, &out), 1);
        cr_expect_eq(out.length, length);
        rtn_encoder_free(encoder);
    }
}

/* Given up at any point, the next one of the thread knows nothing of it. */
Test(encoder, is_clean_when_it_is_used_again)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(encodings) * 20; i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf thrown = { 0 };
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
        struct rtn_encoder *encoder = make(encodings[i % 3], RTN_EFFORT_DEFAULT, i % 2 == 0 ? 100000 : -1);
        cr_assert_eq(run(encoder, RTN_ENCODER_GO_ON, (struct rtn_str){ content + 77, i * 1500 }, 1000, &thrown), 1);
        rtn_encoder_free(encoder);
        encoder = make(encodings[i % 3], RTN_EFFORT_DEFAULT, -1);
        cr_assert_eq(run(encoder, RTN_ENCODER_END, (struct rtn_str){ content, 30000 }, 1000, &out), 1);
        expect_decoded(encodings[i % 3], &out, 30000, true);
        rtn_encoder_free(encoder);
    }
}

Test(encoder, two_at_a_time)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(encodings); i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf one = { 0 };
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf two = { 0 };
        struct rtn_encoder *first = make(encodings[i], RTN_EFFORT_FAST, -1);
        struct rtn_encoder *second = make(encodings[i], RTN_EFFORT_BEST, -1);
        cr_assert_eq(run(first, RTN_ENCODER_GO_ON, (struct rtn_str){ content, 9000 }, 1000, &one), 1);
        cr_assert_eq(run(second, RTN_ENCODER_END, (struct rtn_str){ content, 8000 }, 1000, &two), 1);
        rtn_encoder_free(second);
        cr_assert_eq(run(first, RTN_ENCODER_END, (struct rtn_str){ content + 9000, 1000 }, 1000, &one), 1);
        rtn_encoder_free(first);
        expect_decoded(encodings[i], &one, 10000, true);
        expect_decoded(encodings[i], &two, 8000, true);
    }
}

Test(encoder, a_broken_promise_is_an_error_where_it_matters)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
    struct rtn_encoder *encoder = make(RTN_ENCODING_ZSTD, RTN_EFFORT_DEFAULT, 100);
    cr_expect_eq(run(encoder, RTN_ENCODER_GO_ON, (struct rtn_str){ content, 50 }, 1000, &out), 1);
    cr_expect_eq(run(encoder, RTN_ENCODER_END, (struct rtn_str){ 0 }, 1000, &out), -EIO);
    rtn_encoder_free(encoder);
}

static void *encode_on_thread(void *data)
{
    (void) data;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(encodings); i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
        struct rtn_encoder *encoder = make(encodings[i], RTN_EFFORT_DEFAULT, -1);
        (void) run(encoder, RTN_ENCODER_END, (struct rtn_str){ content, 3000 }, 1000, &out);
        rtn_encoder_free(encoder);
    }
    return NULL;
}

/* What threads keep goes with them: a leak checker would tell. */
Test(encoder, threads_end)
{
    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, encode_on_thread, NULL), 0);
        cr_assert_eq(pthread_join(thread, NULL), 0);
    }
    rtn_encoder_free(NULL);
}
