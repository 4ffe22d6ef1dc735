/* SipHash with one round per word and three at the end: enough where nobody sees the hashes. */
#include "base/siphash.h"

#include <sys/random.h>

#include "base/clock.h"

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

void rtn_siphash_choose_key(struct rtn_siphash_key *ret)
{
    if (getrandom(ret->words, sizeof(ret->words), GRND_NONBLOCK) == (ssize_t) sizeof(ret->words))
        return;
    ret->words[0] = (uint64_t) rtn_clock_us();
    ret->words[1] = (uintptr_t) ret;
}

/* The words are read in the machine's byte order. */
uint64_t rtn_siphash(const struct rtn_siphash_key *key, struct rtn_str data)
{
    uint64_t v[4] = { key->words[0] ^ 0x736f6d6570736575, key->words[1] ^ 0x646f72616e646f6d,
                      key->words[0] ^ 0x6c7967656e657261, key->words[1] ^ 0x7465646279746573 };
    uint64_t word = 0;
    size_t done = 0;

    for (; data.length - done >= sizeof(word); done += sizeof(word)) {
        memcpy(&word, data.data + done, sizeof(word));
        sip_word(v, word);
    }
    word = 0;
    if (data.length > done)
        memcpy(&word, data.data + done, data.length - done);
    sip_word(v, word ^ (uint64_t) data.length << 56);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
