/*
 * Slabs. Each is a table of chunks, made when something in them is counted for the first time, so that a thread has
 * memory only for what it counts. Its owner writes without the lock; whoever reads, ends a thread or clears cells has
 * the lock, so that a slab is either among the living or in `retired`, never in both or none: sums do not go back.
 *
 * `shared` is for threads without a slab; they add atomically.
 */
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "stats/stats_internal.h"

pthread_mutex_t rtn_stats_mutex = PTHREAD_MUTEX_INITIALIZER;
_Thread_local struct rtn_stats_slab *rtn_stats_slab;

static struct rtn_list slabs = { &slabs, &slabs }; /* of threads */
static struct rtn_stats_slab retired;
static struct rtn_stats_slab shared;

static pthread_once_t start_once = PTHREAD_ONCE_INIT;
static int64_t start_time;
static int64_t start_clock;

static void note_start(void)
{
    struct timespec now = { 0 };
    (void) clock_gettime(CLOCK_REALTIME, &now);
    start_time = (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
    start_clock = rtn_clock_ms();
}

void rtn_stats_started(int64_t *ret_time, int64_t *ret_clock)
{
    (void) pthread_once(&start_once, note_start);
    *ret_time = start_time;
    *ret_clock = start_clock;
}

static rtn_stats_cell *chunk_at(struct rtn_stats_slab *slab, size_t index)
{
    return atomic_load_explicit(&slab->chunks[index], memory_order_acquire);
}

/* By the only thread that makes chunks of this slab; NULL when memory is out. */
static rtn_stats_cell *make_chunk(struct rtn_stats_slab *slab, size_t index)
{
    rtn_stats_cell *chunk = chunk_at(slab, index);
    if (chunk != NULL)
        return chunk;
    chunk = calloc(RTN_STATS_CHUNK, sizeof(*chunk));
    if (chunk != NULL)
        atomic_store_explicit(&slab->chunks[index], chunk, memory_order_release);
    return chunk;
}

rtn_stats_cell *rtn_stats_make_cell(uint32_t cell)
{
    if (rtn_stats_slab == NULL)
        return NULL;
    rtn_stats_cell *chunk = make_chunk(rtn_stats_slab, cell / RTN_STATS_CHUNK);
    return chunk != NULL ? chunk + cell % RTN_STATS_CHUNK : NULL;
}

/* Without the lock, which sources of gauges may wait for us with. */
static rtn_stats_cell *make_shared_chunk(size_t index)
{
    rtn_stats_cell *other = NULL;
    rtn_stats_cell *chunk = calloc(RTN_STATS_CHUNK, sizeof(*chunk));
    if (chunk == NULL || atomic_compare_exchange_strong_explicit(&shared.chunks[index], &other, chunk,
                                                                 memory_order_acq_rel, memory_order_acquire))
        return chunk;
    free((void *) (uintptr_t) chunk);
    return other;
}

void rtn_stats_add_shared(uint32_t cell, uint64_t n)
{
    size_t index = cell / RTN_STATS_CHUNK;
    rtn_stats_cell *chunk = chunk_at(&shared, index);
    if (chunk == NULL)
        chunk = make_shared_chunk(index);
    if (chunk != NULL)
        (void) atomic_fetch_add_explicit(chunk + cell % RTN_STATS_CHUNK, n, memory_order_relaxed);
}

void rtn_stats_thread_begin(const char *server)
{
    rtn_stats_block block = rtn_stats_server(server);
    if (rtn_stats_slab != NULL)
        return;
    (void) pthread_once(&start_once, note_start);
    struct rtn_stats_slab *slab = calloc(1, sizeof(*slab));
    if (slab == NULL)
        return;
    rtn_stats_slab = slab;
    slab->server = rtn_stats_make_cell(block);
    if (slab->server == NULL) {
        rtn_stats_slab = NULL;
        free(slab);
        return;
    }
    pthread_mutex_lock(&rtn_stats_mutex);
    rtn_list_append(&slabs, &slab->node);
    pthread_mutex_unlock(&rtn_stats_mutex);
}

/* With the lock held. */
static void retire_chunk(size_t index, const rtn_stats_cell *chunk)
{
    rtn_stats_cell *sums = make_chunk(&retired, index);
    for (size_t i = 0; sums != NULL && i < RTN_STATS_CHUNK; i++)
        rtn_stats_raise(sums + i, atomic_load_explicit(chunk + i, memory_order_relaxed));
}

void rtn_stats_thread_end(void)
{
    struct rtn_stats_slab *slab = rtn_stats_slab;
    if (slab == NULL)
        return;
    rtn_stats_slab = NULL;
    pthread_mutex_lock(&rtn_stats_mutex);
    rtn_list_remove(&slab->node);
    for (size_t i = 0; i < RTN_STATS_CHUNKS; i++) {
        rtn_stats_cell *chunk = chunk_at(slab, i);
        if (chunk != NULL)
            retire_chunk(i, chunk);
        free((void *) (uintptr_t) chunk);
    }
    pthread_mutex_unlock(&rtn_stats_mutex);
    free(slab);
}

static void sum_slab(struct rtn_stats_slab *slab, rtn_stats_block block, size_t count, uint64_t *out)
{
    const rtn_stats_cell *chunk = chunk_at(slab, block / RTN_STATS_CHUNK);
    if (chunk == NULL)
        return;
    chunk += block % RTN_STATS_CHUNK;
    for (size_t i = 0; i < count; i++)
        out[i] += atomic_load_explicit(chunk + i, memory_order_relaxed);
}

void rtn_stats_sum(rtn_stats_block block, size_t count, uint64_t *out)
{
    memset(out, 0, count * sizeof(*out));
    sum_slab(&retired, block, count, out);
    sum_slab(&shared, block, count, out);
    RTN_LIST_FOREACH (node, &slabs)
        sum_slab(RTN_CONTAINER_OF(node, struct rtn_stats_slab, node), block, count, out);
}

static void clear_slab(struct rtn_stats_slab *slab, rtn_stats_block block, size_t count)
{
    rtn_stats_cell *chunk = chunk_at(slab, block / RTN_STATS_CHUNK);
    for (size_t i = 0; chunk != NULL && i < count; i++)
        atomic_store_explicit(chunk + block % RTN_STATS_CHUNK + i, 0, memory_order_relaxed);
}

void rtn_stats_clear(rtn_stats_block block, size_t count)
{
    clear_slab(&retired, block, count);
    clear_slab(&shared, block, count);
    RTN_LIST_FOREACH (node, &slabs)
        clear_slab(RTN_CONTAINER_OF(node, struct rtn_stats_slab, node), block, count);
}
