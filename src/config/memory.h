/* Memory of a configuration. Like buffers, loading aborts when memory is out: nothing is left to do then. [main] */
#ifndef RTN_CONFIG_MEMORY_H
#define RTN_CONFIG_MEMORY_H

#include <stdlib.h>

#include "base/arena.h"

static inline void *rtn_config_need(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

/* Zeroed. */
static inline void *rtn_config_alloc(struct rtn_arena *arena, size_t size)
{
    return rtn_config_need(rtn_arena_zalloc(arena, size));
}

static inline char *rtn_config_strdup(struct rtn_arena *arena, struct rtn_str s)
{
    return rtn_config_need(rtn_arena_strdup(arena, s));
}

/* A copy in lower case, ASCII only. */
static inline char *rtn_config_lower(struct rtn_arena *arena, struct rtn_str s)
{
    char *copy = rtn_config_strdup(arena, s);

    for (char *c = copy; *c != '\0'; c++)
        *c = rtn_lower(*c);
    return copy;
}

#define rtn_config_printf(arena, ...) ((char *) rtn_config_need(rtn_arena_printf(arena, __VA_ARGS__)))

#endif
