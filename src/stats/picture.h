/*
 * A picture of all that is counted, taken under the lock and then written as text without it. [owner's thread]
 */
#ifndef RTN_STATS_PICTURE_H
#define RTN_STATS_PICTURE_H

#include "base/arena.h"
#include "stats/gauge.h"
#include "stats/metric.h"
#include "stats/stats_internal.h"

#define RTN_STATS_LABELLED (RTN_STATS_OF_MESSAGE + 1) /* kinds of blocks that have entries */

/* One block, added up. */
struct rtn_stats_series {
    const char *labels[2]; /* server, route; or type */
    const uint64_t *cells;
};

struct rtn_stats_reading {
    enum rtn_stats_gauge gauge;
    const char *server; /* NULL: of the process */
    const char *label; /* NULL: none */
    int64_t value;
    struct rtn_list node;
};

struct rtn_stats_readings {
    struct rtn_arena *arena;
    const char *server; /* of the source that is being read */
    bool failed; /* memory is out */
    struct rtn_list readings;
};

/* A metric of modules. */
struct rtn_stats_metric_view {
    const char *name;
    const char *help;
    enum rtn_stats_metric_kind kind;
    const struct rtn_stats_label *labels;
    size_t label_count;
    int64_t value; /* of counters and gauges */
    const uint64_t *cells; /* of histograms */
};

struct rtn_stats_picture {
    struct rtn_arena arena;
    struct rtn_stats_series *series[RTN_STATS_LABELLED]; /* in the order in which they were made */
    size_t count[RTN_STATS_LABELLED];
    struct rtn_stats_readings readings;
    struct rtn_stats_metric_view *metrics; /* those of one name side by side */
    size_t metric_count;
};

/* 0 or -ENOMEM; done is to be called in either case. */
int rtn_stats_picture_take(struct rtn_stats_picture *picture);
void rtn_stats_picture_done(struct rtn_stats_picture *picture);

/* Calls all sources, with the lock held. */
void rtn_stats_read_sources(struct rtn_stats_readings *out);

/* All metrics, with the lock held; in the arena. 0 or -ENOMEM. */
int rtn_stats_view_metrics(struct rtn_arena *arena, struct rtn_stats_metric_view **ret, size_t *ret_count);

#endif
