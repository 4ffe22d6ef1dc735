/*
 * Counting. Every thread of the daemon has a slab of cells that it alone writes, by plain (relaxed) loads and stores;
 * readers add up the slabs of all threads. What a thread has counted outlives it. [any]
 *
 * Cells are given out in blocks: one for each server, route, message type, metric of a module. A block has a number
 * that is the same in all slabs, and it is found by its labels: whoever asks for the same ones again gets the same
 * block, so that counters live on over reloads and over the restart of a server. Blocks of servers, routes and message
 * types stay until the process ends; there is a bound on each kind, and what goes over it is counted together in one
 * block of that kind, "other".
 */
#ifndef RTN_STATS_STATS_H
#define RTN_STATS_STATS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/list.h"
#include "base/macros.h"
#include "stats/cells.h"

#define RTN_STATS_CHUNK 512 /* cells; no block is larger, or lies in two chunks */
#define RTN_STATS_CHUNKS 2048
#define RTN_STATS_ROUTES_MAX 4096 /* with a block of their own */

/* The number of its first cell. 0: none; what is counted there is not shown. */
typedef uint32_t rtn_stats_block;

typedef _Atomic uint64_t rtn_stats_cell;

struct rtn_stats_slab {
    rtn_stats_cell *server; /* the cells of the thread's server */
    _Atomic(rtn_stats_cell *) chunks[RTN_STATS_CHUNKS]; /* NULL: nothing was counted there yet */
    struct rtn_list node;
};

/* The slab of the calling thread. NULL: a thread that the daemon did not make, which counts by atomic additions. */
extern _Thread_local struct rtn_stats_slab *rtn_stats_slab __attribute__((tls_model("initial-exec")));

/*
 * The calling thread gets a slab, and belongs to that server from now on (NULL: to none). Without memory it goes on
 * without one.
 */
void rtn_stats_thread_begin(const char *server);

/* Its slab goes away; what was counted stays. No effect without one. */
void rtn_stats_thread_end(void);

/* Blocks: found, or made. 0 when memory is out, and for NULL. `host` may be NULL. Strings are copied. */
rtn_stats_block rtn_stats_server(const char *server);
rtn_stats_block rtn_stats_route(const char *server, const char *host, const char *path);
rtn_stats_block rtn_stats_message(const char *type);

/* A cell of the calling thread's slab, made when missing; NULL without a slab or memory. */
rtn_stats_cell *rtn_stats_make_cell(uint32_t cell);

/* The same by an atomic addition in a slab of all threads that have none. */
void rtn_stats_add_shared(uint32_t cell, uint64_t n);

/* One writer: no other thread's count can get lost. */
RTN_INLINE void rtn_stats_raise(rtn_stats_cell *cell, uint64_t n)
{
    atomic_store_explicit(cell, atomic_load_explicit(cell, memory_order_relaxed) + n, memory_order_relaxed);
}

/* The cells of a block for the calling thread; NULL: rtn_stats_add() must be used. */
static inline rtn_stats_cell *rtn_stats_cells(rtn_stats_block block)
{
    struct rtn_stats_slab *slab = rtn_stats_slab;
    if (RTN_UNLIKELY(slab == NULL))
        return NULL;
    rtn_stats_cell *chunk = atomic_load_explicit(&slab->chunks[block / RTN_STATS_CHUNK], memory_order_relaxed);
    if (RTN_UNLIKELY(chunk == NULL))
        return rtn_stats_make_cell(block);
    return chunk + block % RTN_STATS_CHUNK;
}

/* n more in a cell of a block. */
static inline void rtn_stats_add(rtn_stats_block block, unsigned cell, uint64_t n)
{
    rtn_stats_cell *cells = rtn_stats_cells(block);
    if (RTN_LIKELY(cells != NULL))
        rtn_stats_raise(cells + cell, n);
    else
        rtn_stats_add_shared(block + cell, n);
}

/* The same value so many times in a histogram: cells of the calling thread. */
static inline void rtn_stats_observe_at(rtn_stats_cell *histogram, uint64_t value, unsigned times)
{
    rtn_stats_raise(histogram + rtn_histogram_bucket(value), times);
    rtn_stats_raise(histogram + RTN_HISTOGRAM_SUM, value * times);
}

/* The same in the histogram that begins at `cell` of a block. */
static inline void rtn_stats_observe(rtn_stats_block block, unsigned cell, uint64_t value)
{
    rtn_stats_add(block, cell + rtn_histogram_bucket(value), 1);
    rtn_stats_add(block, cell + RTN_HISTOGRAM_SUM, value);
}

/* n more of what the calling thread's server counts. No effect on threads that belong to no server. */
static inline void rtn_stats_count(enum rtn_stats_server_cell cell, uint64_t n)
{
    struct rtn_stats_slab *slab = rtn_stats_slab;
    if (RTN_LIKELY(slab != NULL))
        rtn_stats_raise(slab->server + cell, n);
}

#endif
