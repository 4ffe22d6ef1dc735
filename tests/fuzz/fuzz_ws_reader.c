/*
 * Bytes as what a WebSocket peer sends. The first four say: who reads, and how (bits: from a server, streamed,
 * stopping, inflating, forgetful), the limit, how the bytes are cut, and how their cuts go on. What comes out must not
 * depend on the cuts: the same bytes in one go give the same messages, and the same error. All text is UTF-8, and
 * nothing is longer than the limit.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/macros.h"
#include "proto/ws_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPTIONS = 4 };
enum { FROM_SERVER = 1, STREAMED = 2, STOPPING = 4, INFLATING = 8, FORGETFUL = 16 };

struct outcome {
    struct rtn_ws_reader reader;
    struct rtn_buf log; /* all that was handed on, with a type before and a mark behind each */
    struct rtn_utf8_state utf8;
    uint64_t length; /* of the message so far */
    bool begun;
    bool stopping;
    size_t settled; /* bytes of the log that are whole */
};

static void check(bool sound, const char *what)
{
    if (sound)
        return;
    (void) fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* Where each ends is told by its length; with it no two different sequences look alike. */
static void mark_end(struct outcome *outcome, size_t length)
{
    rtn_buf_append_char(&outcome->log, '|');
    rtn_buf_append(&outcome->log, &length, sizeof(length));
    outcome->settled = outcome->log.length;
}

static bool on_message(void *owner, enum rtn_ws_opcode type, unsigned char *data, size_t length, bool last)
{
    struct outcome *outcome = owner;
    check(type == RTN_WS_OP_TEXT || type == RTN_WS_OP_BINARY, "type");
    check(last || (outcome->reader.streamed && length > 0), "empty piece");
    if (!outcome->begun)
        rtn_buf_append_char(&outcome->log, (char) type);
    outcome->begun = true;
    outcome->length += length;
    check(outcome->length <= outcome->reader.limit, "limit");
    rtn_buf_append(&outcome->log, data, length);
    struct rtn_str text = { (const char *) data, length };
    check(type == RTN_WS_OP_BINARY || rtn_utf8_feed(&outcome->utf8, text), "UTF-8");
    memset(data, 0xee, length);
    if (!last)
        return !outcome->stopping;
    check(rtn_utf8_is_whole(&outcome->utf8), "end of UTF-8");
    mark_end(outcome, outcome->length);
    outcome->begun = false;
    outcome->length = 0;
    return !outcome->stopping;
}

static bool on_control(void *owner, enum rtn_ws_opcode type, const unsigned char *data, size_t length)
{
    struct outcome *outcome = owner;
    check(type >= RTN_WS_OP_CLOSE && type <= RTN_WS_OP_PONG, "type of a control frame");
    check(length <= RTN_WS_CONTROL_MOST, "length of a control frame");
    rtn_buf_append_char(&outcome->log, (char) type);
    rtn_buf_append(&outcome->log, data, length);
    if (type == RTN_WS_OP_CLOSE && length > 0) {
        check(length >= 2 && rtn_ws_code_is_valid(data[0] << 8 | data[1]), "code");
        check(rtn_utf8_valid((struct rtn_str){ (const char *) data + 2, length - 2 }), "reason");
    }
    mark_end(outcome, length);
    return !outcome->stopping;
}

/* One piece, from memory of its own size. False after an error. */
static bool feed_piece(struct outcome *outcome, const uint8_t *data, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t used = 0;
        unsigned char *copy = malloc(length - at);
        check(copy != NULL, "memory");
        memcpy(copy, data + at, length - at);
        int r = rtn_ws_reader_feed(&outcome->reader, copy, length - at, &used);
        free(copy);
        check(used <= length - at, "used");
        if (r < 0) {
            check(r == -EPROTO && outcome->reader.error_code != 0 && outcome->reader.error_text != NULL, "error");
            return false;
        }
        check(used == length - at || (outcome->stopping && used > 0), "progress");
        at += used;
    }
    return true;
}

static void run(struct outcome *outcome, const uint8_t *options, const uint8_t *data, size_t size, unsigned cut)
{
    static const struct rtn_ws_reader_events events = { .message = on_message, .control = on_control };
    unsigned seed = options[3];

    *outcome = (struct outcome){ .stopping = (options[0] & STOPPING) != 0 && cut > 0 };
    struct rtn_ws_reader *reader = &outcome->reader;
    *reader = (struct rtn_ws_reader){ .events = &events, .owner = outcome, .limit = options[1] * 4U };
    reader->from_server = (options[0] & FROM_SERVER) != 0;
    reader->streamed = (options[0] & STREAMED) != 0;
    if ((options[0] & INFLATING) != 0)
        reader->inflate = rtn_ws_inflate_new(9 + options[1] % 7, (options[0] & FORGETFUL) != 0);
    bool more = true;
    for (size_t at = 0; at < size && more;) {
        size_t length = cut > 0 ? 1 + (seed = seed * 1103515245U + 12345U) / 65536U % cut : size;
        length = RTN_MIN(length, size - at);
        more = feed_piece(outcome, data + at, length);
        at += length;
    }
    check(!rtn_ws_reader_is_idle(reader) || reader->message.data == NULL, "idle with memory");
    check(!reader->streamed || reader->message.data == NULL, "kept what is streamed");
    check(reader->message.length <= reader->limit, "kept more than the limit");
    rtn_ws_inflate_free(reader->inflate);
    rtn_ws_reader_done(reader);
}

/* What has come of a last message that ends in an error depends on the cuts, when it is streamed. */
static void compare(const struct outcome *a, const struct outcome *b)
{
    bool failed = a->reader.error_code != 0;
    check(a->reader.error_code == b->reader.error_code, "error code depends on the cuts");
    check(!failed || strcmp(a->reader.error_text, b->reader.error_text) == 0, "error text depends on the cuts");
    size_t length = failed ? a->settled : a->log.length;
    check(length == (failed ? b->settled : b->log.length), "length depends on the cuts");
    check(length == 0 || memcmp(a->log.data, b->log.data, length) == 0, "content depends on the cuts");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome whole, cut, bytewise;

    if (size < OPTIONS)
        return 0;
    run(&whole, data, data + OPTIONS, size - OPTIONS, 0);
    run(&cut, data, data + OPTIONS, size - OPTIONS, 2 + data[2]);
    run(&bytewise, data, data + OPTIONS, size - OPTIONS, 1);
    compare(&whole, &cut);
    compare(&whole, &bytewise);
    rtn_buf_done(&whole.log);
    rtn_buf_done(&cut.log);
    rtn_buf_done(&bytewise.log);
    return 0;
}
