/*
 * Memory that one thread takes and another gives back, again and again: messages, questions, answers. [any]
 *
 * Each thread keeps a few blocks that were given back on it and takes them first. Threads that only give and threads
 * that only take hand them on to each other many at a time, so that hardly any of them costs a lock or a malloc(). How
 * many are kept is bounded; those that are larger than any kept size are not.
 */
#ifndef RTN_HUB_BLOCK_H
#define RTN_HUB_BLOCK_H

#include <stddef.h>

#include "base/macros.h"

#define RTN_BLOCK_ALIGNMENT RTN_CACHE_PAIR

/* `size` bytes, aligned as above; what is in them is not defined. NULL when memory is out. */
void *rtn_block_take(size_t size);

/* Gives back one that was taken with that size. */
void rtn_block_give(void *data, size_t size);

#endif
