/* permessage-deflate: what the two streams make of messages. Clauses: RFC 7692. */
#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/macros.h"
#include "proto/ws_deflate.h"

#define MOST 300000

static const struct rtn_config_deflate plain = { .memory_level = 8, .effort = RTN_EFFORT_DEFAULT };

/* Takes what comes out, up to a limit. */
struct sink {
    struct rtn_buf out;
    size_t limit; /* 0: none */
    unsigned pieces;
};

static int take(void *owner, unsigned char *data, size_t length)
{
    struct sink *sink = owner;
    cr_assert(length > 0 && length <= 16384);
    sink->pieces++;
    rtn_buf_append(&sink->out, data, length);
    memset(data, 0xee, length);
    return sink->limit > 0 && sink->out.length > sink->limit ? -EMSGSIZE : 0;
}

static void expect_text(struct sink *sink, const void *data, size_t length)
{
    cr_assert_eq(sink->out.length, length);
    cr_assert(length == 0 || memcmp(sink->out.data, data, length) == 0);
    rtn_buf_clear(&sink->out);
}

/* The message in one piece, or byte by byte with the end apart. */
static int feed(struct rtn_ws_inflate *stream, struct rtn_str in, bool cut, struct sink *sink)
{
    const unsigned char *data = (const unsigned char *) in.data;
    int r = 0;
    if (!cut)
        return rtn_ws_inflate_feed(stream, data, in.length, true, take, sink);
    for (size_t i = 0; r == 0 && i < in.length; i++)
        r = rtn_ws_inflate_feed(stream, data + i, 1, false, take, sink);
    return r < 0 ? r : rtn_ws_inflate_feed(stream, NULL, 0, true, take, sink);
}

#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00"
#define HELLO_AGAIN "\xf2\x00\x11\x00\x00"
#define HELLO_STORED "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"
#define HELLO_FINAL "\xf3\x48\xcd\xc9\xc9\x07\x00"

/* Messages on one stream with a window of 2^15: the examples of 7.2.3, and what must not pass. */
Test(ws_deflate, inflates_and_refuses)
{
    static const struct {
        struct rtn_str message;
        const char *text; /* NULL: -EPROTO */
    } table[] = {
        { { HELLO, 7 }, "Hello" }, /* 7.2.3.1 */
        { { HELLO_AGAIN, 5 }, "Hello" }, /* 7.2.3.2: from the window */
        { { HELLO_STORED, 11 }, "Hello" }, /* 7.2.3.3 */
        { { "\x00", 1 }, "" }, /* 7.2.3.6 */
        { { HELLO_AGAIN, 5 }, "Hello" },
        { { "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13 }, "Hello" }, /* 7.2.3.5 */
        { { HELLO_FINAL "\x00", 8 }, "Hello" }, /* 7.2.3.4 */
        { { HELLO_FINAL HELLO_FINAL "\x03\x00" HELLO, 23 }, "HelloHelloHello" },
        { { "\x03\x00\x03\x00\x00", 5 }, "" },
        { { "\x01", 1 }, "" }, /* the four bytes complete a final block */
        { { HELLO_FINAL, 7 }, "Hello" }, /* lacks the empty block */
        { { "", 0 }, "" },
        { { HELLO, 7 }, "Hello" },
        { { "\x07", 1 }, NULL }, /* no type of a block */
        { { "\x05\x00\x00", 3 }, NULL }, /* codes that are none */
        { { "\x00\x05\x00\xfa\xfe", 5 }, NULL }, /* lengths of a stored block that differ */
        { { "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff", 11 }, NULL }, /* the four bytes were not taken off */
        { { "\x00\x05\x00\xfa\xff\x48\x65", 7 }, NULL }, /* ends within a block */
        { { HELLO_FINAL "\x00\x00", 9 }, NULL },
        { { HELLO_FINAL HELLO_AGAIN, 12 }, NULL }, /* from behind a final block */
    };
    for (size_t i = 0; i < 2; i++) {
        struct rtn_ws_inflate *stream = rtn_ws_inflate_new(15, false);
        struct sink sink = { 0 };
        for (size_t row = 0; row < RTN_ARRAY_LENGTH(table); row++) {
            const char *text = table[row].text;
            cr_assert_eq(feed(stream, table[row].message, i == 1, &sink), text != NULL ? 0 : -EPROTO, "row %zu", row);
            if (text != NULL) {
                expect_text(&sink, text, strlen(text));
                continue;
            }
            rtn_buf_clear(&sink.out);
            rtn_ws_inflate_free(stream);
            stream = rtn_ws_inflate_new(15, false);
        }
        rtn_ws_inflate_free(stream);
        rtn_buf_done(&sink.out);
    }
}

Test(ws_deflate, who_forgets_has_no_window)
{
    struct rtn_ws_inflate *stream = rtn_ws_inflate_new(15, true);
    struct sink sink = { 0 };
    cr_assert_eq(feed(stream, (struct rtn_str){ HELLO, 7 }, false, &sink), 0);
    expect_text(&sink, "Hello", 5);
    cr_assert_eq(feed(stream, (struct rtn_str){ HELLO, 7 }, true, &sink), 0);
    expect_text(&sink, "Hello", 5);
    cr_assert_eq(feed(stream, (struct rtn_str){ HELLO_AGAIN, 5 }, false, &sink), -EPROTO);
    rtn_ws_inflate_free(stream);
    rtn_ws_inflate_free(NULL);
    rtn_buf_done(&sink.out);
}

static char content[MOST];

/* Text, noise, and runs, by turns. */
static void begin(void)
{
    unsigned state = 1;
    for (size_t i = 0; i < MOST; i++) {
        state = state * 1103515245 + 12345;
        content[i] = i / 3000 % 3 == 0   ? "some text, and again "[i % 21]
                     : i / 3000 % 3 == 1 ? (char) (state >> 23)
                                         : (char) (i / 300);
    }
}

TestSuite(ws_deflate_streams, .init = begin);

static void expect_round_trip(int bits, bool forgets, const struct rtn_config_deflate *config)
{
    static const size_t sizes[] = { 1, 0, 5, 5, 100, 0, 0, 16384, 5000, 16383, 70000, 3, MOST, MOST, 20 };
    struct rtn_ws_compress *compress = rtn_ws_compress_new(bits, forgets, config);
    struct rtn_ws_inflate *inflate = rtn_ws_inflate_new(bits, forgets);
    struct sink sink = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(sizes); i++) {
        rtn_buf_clear(&out);
        rtn_buf_append_text(&out, "head");
        cr_assert_eq(rtn_ws_compress_message(compress, content, sizes[i], &out), 0);
        cr_assert(memcmp(out.data, "head", 4) == 0 && out.data[out.length] == '\0');
        cr_assert(sizes[i] < MOST || out.length < MOST / 2 || bits < 9);
        cr_assert(sizes[i] > 0 || out.length == 5);
        struct rtn_str message = { out.data + 4, out.length - 4 };
        cr_assert_eq(feed(inflate, message, i % 4 == 3, &sink), 0, "%d bits, message %zu", bits, i);
        expect_text(&sink, content, sizes[i]);
    }
    rtn_ws_compress_free(compress);
    rtn_ws_inflate_free(inflate);
    rtn_buf_done(&sink.out);
}

Test(ws_deflate_streams, what_was_compressed_comes_out)
{
    for (int i = 0; i < 8 * 2 * 3; i++) {
        struct rtn_config_deflate config = plain;
        config.effort = i / 16;
        config.memory_level = 1 + i / 2 % 8;
        expect_round_trip(8 + i / 2 % 8, i % 2 == 0, &config);
    }
    rtn_ws_compress_free(NULL);
}

Test(ws_deflate_streams, context_takeover_makes_messages_small)
{
    for (int forgets = 0; forgets < 2; forgets++) {
        struct rtn_ws_compress *stream = rtn_ws_compress_new(15, forgets, &plain);
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf first = { 0 };
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf second = { 0 };
        cr_assert_eq(rtn_ws_compress_message(stream, content + 3000, 2000, &first), 0);
        cr_assert_eq(rtn_ws_compress_message(stream, content + 3000, 2000, &second), 0);
        cr_expect_gt(first.length, 2000);
        cr_expect_eq(second.length < 100, !forgets);
        rtn_ws_compress_free(stream);
    }
}

/* With as little room as can be, zlib has nothing but its window. */
static void expect_in_window(int bits)
{
    struct rtn_ws_compress *stream = rtn_ws_compress_new(bits, false, &plain);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
    cr_assert_eq(rtn_ws_compress_message(stream, content, 60000, &out), 0);
    rtn_ws_compress_free(stream);
    unsigned char byte;
    z_stream z = { .next_in = (Bytef *) out.data, .avail_in = (uInt) out.length };
    cr_assert_eq(inflateInit2(&z, -bits), Z_OK);
    for (size_t i = 0; i < 60000; i++) {
        z.next_out = &byte;
        z.avail_out = 1;
        cr_assert_eq(inflate(&z, Z_SYNC_FLUSH), Z_OK, "%d bits, byte %zu", bits, i);
        cr_assert(z.avail_out == 0 && (char) byte == content[i]);
    }
    (void) inflateEnd(&z);
}

Test(ws_deflate_streams, the_window_is_kept)
{
    for (int bits = 8; bits <= 15; bits++)
        expect_in_window(bits);
}

/* With the final block the whole input is taken before the last piece is out: what follows belongs to another stream.
 */
Test(ws_deflate_streams, a_final_block_may_end_in_any_piece)
{
    static unsigned char nothing[17000];
    struct rtn_ws_inflate *stream = rtn_ws_inflate_new(15, false);
    struct sink sink = { 0 };
    for (uInt size = 16380; size < sizeof(nothing); size++) {
        unsigned char out[200];
        z_stream z = { .next_in = nothing, .avail_in = size, .next_out = out, .avail_out = sizeof(out) };
        cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
        cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
        struct rtn_str message = { (const char *) out, sizeof(out) - z.avail_out };
        (void) deflateEnd(&z);
        cr_assert_eq(feed(stream, message, size % 2 == 0, &sink), 0, "%u bytes", size);
        expect_text(&sink, nothing, size);
    }
    rtn_ws_inflate_free(stream);
    rtn_buf_done(&sink.out);
}

/* 64 MiB of nothing, in 64 KiB: no more comes out than one piece behind the limit. */
Test(ws_deflate_streams, a_bomb_ends_at_the_limit)
{
    const size_t size = (size_t) 64 << 20;
    void *nothing = calloc(1, size);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };
    struct rtn_ws_compress *compress = rtn_ws_compress_new(15, true, &plain);
    struct rtn_ws_inflate *inflate = rtn_ws_inflate_new(15, true);
    struct sink sink = { .limit = 100000 };
    cr_assert_not_null(nothing);
    cr_assert_eq(rtn_ws_compress_message(compress, nothing, size, &out), 0);
    cr_assert_lt(out.length, 70000);
    cr_expect_eq(feed(inflate, rtn_buf_str(&out), false, &sink), -EMSGSIZE);
    cr_expect_leq(sink.out.length, sink.limit + 16384);
    cr_expect_eq(sink.pieces, 7);
    rtn_ws_compress_free(compress);
    rtn_ws_inflate_free(inflate);
    rtn_buf_done(&sink.out);
    free(nothing);
}

/* What one stream has made, another connection gets between its own messages. */
Test(ws_deflate_streams, a_message_can_be_shared)
{
    struct rtn_ws_compress *first = rtn_ws_compress_new(15, false, &plain);
    struct rtn_ws_compress *second = rtn_ws_compress_new(15, false, &plain);
    struct rtn_ws_inflate *in[2] = { rtn_ws_inflate_new(15, false), rtn_ws_inflate_new(15, false) };
    struct rtn_buf shared = { 0 };
    struct rtn_buf own = { 0 };
    struct sink sink = { 0 };
    for (unsigned turn = 0; turn < 3; turn++) {
        rtn_buf_clear(&shared);
        rtn_ws_compress_forget(first);
        cr_assert_eq(rtn_ws_compress_message(first, content, 5000, &shared), 0);
        rtn_ws_compress_forget(second);
        for (unsigned i = 0; i < 2; i++) {
            cr_assert_eq(feed(in[i], rtn_buf_str(&shared), false, &sink), 0);
            expect_text(&sink, content, 5000);
            rtn_buf_clear(&own);
            cr_assert_eq(rtn_ws_compress_message(i == 0 ? first : second, content + 1000, 3000, &own), 0);
            cr_assert_eq(feed(in[i], rtn_buf_str(&own), false, &sink), 0);
            expect_text(&sink, content + 1000, 3000);
        }
    }
    cr_expect_eq(rtn_ws_compress_bits(first), 15);
    rtn_buf_done(&shared);
    rtn_buf_done(&own);
    rtn_buf_done(&sink.out);
    for (unsigned i = 0; i < 2; i++)
        rtn_ws_inflate_free(in[i]);
    rtn_ws_compress_free(first);
    rtn_ws_compress_free(second);
}
