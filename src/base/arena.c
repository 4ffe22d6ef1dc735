/*
 * The arena: allocations are cut from the current block, which is first the caller's, then malloc'ed
 * ones. A request that would waste most of a block gets one of its own and the current block stays.
 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_ALIGN = RTN_ARENA_ALIGN, ARENA_BLOCK = 4096, ARENA_LARGE = 1024 };

struct rtn_arena_block {
    struct rtn_arena_block *next;
    _Alignas(max_align_t) char data[];
};

/* How many bytes to skip from p to the next aligned address. */
static size_t misalignment(const char *p)
{
    return -(uintptr_t) p % ARENA_ALIGN;
}

static void use_first(struct rtn_arena *arena)
{
    arena->next = arena->first;
    arena->end = arena->first_size > 0 ? arena->first + arena->first_size : arena->first; /* which may be NULL */
}

void rtn_arena_init(struct rtn_arena *arena, void *first, size_t first_size)
{
    size_t skip = RTN_MIN(misalignment(first), first_size);
    size_t whole = (first_size - skip) / ARENA_ALIGN * ARENA_ALIGN;
    *arena = (struct rtn_arena){ .first = whole > 0 ? (char *) first + skip : NULL, .first_size = whole };
    use_first(arena);
}

void rtn_arena_reset(struct rtn_arena *arena)
{
    while (arena->extra != NULL) {
        struct rtn_arena_block *block = arena->extra;
        arena->extra = block->next;
        free(block);
    }
    use_first(arena);
}

void rtn_arena_done(struct rtn_arena *arena)
{
    rtn_arena_reset(arena);
    *arena = (struct rtn_arena){ 0 };
}

static char *add_block(struct rtn_arena *arena, size_t size)
{
    struct rtn_arena_block *block = malloc(sizeof(*block) + size);
    if (block == NULL)
        return NULL;
    block->next = arena->extra;
    arena->extra = block;
    return block->data;
}

void *rtn_arena_alloc_block(struct rtn_arena *arena, size_t size)
{
    if (size > PTRDIFF_MAX - sizeof(struct rtn_arena_block) - ARENA_ALIGN) /* no object is larger */
        return NULL;
    /* Whole multiples keep `next` aligned; size 0 takes one, so that every pointer is its own. */
    size = size == 0 ? ARENA_ALIGN : (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (size > (size_t) (arena->end - arena->next)) {
        if (size > ARENA_LARGE)
            return add_block(arena, size);
        char *data = add_block(arena, ARENA_BLOCK);
        if (data == NULL)
            return NULL;
        arena->next = data;
        arena->end = data + ARENA_BLOCK;
    }
    char *result = arena->next;
    arena->next += size;
    return result;
}

void *rtn_arena_zalloc(struct rtn_arena *arena, size_t size)
{
    void *result = rtn_arena_alloc(arena, size);
    if (result != NULL)
        memset(result, 0, size);
    return result;
}

char *rtn_arena_strdup(struct rtn_arena *arena, struct rtn_str s)
{
    if (s.length == SIZE_MAX)
        return NULL;
    char *copy = rtn_arena_alloc(arena, s.length + 1);
    if (copy == NULL)
        return NULL;
    if (s.length > 0)
        memcpy(copy, s.data, s.length);
    copy[s.length] = '\0';
    return copy;
}

RTN_PRINTF(3, 0)
static char *arena_vprintf(struct rtn_arena *arena, size_t length, const char *format, va_list arguments)
{
    char *text = rtn_arena_alloc(arena, length + 1);
    if (text != NULL)
        (void) vsnprintf(text, length + 1, format, arguments);
    return text;
}

char *rtn_arena_printf(struct rtn_arena *arena, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) /* a format that printf refuses is a bug */
        abort();
    va_start(arguments, format);
    char *text = arena_vprintf(arena, (size_t) length, format, arguments);
    va_end(arguments);
    return text;
}
