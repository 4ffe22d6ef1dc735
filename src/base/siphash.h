/* SipHash-1-3 under a random key, so that nobody who chooses what is hashed can choose it to collide. [any] */
#ifndef RTN_BASE_SIPHASH_H
#define RTN_BASE_SIPHASH_H

#include <stdint.h>

#include "base/str.h"

struct rtn_siphash_key {
    uint64_t words[2];
};

/* Random; only in the first moments of a machine's life it may be guessable. */
void rtn_siphash_choose_key(struct rtn_siphash_key *ret);

/* Hashes differ between machines: never store or send them. */
uint64_t rtn_siphash(const struct rtn_siphash_key *key, struct rtn_str data);

#endif
