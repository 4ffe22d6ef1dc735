/*
 * WebSocket frames of a peer that sends the same text again and again: each frame with a mask of its own, as RFC 6455
 * asks for. What comes back is compared with the text, unless it is compressed.
 */
#ifndef BENCH_WS_FRAME_H
#define BENCH_WS_FRAME_H

#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#define FRAME_HEADER_MOST 14
#define FRAME_TEXT 0x81
#define FRAME_COMPRESSED 0x40
#define FRAME_CLOSE 0x88

/* What is sent. It is padded to whole words. */
static struct {
    unsigned char *bytes; /* as they are sent, but for the mask */
    size_t length;
    bool deflate;
} content;

/* What is read of a connection. */
struct frame_reader {
    unsigned char header[10];
    unsigned header_length; /* so much is there */
    uint64_t length;
    uint64_t left; /* bytes of its content */
};

static inline uint32_t frame_new_mask(void)
{
    static uint32_t state = 0x37fa213d;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

/* Compressed so that it refers to no other message. */
static void content_deflate(void)
{
    size_t room = content.length + 1024;
    unsigned char *out = calloc(1, room);
    z_stream z = {
        .next_in = content.bytes, .avail_in = (uInt) content.length, .next_out = out, .avail_out = (uInt) room
    };
    if (out == NULL || deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&z, Z_SYNC_FLUSH) != Z_OK)
        errx(1, "zlib failed");
    (void) deflateEnd(&z);
    free(content.bytes);
    content.bytes = out;
    content.length = room - z.avail_out - 4; /* the end of the flush stays behind (RFC 7692) */
}

static void content_init(size_t size, bool deflated)
{
    static const char text[] = "{\"kind\": \"measure\", \"text\": \"The quick brown fox jumps over the lazy dog.\", "
                               "\"number\": 1234567890123}";
    content.bytes = calloc(1, size + sizeof(uint64_t));
    if (content.bytes == NULL)
        err(1, "calloc");
    content.length = size;
    content.deflate = deflated;
    for (size_t i = 0; i < size; i++)
        content.bytes[i] = (unsigned char) text[i % (sizeof(text) - 1)];
    if (deflated)
        content_deflate();
}

/* How much there is to write for one message, with the words that masking writes more. */
static inline size_t frame_room(void)
{
    return FRAME_HEADER_MOST + content.length + sizeof(uint64_t);
}

static size_t frame_put_header(unsigned char *out, uint32_t mask)
{
    unsigned longer = content.length > UINT16_MAX ? 8 : content.length > 125 ? 2 : 0;
    out[0] = FRAME_TEXT | (content.deflate ? FRAME_COMPRESSED : 0);
    out[1] = (unsigned char) (0x80 | (longer == 8 ? 127 : longer == 2 ? 126 : content.length));
    for (unsigned i = 0; i < longer; i++)
        out[2 + i] = (unsigned char) (content.length >> 8 * (longer - 1 - i));
    memcpy(out + 2 + longer, &mask, sizeof(mask));
    return 2 + longer + sizeof(mask);
}

/* The message in a frame of its own; returns its length. */
static size_t frame_put(unsigned char *restrict out)
{
    uint32_t mask = frame_new_mask();
    uint64_t wide = (uint64_t) mask << 32 | mask;
    size_t header = frame_put_header(out, mask);
    for (size_t i = 0; i < content.length; i += sizeof(wide)) {
        uint64_t word;
        memcpy(&word, content.bytes + i, sizeof(word));
        word ^= wide;
        memcpy(out + header + i, &word, sizeof(word));
    }
    return header + content.length;
}

/* Sets what is left of a frame whose header is there; false when it is not there in full. */
static bool frame_begin(struct frame_reader *reader)
{
    const unsigned char *header = reader->header;
    unsigned longer = header[1] == 127 ? 8 : header[1] == 126 ? 2 : 0;
    if (reader->header_length < 2 + longer)
        return false;
    reader->length = longer == 0 ? header[1] : 0;
    for (unsigned i = 0; i < longer; i++)
        reader->length = reader->length << 8 | header[2 + i];
    if ((header[0] | FRAME_COMPRESSED) != (FRAME_TEXT | FRAME_COMPRESSED))
        errx(1, "a frame that begins with 0x%02x came", header[0]);
    if (!content.deflate && reader->length != content.length)
        errx(1, "a message of %llu bytes came", (unsigned long long) reader->length);
    reader->left = reader->length;
    reader->header_length = 0;
    return true;
}

/* A part of what is left. */
static void frame_take(struct frame_reader *reader, const unsigned char *data, size_t length)
{
    uint64_t at = reader->length - reader->left;
    if (!content.deflate && memcmp(data, content.bytes + at, length) != 0)
        errx(1, "another message came back");
    reader->left -= length;
}

/* How many messages end in there. None is empty. */
static uint64_t frame_count(struct frame_reader *reader, const unsigned char *data, size_t length)
{
    uint64_t count = 0;
    for (size_t at = 0; at < length;) {
        if (reader->left == 0) {
            reader->header[reader->header_length++] = data[at++];
            if (reader->header_length < 2 || !frame_begin(reader))
                continue;
        }
        size_t part = length - at < reader->left ? length - at : (size_t) reader->left;
        frame_take(reader, data + at, part);
        at += part;
        count += reader->left == 0;
    }
    return count;
}

#endif
