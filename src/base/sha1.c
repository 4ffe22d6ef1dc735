/* Of bytes that are all there. A library for it would be a quarter of what the daemon has in memory when it starts. */
#include "base/sha1.h"

#include <stdint.h>
#include <string.h>

#define BLOCK 64
#define LENGTH_BYTES 8

static uint32_t rotate(uint32_t word, unsigned bits)
{
    return word << bits | word >> (32 - bits);
}

static uint32_t read_word(const unsigned char *at)
{
    return (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3];
}

static void write_word(unsigned char *at, uint32_t word)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (unsigned char) (word >> (24 - 8 * i));
}

/* What step `t` mixes of b, c and d, with its constant. */
static uint32_t mix(unsigned t, const uint32_t s[5])
{
    uint32_t b = s[1], c = s[2], d = s[3];
    if (t < 20)
        return ((b & c) | (~b & d)) + 0x5a827999;
    if (t < 40)
        return (b ^ c ^ d) + 0x6ed9eba1;
    if (t < 60)
        return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    return (b ^ c ^ d) + 0xca62c1d6;
}

static void add_block(uint32_t state[5], const unsigned char *block)
{
    uint32_t words[80];
    uint32_t s[5];
    memcpy(s, state, sizeof(s));
    for (unsigned t = 0; t < 16; t++)
        words[t] = read_word(block + (size_t) t * 4);
    for (unsigned t = 16; t < 80; t++)
        words[t] = rotate(words[t - 3] ^ words[t - 8] ^ words[t - 14] ^ words[t - 16], 1);
    for (unsigned t = 0; t < 80; t++) {
        uint32_t next = rotate(s[0], 5) + mix(t, s) + s[4] + words[t];
        s[4] = s[3];
        s[3] = s[2];
        s[2] = rotate(s[1], 30);
        s[1] = s[0];
        s[0] = next;
    }
    for (unsigned i = 0; i < 5; i++)
        state[i] += s[i];
}

/* What is left, a bit, zeros, and the length in bits. */
static void add_end(uint32_t state[5], const unsigned char *rest, size_t left, uint64_t length)
{
    unsigned char blocks[2 * BLOCK] = { 0 };
    size_t size = left + 1 + LENGTH_BYTES <= BLOCK ? BLOCK : 2 * BLOCK;
    if (left > 0)
        memcpy(blocks, rest, left);
    blocks[left] = 0x80;
    write_word(blocks + size - 8, (uint32_t) (length >> 29));
    write_word(blocks + size - 4, (uint32_t) (length << 3));
    for (size_t at = 0; at < size; at += BLOCK)
        add_block(state, blocks + at);
}

void rtn_sha1(const void *data, size_t length, unsigned char digest[RTN_SHA1_SIZE])
{
    uint32_t state[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
    const unsigned char *at = data;
    size_t left = length;
    for (; left >= BLOCK; at += BLOCK, left -= BLOCK)
        add_block(state, at);
    add_end(state, at, left, length);
    for (size_t i = 0; i < 5; i++)
        write_word(digest + i * 4, state[i]);
}
