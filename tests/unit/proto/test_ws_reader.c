#include "ws_reader_support.h"

#define LIMIT 40

struct frame {
    unsigned first;
    const char *data;
    size_t length;
};

/* What frames make of the reader; `unread` bytes of the last one's content are not needed to refuse it. */
struct scenario {
    const char *log;
    int code; /* 0: all is well */
    size_t unread;
    struct frame frames[8];
};

/* A frame; the end of a table is one whose data is NULL. */
#define F(first, text)                    \
    {                                     \
        (first), (text), sizeof(text) - 1 \
    }
#define LONG_125 LONG_40 LONG_40 LONG_40 "12345"
#define LONG_15 "123456789012345"
#define LONG_40 "1234567890123456789012345678901234567890"

static const struct scenario scenarios[] = {
    /* Whole messages, and cut ones. */
    { "T|", 0, 0, { F(FIN | TEXT, "") } },
    { "B|", 0, 0, { F(FIN | BINARY, "") } },
    { "Thello|", 0, 0, { F(FIN | TEXT, "hello") } },
    { "B\\x00\\xff|", 0, 0, { F(FIN | BINARY, "\0\xff") } },
    { "Thello|Bworld|", 0, 0, { F(FIN | TEXT, "hello"), F(FIN | BINARY, "world") } },
    { "Thello world|", 0, 0, { F(TEXT, "hello"), F(MORE, " wor"), F(FIN | MORE, "ld") } },
    { "Thello|", 0, 0, { F(TEXT, "hello"), F(FIN | MORE, "") } },
    { "Thello|Tyou|", 0, 0, { F(TEXT, ""), F(MORE, ""), F(FIN | MORE, "hello"), F(FIN | TEXT, "you") } },
    { "T|", 0, 0, { F(TEXT, ""), F(MORE, ""), F(FIN | MORE, "") } },
    { "T" LONG_40 "|", 0, 0, { F(FIN | TEXT, LONG_40) } },
    { "B" LONG_40 "|", 0, 0, { F(BINARY, LONG_40), F(MORE, ""), F(FIN | MORE, "") } },
    { "B" LONG_15 LONG_15 "|B1234567890" LONG_15 "|",
      0,
      0,
      { F(BINARY, LONG_15), F(FIN | MORE, LONG_15), F(BINARY, "1234567890"), F(FIN | MORE, LONG_15) } },
    /* Control frames, between and inside of messages. */
    { "P|", 0, 0, { F(FIN | PING, "") } },
    { "Pyou|p\\xff|", 0, 0, { F(FIN | PING, "you"), F(FIN | PONG, "\xff") } },
    { "P" LONG_125 "|", 0, 0, { F(FIN | PING, LONG_125) } },
    { "Pa|Thello|", 0, 0, { F(TEXT, ""), F(FIN | PING, "a"), F(FIN | MORE, "hello") } },
    /* Text is UTF-8, and may be cut inside of a character. */
    { "T\\xe2\\x82\\xac|", 0, 0, { F(FIN | TEXT, "\xe2\x82\xac") } },
    { "T\\xe2\\x82\\xac|", 0, 0, { F(TEXT, "\xe2"), F(MORE, ""), F(MORE, "\x82"), F(FIN | MORE, "\xac") } },
    { "", 1007, 2, { F(FIN | TEXT, "\xffxy") } },
    /* Close frames. */
    { "C|", 0, 0, { F(FIN | CLOSE, "") } },
    { "C\\x03\\xe8|", 0, 0, { F(FIN | CLOSE, "\x03\xe8") } },
    { "C\\x03\\xe8ok \\xc3\\xa4|", 0, 0, { F(FIN | CLOSE, "\x03\xe8ok \xc3\xa4") } },
    { "C\\x13\\x87|", 0, 0, { F(FIN | CLOSE, "\x13\x87") } },
    { "", 1002, 2, { F(FIN | CLOSE, "\x03\xe7ok") } },
    { "", 1002, 0, { F(FIN | CLOSE, "\x03\xed") } },
    { "", 1002, 0, { F(FIN | CLOSE, "\x13\x88") } },
    { "", 1007, 2, { F(FIN | CLOSE, "\x03\xe8\xffok") } },
    { "", 1007, 0, { F(FIN | CLOSE, "\x03\xe8ok\xc3") } },
    /* What comes before an error counts. */
    { "Tok|", 1007, 1, { F(FIN | TEXT, "ok"), F(FIN | TEXT, "\x80z") } },
};

/* Those that are told otherwise when they are streamed: */
static const struct scenario whole_scenarios[] = {
    { "Pa|p|Thello|",
      0,
      0,
      { F(TEXT, "he"), F(FIN | PING, "a"), F(MORE, "ll"), F(FIN | PONG, ""), F(FIN | MORE, "o") } },
    { "C|", 0, 0, { F(TEXT, "he"), F(FIN | CLOSE, "") } },
    { "", 1007, 3, { F(FIN | TEXT, "ab\xff xy") } },
    { "", 1007, 3, { F(TEXT, "\xed\xa0\x80 x") } },
    { "", 1007, 0, { F(FIN | TEXT, "\xe2\x82") } },
    { "", 1007, 0, { F(FIN | TEXT, "\xf4\x8f\xbf") } },
    { "", 1007, 1, { F(TEXT, "a\xe2"), F(MORE, "\x82"), F(FIN | MORE, "xy") } },
    { "", 1007, 0, { F(TEXT, "a\xe2"), F(MORE, "\x82"), F(FIN | MORE, "") } },
    { "P\\xe2|", 1007, 0, { F(TEXT, "a\xe2"), F(FIN | PING, "\xe2"), F(FIN | MORE, "x") } },
};

static const struct scenario streamed_scenarios[] = {
    { "ThePa|llp|o|",
      0,
      0,
      { F(TEXT, "he"), F(FIN | PING, "a"), F(MORE, "ll"), F(FIN | PONG, ""), F(FIN | MORE, "o") } },
    { "TheC|", 0, 0, { F(TEXT, "he"), F(FIN | CLOSE, "") } },
    { "Ta\\xe2\\x82\\xac|", 0, 0, { F(TEXT, "a\xe2"), F(MORE, "\x82"), F(FIN | MORE, "\xac") } },
    { "Ta\\xe2\\x82", 1007, 1, { F(TEXT, "a\xe2"), F(MORE, "\x82"), F(FIN | MORE, "xy") } },
    { "Ta\\xe2\\x82", 1007, 0, { F(TEXT, "a\xe2"), F(MORE, "\x82"), F(FIN | MORE, "") } },
};

static void run(const struct scenario *scenario, size_t number, const struct delivery *delivery)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct outcome outcome;
    const struct rtn_ws_reader *reader = &outcome.reader;

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(scenario->frames) && scenario->frames[i].data != NULL; i++) {
        const struct frame *frame = &scenario->frames[i];
        put_frame(&bytes, delivery, frame->first, frame->data, frame->length);
    }
    begin(&outcome, delivery, LIMIT);
    feed(&outcome, &bytes);
    cr_assert_str_eq(rtn_buf_str(&outcome.log).data, scenario->log, "scenario %zu", number);
    cr_assert_eq(reader->error_code, scenario->code, "scenario %zu: %d", number, reader->error_code);
    cr_assert_eq(outcome.result, scenario->code == 0 ? 0 : -EPROTO, "scenario %zu", number);
    cr_assert_eq(reader->error_text != NULL, scenario->code != 0, "scenario %zu", number);
    if (scenario->code == 0 || delivery->cut == 1)
        cr_assert_eq(outcome.read, bytes.length - scenario->unread, "scenario %zu: %zu", number, outcome.read);
    finish(&outcome);
}

static void run_all(const struct scenario *rows, size_t count, bool whole, bool streamed)
{
    for (size_t d = 0; d < RTN_ARRAY_LENGTH(deliveries); d++) {
        for (size_t i = 0; i < count && (deliveries[d].streamed ? streamed : whole); i++)
            run(&rows[i], i, &deliveries[d]);
    }
}

Test(ws_reader, scenarios)
{
    run_all(scenarios, RTN_ARRAY_LENGTH(scenarios), true, true);
    run_all(whole_scenarios, RTN_ARRAY_LENGTH(whole_scenarios), true, false);
    run_all(streamed_scenarios, RTN_ARRAY_LENGTH(streamed_scenarios), false, true);
}

/* The last byte of `bytes` is refused, and none before it. */
struct refusal {
    struct rtn_str bytes;
    int code;
    bool from_server;
    bool in_message; /* 30 bytes of one have come */
};

#define R(text, expected, ...)                                                 \
    {                                                                          \
        .bytes = { (text), sizeof(text) - 1 }, .code = (expected), __VA_ARGS__ \
    }

static const struct refusal refusals[] = {
    R("\x91", 1002), /* reserved bits */
    R("\xa1", 1002),
    R("\xc1", 1002),
    R("\xb9", 1002),
    R("\xc0", 1002, .in_message = true),
    R("\x83", 1002), /* unknown opcodes */
    R("\x07", 1002),
    R("\x8b", 1002),
    R("\x8f", 1002),
    R("\x09", 1002), /* control frames in fragments */
    R("\x0a", 1002),
    R("\x08", 1002, .in_message = true),
    R("\x80", 1002), /* a continuation of nothing, and a message in another */
    R("\x00", 1002),
    R("\x81", 1002, .in_message = true),
    R("\x02", 1002, .in_message = true),
    R("\x81\x05", 1002), /* masks */
    R("\x81\x85", 1002, .from_server = true),
    R("\x89\xfe", 1002), /* long control frames */
    R("\x8a\x7f", 1002, .from_server = true),
    R("\x88\x81", 1002), /* half a code */
    R("\x81\xfe\x00\x7d", 1002), /* lengths that have a shorter form, or more than 63 bits */
    R("\x81\xfe\x00\x00", 1002),
    R("\x81\xff\x00\x00\x00\x00\x00\x00", 1002),
    R("\x81\xff\x80", 1002),
    R("\x82\xa9", 1009), /* more than the limit */
    R("\x82\x29", 1009, .from_server = true),
    R("\x80\x8b", 1009, .in_message = true),
    R("\x82\xfe\x00\x7e", 1009),
    R("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 1009),
    R("\x80\xff\x7f\xff\xff\xff\xff\xff\xff\xff", 1009, .in_message = true),
};

static void run_refusal(const struct refusal *refusal, size_t number, const struct delivery *delivery, bool junk)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct outcome outcome;

    if (refusal->in_message)
        put_frame(&bytes, delivery, TEXT, LONG_40, 30);
    rtn_buf_append_str(&bytes, refusal->bytes);
    size_t expected = bytes.length;
    if (junk)
        rtn_buf_append_text(&bytes, LONG_40);
    begin(&outcome, delivery, LIMIT);
    feed(&outcome, &bytes);
    cr_assert_eq(outcome.result, -EPROTO, "refusal %zu", number);
    cr_assert_eq(outcome.reader.error_code, refusal->code, "refusal %zu", number);
    cr_assert_not_null(outcome.reader.error_text);
    cr_assert_eq(outcome.read, expected, "refusal %zu", number);
    finish(&outcome);
}

Test(ws_reader, headers_are_refused_at_the_byte_that_shows_it)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(refusals); i++) {
        const struct delivery whole = { .from_server = refusals[i].from_server };
        const struct delivery bytewise = { .from_server = refusals[i].from_server, .cut = 1 };
        run_refusal(&refusals[i], i, &whole, false);
        run_refusal(&refusals[i], i, &whole, true);
        run_refusal(&refusals[i], i, &bytewise, true);
    }
}

/* A line with one message of so many bytes of `content`. */
static void run_long(const struct delivery *delivery, const char *content, size_t length, size_t fragment)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf expected = { 0 };
    struct outcome outcome;
    size_t at = 0;

    do {
        size_t part = RTN_MIN(fragment, length - at);
        unsigned first = (at == 0 ? TEXT : MORE) | (at + part == length ? FIN : 0);
        put_frame(&bytes, delivery, first, content + at, part);
        at += part;
    } while (at < length);
    rtn_buf_append_char(&expected, 'T');
    rtn_buf_append(&expected, content, length);
    rtn_buf_append_char(&expected, '|');
    begin(&outcome, delivery, length);
    feed(&outcome, &bytes);
    cr_assert_eq(outcome.result, 0);
    cr_assert(rtn_str_equal(rtn_buf_str(&outcome.log), rtn_buf_str(&expected)), "%zu bytes", length);
    finish(&outcome);
}

Test(ws_reader, all_forms_of_lengths)
{
    static const size_t lengths[] = { 124, 125, 126, 127, 65535, 65536, 66001 };
    static char content[66001];

    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (char) ('a' + i % 23);
    for (size_t d = 0; d < RTN_ARRAY_LENGTH(deliveries); d++) {
        for (size_t i = 0; i < RTN_ARRAY_LENGTH(lengths); i++) {
            run_long(&deliveries[d], content, lengths[i], lengths[i]);
            run_long(&deliveries[d], content, lengths[i], 1000);
        }
    }
}

/* A byte that no text begins with, at each place of one that is ASCII otherwise. */
static void run_spoilt(const struct delivery *delivery, size_t at)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct outcome outcome;
    char content[150];

    memset(content, 'x', sizeof(content));
    content[at] = '\x80';
    put_frame(&bytes, delivery, FIN | TEXT, content, sizeof(content));
    begin(&outcome, delivery, sizeof(content));
    feed(&outcome, &bytes);
    cr_assert_eq(outcome.result, -EPROTO, "%zu", at);
    cr_assert_eq(outcome.reader.error_code, RTN_WS_BAD_DATA);
    finish(&outcome);
}

Test(ws_reader, no_byte_of_a_text_is_passed_over)
{
    for (size_t d = 0; d < RTN_ARRAY_LENGTH(deliveries); d++) {
        for (size_t at = 0; at < 150; at++)
            run_spoilt(&deliveries[d], at);
    }
}

/* What the reader makes of a last frame, when the limit becomes 20 while a message of 30 bytes comes. */
static void run_lowered(const struct delivery *delivery, const struct frame *last, const char *log, int code)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf bytes = { 0 };
    struct outcome outcome;
    const struct rtn_str message = RTN_STR(LONG_15 LONG_15);

    put_frame(&bytes, delivery, TEXT, message.data, message.length);
    bytes.length -= 5;
    begin(&outcome, delivery, LIMIT);
    feed(&outcome, &bytes);
    outcome.reader.limit = 20;
    const char *rest = bytes.data + bytes.length;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf more = { 0 };
    rtn_buf_append(&more, rest, 5);
    put_frame(&more, delivery, last->first, last->data, last->length);
    feed(&outcome, &more);
    cr_assert_eq(outcome.reader.error_code, code, "%d", outcome.reader.error_code);
    cr_assert_eq(outcome.result, code == 0 ? 0 : -EPROTO);
    cr_assert_str_eq(rtn_buf_str(&outcome.log).data + (delivery->streamed ? 1 + message.length : 0), log);
    finish(&outcome);
}

Test(ws_reader, limit_becomes_lower_while_a_frame_comes)
{
    static const struct frame nothing = F(FIN | MORE, ""), byte = F(FIN | MORE, "x"), ping = F(FIN | PING, "you");

    for (size_t d = 0; d < RTN_ARRAY_LENGTH(deliveries); d++) {
        bool streamed = deliveries[d].streamed;
        run_lowered(&deliveries[d], &nothing, streamed ? "|" : "T" LONG_15 LONG_15 "|", 0);
        run_lowered(&deliveries[d], &ping, "Pyou|", 0);
        run_lowered(&deliveries[d], &byte, "", RTN_WS_TOO_BIG);
    }
}
