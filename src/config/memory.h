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

#define rtn_config_printf(arena, ...) ((char *) rtn_config_need(rtn_arena_printf(arena, __VA_ARGS__)))

#endif
