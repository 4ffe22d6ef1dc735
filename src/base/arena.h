/*
 * A bump allocator released in one call: one per request, one per configuration. [owner's thread]
 *
 * The first block may be given by the caller (inside a pooled object), so that the common case never
 * calls malloc; reset() frees every later block and starts again in the first.
 */
#ifndef RTN_BASE_ARENA_H
#define RTN_BASE_ARENA_H

#include "base/macros.h"
#include "base/str.h"

#define RTN_ARENA_ALIGN _Alignof(max_align_t)

struct rtn_arena_block;

struct rtn_arena {
    char *next; /* where the next allocation starts: aligned, as the next */
    char *end; /* end of the current block */
    char *first; /* caller's first block, or NULL */
    size_t first_size;
    struct rtn_arena_block *extra; /* malloc'ed blocks, newest first */
};

/* `first` (may be NULL with size 0) stays the caller's and must outlive the arena. */
void rtn_arena_init(struct rtn_arena *arena, void *first, size_t first_size);
void rtn_arena_reset(struct rtn_arena *arena);
void rtn_arena_done(struct rtn_arena *arena);

/* When the current block has no room for it. */
void *rtn_arena_alloc_block(struct rtn_arena *arena, size_t size) RTN_MUST_CHECK;

/* Aligned for any type, not zeroed. NULL only when memory is out. size 0 gives a valid pointer. */
RTN_MUST_CHECK static inline void *rtn_arena_alloc(struct rtn_arena *arena, size_t size)
{
    char *result = arena->next;
    /* What is left is a whole multiple of the alignment: when the size fits, it also does rounded up. */
    if (RTN_UNLIKELY(size == 0 || size > (size_t) (arena->end - result)))
        return rtn_arena_alloc_block(arena, size);
    arena->next += (size + RTN_ARENA_ALIGN - 1) / RTN_ARENA_ALIGN * RTN_ARENA_ALIGN;
    return result;
}

void *rtn_arena_zalloc(struct rtn_arena *arena, size_t size) RTN_MUST_CHECK;

/* NUL-terminated copies. NULL only when memory is out. */
char *rtn_arena_strdup(struct rtn_arena *arena, struct rtn_str s) RTN_MUST_CHECK;
char *rtn_arena_printf(struct rtn_arena *arena, const char *format, ...) RTN_PRINTF(2, 3) RTN_MUST_CHECK;

#endif
