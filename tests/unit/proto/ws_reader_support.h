/*
 * What the tests of the WebSocket reader share: frames are written as a peer does, fed cut in many ways, and what the
 * reader tells is written down as a line of text.
 *
 * In it, T or B begins a message, P, p and C a ping, a pong and a close; all end with |. Bytes that are no printable
 * ASCII are \xNN.
 */
#ifndef RTN_TESTS_PROTO_WS_READER_SUPPORT_H
#define RTN_TESTS_PROTO_WS_READER_SUPPORT_H

#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "proto/ws_reader.h"

#define FIN RTN_WS_FIN
#define RSV1 RTN_WS_RSV1
#define TEXT RTN_WS_OP_TEXT
#define BINARY RTN_WS_OP_BINARY
#define MORE RTN_WS_OP_CONTINUATION
#define PING RTN_WS_OP_PING
#define PONG RTN_WS_OP_PONG
#define CLOSE RTN_WS_OP_CLOSE

/* How the bytes come. */
struct delivery {
    bool from_server;
    bool streamed;
    bool stopping; /* each callback stops the reader */
    size_t cut; /* bytes in one go at the most; 0: all of them */
    unsigned seed; /* not 0: `cut` or less, by chance */
};

static const struct delivery deliveries[] = {
    { 0 },
    { .cut = 1 },
    { .cut = 2 },
    { .cut = 7, .seed = 1 },
    { .cut = 70, .seed = 2 },
    { .stopping = true },
    { .stopping = true, .cut = 5, .seed = 3 },
    { .from_server = true },
    { .from_server = true, .cut = 1 },
    { .from_server = true, .stopping = true, .cut = 9, .seed = 4 },
    { .streamed = true },
    { .streamed = true, .cut = 1 },
    { .streamed = true, .stopping = true },
    { .streamed = true, .stopping = true, .cut = 6, .seed = 5 },
    { .streamed = true, .from_server = true, .cut = 11, .seed = 6 },
};

struct outcome {
    struct rtn_ws_reader reader;
    struct rtn_buf log;
    const struct delivery *delivery;
    bool begun; /* a message was, by a piece of it */
    size_t read; /* bytes that were used */
    int result;
};

static inline void write_bytes(struct rtn_buf *log, const unsigned char *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        rtn_buf_printf(log, data[i] >= 0x20 && data[i] < 0x7f ? "%c" : "\\x%02x", data[i]);
}

static inline bool on_message(void *owner, enum rtn_ws_opcode type, unsigned char *data, size_t length, bool last)
{
    struct outcome *outcome = owner;
    cr_assert_not_null(data);
    cr_assert(last || (outcome->delivery->streamed && length > 0));
    if (!outcome->begun)
        rtn_buf_append_char(&outcome->log, type == RTN_WS_OP_TEXT ? 'T' : 'B');
    write_bytes(&outcome->log, data, length);
    memset(data, 0xee, length); /* it may be written to */
    if (last)
        rtn_buf_append_char(&outcome->log, '|');
    outcome->begun = !last;
    return !outcome->delivery->stopping;
}

static inline bool on_control(void *owner, enum rtn_ws_opcode type, const unsigned char *data, size_t length)
{
    struct outcome *outcome = owner;
    rtn_buf_append_char(&outcome->log, type == RTN_WS_OP_PING ? 'P' : type == RTN_WS_OP_PONG ? 'p' : 'C');
    write_bytes(&outcome->log, data, length);
    rtn_buf_append_char(&outcome->log, '|');
    return !outcome->delivery->stopping;
}

static const struct rtn_ws_reader_events recording = { .message = on_message, .control = on_control };

static inline void put_frame(struct rtn_buf *out, const struct delivery *delivery, unsigned first, const void *data,
                             size_t length)
{
    static const unsigned char mask[4] = { 0xa1, 0x52, 0x00, 0xff };
    unsigned char header[RTN_WS_HEADER_MOST];
    size_t size = rtn_ws_header_write(header, first, length, delivery->from_server ? NULL : mask);
    rtn_buf_append(out, header, size);
    rtn_buf_append(out, data, length);
    if (!delivery->from_server)
        (void) rtn_ws_mask((unsigned char *) out->data + out->length - length, length, mask, 0);
}

static inline void begin(struct outcome *outcome, const struct delivery *delivery, uint64_t limit)
{
    *outcome = (struct outcome){ .delivery = delivery };
    outcome->reader = (struct rtn_ws_reader){ .events = &recording, .owner = outcome, .limit = limit };
    outcome->reader.from_server = delivery->from_server;
    outcome->reader.streamed = delivery->streamed;
}

static inline void finish(struct outcome *outcome)
{
    rtn_ws_reader_done(&outcome->reader);
    rtn_buf_done(&outcome->log);
}

/* One piece, until it is used up or refused; from memory of just its size. */
static inline void feed_piece(struct outcome *outcome, const unsigned char *data, size_t length)
{
    size_t at = 0;
    while (at < length && outcome->result == 0) {
        size_t used = 0;
        unsigned char *copy = malloc(length - at);
        cr_assert_not_null(copy);
        memcpy(copy, data + at, length - at);
        outcome->result = rtn_ws_reader_feed(&outcome->reader, copy, length - at, &used);
        free(copy);
        cr_assert_leq(used, length - at);
        cr_assert(used > 0 || outcome->result < 0);
        cr_assert(used == length - at || outcome->result < 0 || outcome->delivery->stopping);
        at += used;
        outcome->read += used;
    }
}

static inline void feed(struct outcome *outcome, const struct rtn_buf *bytes)
{
    const struct delivery *delivery = outcome->delivery;
    unsigned seed = delivery->seed;
    for (size_t at = 0; at < bytes->length && outcome->result == 0;) {
        size_t length = delivery->cut > 0 ? delivery->cut : bytes->length;
        if (seed > 0)
            length = 1 + (size_t) rand_r(&seed) % delivery->cut;
        length = RTN_MIN(length, bytes->length - at);
        feed_piece(outcome, (const unsigned char *) bytes->data + at, length);
        at += length;
    }
}

#endif
