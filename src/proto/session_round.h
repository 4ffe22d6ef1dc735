/*
 * What one iteration of a loop sends to its sessions, written once, one after the other: a session sends a stretch of
 * it, and messages for many are there once for all of them. Empty between two iterations. [loop]
 */
#ifndef RTN_PROTO_SESSION_ROUND_H
#define RTN_PROTO_SESSION_ROUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define RTN_ROUND_SIZE ((size_t) 128 * 1024)

struct rtn_round {
    unsigned char *bytes; /* RTN_ROUND_SIZE; NULL: not used yet */
    size_t length;
};

/* Bytes of it, in the order in which they are to be sent. */
struct rtn_stretch {
    unsigned start;
    unsigned length; /* 0: none */
};

/* Room for as many bytes behind what is there; false: there is none, or no memory. */
static inline bool rtn_round_has_room(struct rtn_round *round, size_t length)
{
    if (round->bytes == NULL)
        round->bytes = (unsigned char *) malloc(RTN_ROUND_SIZE);
    return round->bytes != NULL && length <= RTN_ROUND_SIZE - round->length;
}

/* Takes that room. */
static inline unsigned char *rtn_round_take(struct rtn_round *round, size_t length)
{
    unsigned char *at = round->bytes + round->length;
    round->length += length;
    return at;
}

/* True when bytes from `start` on go on where the stretch ends. */
static inline bool rtn_stretch_reaches(const struct rtn_stretch *stretch, size_t start)
{
    return stretch->length == 0 || (size_t) stretch->start + stretch->length == start;
}

static inline void rtn_stretch_extend(struct rtn_stretch *stretch, size_t start, size_t length)
{
    if (stretch->length == 0)
        stretch->start = (unsigned) start;
    stretch->length += (unsigned) length;
}

#endif
