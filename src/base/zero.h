/* Zeroing parts of objects that are made for every request. [any] */
#ifndef RTN_BASE_ZERO_H
#define RTN_BASE_ZERO_H

#include <stddef.h>
#include <string.h>

/*
 * As memset(at, 0, size), for a size that the compiler knows and up to a few hundred bytes: by plain stores, where gcc
 * would use a string instruction, which takes longer to begin than they take in all.
 */
static inline void rtn_zero(void *at, size_t size)
{
    char *bytes = at;
    size_t whole = size / 16;
#pragma GCC unroll 64
    for (size_t i = 0; i < whole; i++)
        memset(bytes + i * 16, 0, 16);
    memset(bytes + whole * 16, 0, size % 16);
}

/* The members from `first` up to, and without, `last`. */
#define RTN_ZERO_MEMBERS(object, first, last)                            \
    rtn_zero((char *) (object) + offsetof(__typeof__(*(object)), first), \
             offsetof(__typeof__(*(object)), last) - offsetof(__typeof__(*(object)), first))

#endif
