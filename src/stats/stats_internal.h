/*
 * What the files of the stats share: the lock, the slabs as a whole, the blocks. All with the lock held, unless a
 * function says otherwise. [any]
 */
#ifndef RTN_STATS_STATS_INTERNAL_H
#define RTN_STATS_STATS_INTERNAL_H

#include <pthread.h>

#include "stats/stats.h"

/* Guards slabs, blocks, sources, metrics. A leaf but for what sources take. */
extern pthread_mutex_t rtn_stats_mutex;

enum rtn_stats_kind {
    RTN_STATS_OF_SERVER,
    RTN_STATS_OF_ROUTE,
    RTN_STATS_OF_MESSAGE,
    RTN_STATS_OF_METRIC, /* with one cell */
    RTN_STATS_OF_HISTOGRAM, /* a metric with the cells of a histogram */
    RTN_STATS_KINDS
};

/* A block with labels; of the first three kinds. Stays until the process ends. */
struct rtn_stats_entry {
    rtn_stats_block block;
    const char *labels[2]; /* server, route; or type */
    struct rtn_list node;
};

/* stats_blocks.c */

/* Entries of a kind, in the order in which they were made; and how many. */
const struct rtn_list *rtn_stats_entries(enum rtn_stats_kind kind);
size_t rtn_stats_entry_count(enum rtn_stats_kind kind);

/* Cells in a block of that kind. */
size_t rtn_stats_size(enum rtn_stats_kind kind);

/* Zeroed cells; 0: there is no room. */
rtn_stats_block rtn_stats_take_block(enum rtn_stats_kind kind);

/* Nobody counts there any more. */
void rtn_stats_give_block(enum rtn_stats_kind kind, rtn_stats_block block);

/* stats_slab.c */

/* The sums of `count` cells over all threads, also those that have ended. */
void rtn_stats_sum(rtn_stats_block block, size_t count, uint64_t *out);

/* Sets them to 0; nobody may count there meanwhile. */
void rtn_stats_clear(rtn_stats_block block, size_t count);

/* When the first thread began: wall clock and monotonic, ms. Without the lock. */
void rtn_stats_started(int64_t *ret_time, int64_t *ret_clock);

#endif
