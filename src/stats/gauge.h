/*
 * Values that are asked for when somebody looks: each source is a function that gives any number of them. [any]
 *
 * Sources are called under a lock that adding and removing take, too: when rtn_stats_source_remove() returns the
 * function is not running and will not run any more. A source may take leaf locks; it must neither log, nor add or
 * remove sources, nor make blocks.
 */
#ifndef RTN_STATS_GAUGE_H
#define RTN_STATS_GAUGE_H

#include <stdint.h>

#include "base/list.h"

/* What sources give; rows.c says how each is shown. */
enum rtn_stats_gauge {
    /* Of a server. */
    RTN_STATS_POOL_THREADS, /* that run */
    RTN_STATS_POOL_THREADS_MAX, /* `threads` */
    RTN_STATS_POOL_RUNNING, /* of these, inside a task */
    RTN_STATS_POOL_BLOCKED, /* of these, not among the active ones */
    RTN_STATS_POOL_STUCK, /* of these, over timeouts.handler */
    RTN_STATS_POOL_QUEUED, /* label lane: clients, callbacks, tasks */
    RTN_STATS_HUB_WAITING, /* messages */
    RTN_STATS_HUB_CAPACITY,
    RTN_STATS_SERVER_UP, /* 1: serves; 0: is stopping */
    RTN_STATS_OLD_PROGRAMS, /* not in force any more, but in use */
    RTN_STATS_OLD_SESSIONS, /* under them */
    /* Of the process. */
    RTN_STATS_LOG_DROPS, /* counter */
    RTN_STATS_GENERATION, /* number of the one in force */
    RTN_STATS_GENERATIONS, /* alive */
    RTN_STATS_RELOADS, /* counter; label result: good, bad */
    RTN_STATS_RELOAD_TIME, /* of the last good one, s since 1970 */
    RTN_STATS_GAUGES
};

struct rtn_stats_readings;

struct rtn_stats_source {
    const char *server; /* NULL: of the process; must live as long as the source, as `data` */
    void (*read)(struct rtn_stats_readings *out, void *data);
    void *data;
    struct rtn_list node;
};

/* The struct is the caller's, all-zero but for the first three members. */
void rtn_stats_source_add(struct rtn_stats_source *source);

/* No effect when it was not added. */
void rtn_stats_source_remove(struct rtn_stats_source *source);

/* In a source: one value. `label` is static text, NULL where the row has none. */
void rtn_stats_give(struct rtn_stats_readings *out, enum rtn_stats_gauge gauge, const char *label, int64_t value);

#endif
