/* Frames of RFC 6455: what both directions need of them, without any state. */
#include "proto/ws_frame.h"

#include <string.h>

#include "base/lane.h"
#include "base/macros.h"

static size_t write_big_endian(unsigned char *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--) {
        out[i - 1] = (unsigned char) (value & 0xff);
        value >>= 8;
    }
    return bytes;
}

/* The 7 bits of the second byte, then what does not fit into them. */
static size_t write_length(unsigned char *out, uint64_t length)
{
    if (length < RTN_WS_LENGTH_16) {
        out[0] = (unsigned char) length;
        return 1;
    }
    bool is_short = length <= UINT16_MAX;
    out[0] = is_short ? RTN_WS_LENGTH_16 : RTN_WS_LENGTH_64;
    return 1 + write_big_endian(out + 1, length, is_short ? 2 : 8);
}

size_t rtn_ws_header_write(unsigned char out[RTN_WS_HEADER_MOST], unsigned first, uint64_t length,
                           const unsigned char *mask)
{
    out[0] = (unsigned char) first;
    size_t end = 1 + write_length(out + 1, length);
    if (mask == NULL)
        return end;
    out[1] |= RTN_WS_MASKED;
    memcpy(out + end, mask, 4);
    return end + 4;
}

#define BLOCK (4 * sizeof(rtn_lane)) /* bytes */

/* Returns the bits that any of its lanes has now. */
static rtn_lane mask_block(unsigned char *data, uint64_t key)
{
    rtn_lane *lanes = (rtn_lane *) data;

    lanes[0] ^= key;
    lanes[1] ^= key;
    lanes[2] ^= key;
    lanes[3] ^= key;
    return lanes[0] | lanes[1] | lanes[2] | lanes[3];
}

static uint64_t mask_word(unsigned char *data, uint64_t key)
{
    uint64_t word;

    memcpy(&word, data, sizeof(word));
    word ^= key;
    memcpy(data, &word, sizeof(word));
    return word;
}

/* The mask twice, as it lies over content from `offset` on. Mostly that is the start of a frame: nothing to turn. */
static uint64_t make_key(const unsigned char mask[4], uint64_t offset)
{
    unsigned char turned[4];
    uint32_t half;

    if ((offset & 3) != 0) {
        for (unsigned k = 0; k < sizeof(turned); k++)
            turned[k] = mask[(offset + k) & 3];
        mask = turned;
    }
    memcpy(&half, mask, sizeof(half));
    return (uint64_t) half << 32 | half;
}

bool rtn_ws_mask(unsigned char *data, size_t length, const unsigned char mask[4], uint64_t offset)
{
    uint64_t key = make_key(mask, offset), word_bits = 0;
    rtn_lane bits = { 0 };
    size_t i = 0;

    for (; length - i >= BLOCK; i += BLOCK)
        bits |= mask_block(data + i, key);
    for (; length - i >= sizeof(key); i += sizeof(key))
        word_bits |= mask_word(data + i, key);
    for (; i < length; i++)
        word_bits |= data[i] ^= mask[(offset + i) & 3];
    return rtn_lane_is_ascii(bits | word_bits);
}

bool rtn_ws_code_is_valid(int code)
{
    static const struct {
        int first, last;
    } ranges[] = { { 1000, 1003 }, { 1007, 1014 }, { 3000, 4999 } };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(ranges); i++) {
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    }
    return false;
}
