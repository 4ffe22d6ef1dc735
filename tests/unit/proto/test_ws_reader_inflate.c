/* Compressed messages (RFC 7692) through the WebSocket reader. */
#include <zlib.h>

#include "ws_reader_support.h"

#define LIMIT 100000
#define HELLO "\xf2\x48\xcd\xc9\xc9\x07\x00" /* "Hello" */
#define AGAIN "\x00\x00\xff\xff" HELLO /* behind that in one message */

static void begin_inflating(struct outcome *outcome, const struct delivery *delivery, uint64_t limit)
{
    begin(outcome, delivery, limit);
    outcome->reader.inflate = rtn_ws_inflate_new(15, false);
    cr_assert_not_null(outcome->reader.inflate);
}

static void finish_inflating(struct outcome *outcome)
{
    rtn_ws_inflate_free(outcome->reader.inflate);
    finish(outcome);
}

/* As a sender does: flushed, and without the last four bytes. */
static void deflate_text(struct rtn_buf *out, const void *data, size_t length)
{
    z_stream z = { 0 };
    cr_assert_eq(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, length) + 16;
    z.next_out = (Bytef *) rtn_buf_reserve(out, room);
    z.avail_out = (uInt) room;
    z.next_in = (Bytef *) (uintptr_t) data;
    z.avail_in = (uInt) length;
    cr_assert_eq(deflate(&z, Z_SYNC_FLUSH), Z_OK);
    cr_assert_eq(z.avail_in, 0);
    out->length += room - z.avail_out - 4;
    (void) deflateEnd(&z);
}

/* Fragments of `fragment` bytes. */
static void put_compressed(struct rtn_buf *out, const struct delivery *delivery, enum rtn_ws_opcode type,
                           const struct rtn_buf *content, size_t fragment)
{
    size_t at = 0;
    do {
        size_t part = RTN_MIN(fragment, content->length - at);
        unsigned first = at == 0 ? RSV1 | (unsigned) type : MORE;
        put_frame(out, delivery, first | (at + part == content->length ? FIN : 0), content->data + at, part);
        at += part;
    } while (at < content->length);
}

struct message {
    unsigned first;
    const char *data;
    size_t length;
};

#define M(first, text)                    \
    {                                     \
        (first), (text), sizeof(text) - 1 \
    }

struct scenario {
    const char *log;
    int code;
    struct message frames[6];
};

static const struct scenario scenarios[] = {
    { "THello|", 0, { M(FIN | RSV1 | TEXT, HELLO) } },
    { "BHello|", 0, { M(FIN | RSV1 | BINARY, HELLO) } },
    { "T|", 0, { M(FIN | RSV1 | TEXT, "\x00") } },
    /* The second one looks back at the first (RFC 7692, 7.2.3.2), past one that is not compressed. */
    { "THello|Tplain|THello|",
      0,
      { M(FIN | RSV1 | TEXT, HELLO), M(FIN | TEXT, "plain"), M(FIN | RSV1 | TEXT, "\xf2\x00\x11\x00\x00") } },
    /* Fragments, with what may be between them. */
    { "Px|THello|",
      0,
      { M(RSV1 | TEXT, "\xf2\x48\xcd"), M(FIN | PING, "x"), M(MORE, ""), M(MORE, "\xc9\xc9\x07"),
        M(FIN | MORE, "\x00") } },
    { "THello|", 0, { M(RSV1 | TEXT, ""), M(MORE, HELLO), M(FIN | MORE, "") } },
    /* Not compressed at all, or in several blocks. */
    { "THello|", 0, { M(FIN | RSV1 | TEXT, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00") } },
    { "THello|", 0, { M(FIN | RSV1 | TEXT, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00") } },
    { "THello|", 0, { M(FIN | RSV1 | TEXT, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00") } },
    /* Bits that stay reserved. */
    { "", 1002, { M(FIN | RSV1 | PING, "") } },
    { "", 1002, { M(FIN | RSV1 | CLOSE, "") } },
    { "", 1002, { M(FIN | RSV1 | MORE, "") } },
    { "", 1002, { M(RSV1 | TEXT, ""), M(FIN | RSV1 | MORE, HELLO) } },
    { "", 1002, { M(FIN | RSV1 | 0x20 | TEXT, HELLO) } },
    /* No deflate stream, and text that is none. */
    { "", 1007, { M(FIN | RSV1 | TEXT, "\xff\xff\xff") } },
    { "", 1007, { M(FIN | RSV1 | BINARY, "\x07") } },
    { "", 1007, { M(FIN | RSV1 | TEXT, "\x00\x01\x00\xfe\xff\xc3\x00") } },
    { "", 1007, { M(FIN | RSV1 | TEXT, "\x00\x01\x00\xfe\xff\xff\x00") } },
};

static void run(const struct scenario *scenario, size_t number, const struct delivery *delivery)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct outcome outcome;

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(scenario->frames) && scenario->frames[i].data != NULL; i++) {
        const struct message *frame = &scenario->frames[i];
        put_frame(&bytes, delivery, frame->first, frame->data, frame->length);
    }
    begin_inflating(&outcome, delivery, LIMIT);
    feed(&outcome, &bytes);
    cr_assert_eq(outcome.reader.error_code, scenario->code, "scenario %zu: %d", number, outcome.reader.error_code);
    cr_assert_eq(outcome.result, scenario->code == 0 ? 0 : -EPROTO, "scenario %zu", number);
    if (!delivery->streamed)
        cr_assert_str_eq(rtn_buf_str(&outcome.log).data, scenario->log, "scenario %zu", number);
    else if (scenario->code == 0)
        cr_assert_eq(outcome.log.length, strlen(scenario->log), "scenario %zu", number);
    finish_inflating(&outcome);
}

Test(ws_reader_inflate, scenarios)
{
    for (size_t d = 0; d < RTN_ARRAY_LENGTH(deliveries); d++) {
        for (size_t i = 0; i < RTN_ARRAY_LENGTH(scenarios); i++)
            run(&scenarios[i], i, &deliveries[d]);
    }
}

/* Letters by a simple generator, so that they do not compress to nothing. */
static void fill(struct rtn_buf *text, size_t length)
{
    unsigned seed = 1;
    for (size_t i = 0; i < length; i++) {
        seed = seed * 1103515245U + 12345U;
        rtn_buf_append_char(text, (char) ('a' + (seed >> 16) % 20));
    }
}

/* Long ones, in pieces of every kind; the limit is reached, and not exceeded. */
Test(ws_reader_inflate, long_messages)
{
    static const size_t fragments[] = { 50, 700, SIZE_MAX };

    for (size_t d = 0; d < RTN_ARRAY_LENGTH(deliveries); d++) {
        for (size_t f = 0; f < RTN_ARRAY_LENGTH(fragments); f++) {
            RTN_CLEANUP(rtn_buf_done) struct rtn_buf content = { 0 }, text = { 0 }, bytes = { 0 };
            struct outcome outcome;
            rtn_buf_append_char(&text, 'T');
            fill(&text, LIMIT);
            deflate_text(&content, text.data + 1, LIMIT);
            rtn_buf_append_char(&text, '|');
            put_compressed(&bytes, &deliveries[d], RTN_WS_OP_TEXT, &content, fragments[f]);
            begin_inflating(&outcome, &deliveries[d], LIMIT);
            feed(&outcome, &bytes);
            cr_assert_eq(outcome.result, 0);
            cr_assert(rtn_str_equal(rtn_buf_str(&outcome.log), rtn_buf_str(&text)), "delivery %zu", d);
            finish_inflating(&outcome);
        }
    }
}

/* What cannot be compressed is longer than what it makes: its length is no reason to refuse it. */
Test(ws_reader_inflate, limit_is_for_what_comes_out)
{
    static const struct delivery plain = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct outcome outcome;

    put_frame(&bytes, &plain, FIN | RSV1 | TEXT, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11);
    begin_inflating(&outcome, &plain, 5);
    feed(&outcome, &bytes);
    cr_assert_eq(outcome.result, 0);
    cr_assert_str_eq(outcome.log.data, "THello|");
    finish_inflating(&outcome);

    begin_inflating(&outcome, &plain, 4);
    feed(&outcome, &bytes);
    cr_assert_eq(outcome.reader.error_code, RTN_WS_TOO_BIG);
    cr_assert_eq(outcome.log.length, 0);
    finish_inflating(&outcome);
}

/* 16 MiB of zeros in 16 KiB end at the limit; no more than it is handed on or kept. */
Test(ws_reader_inflate, bomb)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf content = { 0 };
    unsigned char *zeros = calloc(1, (size_t) 1 << 24);
    cr_assert_not_null(zeros);
    deflate_text(&content, zeros, (size_t) 1 << 24);
    free(zeros);
    for (size_t d = 0; d < RTN_ARRAY_LENGTH(deliveries); d++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
        struct outcome outcome;
        put_compressed(&bytes, &deliveries[d], RTN_WS_OP_BINARY, &content, SIZE_MAX);
        begin_inflating(&outcome, &deliveries[d], LIMIT);
        feed(&outcome, &bytes);
        cr_assert_eq(outcome.result, -EPROTO);
        cr_assert_eq(outcome.reader.error_code, RTN_WS_TOO_BIG);
        cr_assert_leq(outcome.log.length, 1 + 4 * LIMIT); /* each is \x00 there */
        cr_assert_leq(outcome.reader.message.capacity, 2 * LIMIT + 2);
        finish_inflating(&outcome);
    }
}

/* One byte that no text has is refused although more of the message is owed. */
Test(ws_reader_inflate, text_fails_fast)
{
    static const struct delivery bytewise = { .cut = 1 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf content = { 0 }, bytes = { 0 };
    struct outcome outcome;

    deflate_text(&content, "abc\xff", 4);
    rtn_buf_append_text(&content, "\xff\xff"); /* so that it is in the stream's hands */
    put_frame(&bytes, &bytewise, RSV1 | TEXT, content.data, content.length);
    size_t first = bytes.length;
    put_frame(&bytes, &bytewise, FIN | MORE, "", 0);
    begin_inflating(&outcome, &bytewise, LIMIT);
    feed(&outcome, &bytes);
    cr_assert_eq(outcome.reader.error_code, RTN_WS_BAD_DATA);
    cr_assert_lt(outcome.read, first);
    finish_inflating(&outcome);
}

/* A stop while pieces come: the rest of the slice comes, and no more. */
Test(ws_reader_inflate, stop)
{
    static const struct delivery stopping = { .streamed = true, .stopping = true };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 }, content = { 0 }, bytes = { 0 };
    struct outcome outcome;
    size_t used = 0;

    fill(&text, LIMIT);
    deflate_text(&content, text.data, text.length);
    put_compressed(&bytes, &stopping, RTN_WS_OP_TEXT, &content, SIZE_MAX);
    begin_inflating(&outcome, &stopping, LIMIT);
    cr_assert_eq(rtn_ws_reader_feed(&outcome.reader, (unsigned char *) bytes.data, bytes.length, &used), 0);
    cr_assert_leq(used, RTN_WS_HEADER_MOST + RTN_WS_READER_SLICE);
    cr_assert_gt(outcome.log.length, 1);
    cr_assert_lt(outcome.log.length, text.length / 10);
    finish_inflating(&outcome);
}

/* The limit becomes lower than what there is of a message already. */
Test(ws_reader_inflate, limit_becomes_lower)
{
    static const struct delivery bytewise = { .cut = 1 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 }, more = { 0 };
    struct outcome outcome;

    put_frame(&bytes, &bytewise, RSV1 | TEXT, HELLO, sizeof(HELLO) - 1);
    put_frame(&more, &bytewise, FIN | MORE, AGAIN, sizeof(AGAIN) - 1);
    begin_inflating(&outcome, &bytewise, LIMIT);
    feed(&outcome, &bytes);
    outcome.reader.limit = 2;
    feed(&outcome, &more);
    cr_assert_eq(outcome.result, -EPROTO);
    cr_assert_eq(outcome.reader.error_code, RTN_WS_TOO_BIG);
    finish_inflating(&outcome);
}
