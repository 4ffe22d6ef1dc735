/* Bytes many at a time: what vector instructions of every machine take at once, or a word. [any] */
#ifndef RTN_BASE_LANE_H
#define RTN_BASE_LANE_H

#include <stdbool.h>
#include <stdint.h>

/* It may be at any address, in bytes of any kind. */
typedef uint64_t rtn_lane __attribute__((vector_size(16), aligned(1), may_alias));

/* No byte of the word is above 0x7f. */
static inline bool rtn_word_is_ascii(uint64_t word)
{
    return (word & UINT64_C(0x8080808080808080)) == 0;
}

static inline bool rtn_lane_is_ascii(rtn_lane lane)
{
    return rtn_word_is_ascii(lane[0] | lane[1]);
}

#endif
