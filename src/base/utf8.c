/*
 * UTF-8 by a table of lead bytes. The second byte carries all the special cases of RFC 3629 (no
 * overlong forms, no surrogates, nothing above U+10FFFF), so each row names its range. Most text is
 * ASCII, which is passed over in blocks, then in words.
 */
#include "base/utf8.h"

#include <stdint.h>

#include "base/lane.h"
#include "base/macros.h"

#define ASCII_BLOCK (8 * sizeof(rtn_lane)) /* bytes */

struct lead {
    unsigned char length; /* of the character; 0: it begins none */
    unsigned char second_min, second_max;
};

static const struct lead leads[256] = {
    [0x00 ... 0x7f] = { 1, 0, 0 },       [0xc2 ... 0xdf] = { 2, 0x80, 0xbf }, [0xe0] = { 3, 0xa0, 0xbf },
    [0xe1 ... 0xec] = { 3, 0x80, 0xbf }, [0xed] = { 3, 0x80, 0x9f },          [0xee ... 0xef] = { 3, 0x80, 0xbf },
    [0xf0] = { 4, 0x90, 0xbf },          [0xf1 ... 0xf3] = { 4, 0x80, 0xbf }, [0xf4] = { 4, 0x80, 0x8f },
};

unsigned rtn_utf8_next(struct rtn_str s)
{
    const unsigned char *bytes = (const unsigned char *) s.data;

    if (s.length == 0)
        return 0;
    const struct lead *lead = &leads[bytes[0]];
    if (lead->length < 2)
        return lead->length;
    if (s.length < lead->length)
        return 0;
    if (bytes[1] < lead->second_min || bytes[1] > lead->second_max)
        return 0;
    for (unsigned i = 2; i < lead->length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    return lead->length;
}

static struct rtn_str skip(struct rtn_str s, size_t bytes)
{
    return (struct rtn_str){ s.data + bytes, s.length - bytes };
}

static bool is_ascii_block(const char *data)
{
    const rtn_lane *lanes = (const rtn_lane *) data;
    rtn_lane half = lanes[0] | lanes[1] | lanes[2] | lanes[3];

    return rtn_lane_is_ascii(half | lanes[4] | lanes[5] | lanes[6] | lanes[7]);
}

static bool is_ascii_word(const char *data)
{
    uint64_t word;

    memcpy(&word, data, sizeof(word));
    return rtn_word_is_ascii(word);
}

static bool begins_with_word(struct rtn_str s)
{
    return s.length >= sizeof(uint64_t) && is_ascii_word(s.data);
}

/* How many bytes at its beginning are whole blocks, then whole words. */
static size_t ascii_words(struct rtn_str s)
{
    size_t at = 0;

    while (s.length - at >= ASCII_BLOCK && is_ascii_block(s.data + at))
        at += ASCII_BLOCK;
    while (s.length - at >= sizeof(uint64_t) && is_ascii_word(s.data + at))
        at += sizeof(uint64_t);
    return at;
}

/* Other text has ASCII in between, a space or a line: blocks are worth a look only behind a word. */
static struct rtn_str skip_ascii(struct rtn_str s)
{
    size_t at = begins_with_word(s) ? ascii_words(s) : 0;

    while (at < s.length && (unsigned char) s.data[at] < 0x80)
        at++;
    return skip(s, at);
}

/* Takes bytes of the character that is cut, until it is whole or *s is used up. */
static bool follow(struct rtn_utf8_state *state, struct rtn_str *s)
{
    while (state->left > 0 && s->length > 0) {
        unsigned char byte = (unsigned char) *s->data;
        if (byte < state->least || byte > state->most)
            return false;
        *state = (struct rtn_utf8_state){ (unsigned char) (state->left - 1), 0x80, 0xbf };
        *s = skip(*s, 1);
    }
    return true;
}

/* s does not begin with a whole valid character: it is cut, or wrong. */
static bool begin_cut(struct rtn_utf8_state *state, struct rtn_str s)
{
    const struct lead *lead = &leads[(unsigned char) *s.data];

    if (s.length >= lead->length)
        return false;
    *state = (struct rtn_utf8_state){ (unsigned char) (lead->length - 1), lead->second_min, lead->second_max };
    s = skip(s, 1);
    return follow(state, &s);
}

bool rtn_utf8_feed(struct rtn_utf8_state *state, struct rtn_str piece)
{
    if (!follow(state, &piece))
        return false;
    while (piece.length > 0 && (piece = skip_ascii(piece)).length > 0) {
        unsigned step = rtn_utf8_next(piece);
        if (step == 0)
            return begin_cut(state, piece);
        piece = skip(piece, step);
    }
    return true;
}

bool rtn_utf8_valid(struct rtn_str s)
{
    struct rtn_utf8_state state = { 0 };
    return rtn_utf8_feed(&state, s) && rtn_utf8_is_whole(&state);
}

size_t rtn_utf8_count(struct rtn_str s)
{
    size_t count = 0;

    while (s.length > 0) {
        unsigned step = rtn_utf8_next(s);
        s = skip(s, step > 0 ? step : 1);
        count++;
    }
    return count;
}
