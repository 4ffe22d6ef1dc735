/*
 * Metrics that modules declare: one series for each name and set of labels, however many ask for it. It goes away with
 * the last who did. Raising is for any thread, see stats.h; a gauge is one atomic number. [any]
 */
#ifndef RTN_STATS_METRIC_H
#define RTN_STATS_METRIC_H

#include "stats/stats.h"

#define RTN_STATS_METRIC_LABELS 8 /* of one metric */
#define RTN_STATS_METRICS_MAX 4096 /* series */

enum rtn_stats_metric_kind {
    RTN_STATS_METRIC_COUNTER,
    RTN_STATS_METRIC_GAUGE,
    RTN_STATS_METRIC_HISTOGRAM, /* of values as they are */
    RTN_STATS_METRIC_DURATION, /* of microseconds, shown in seconds */
    RTN_STATS_METRIC_KINDS
};

struct rtn_stats_label {
    const char *name;
    const char *value;
};

struct rtn_stats_metric_spec {
    const char *name;
    const char *help;
    enum rtn_stats_metric_kind kind;
    const struct rtn_stats_label *labels;
    size_t label_count;
};

struct rtn_metric;

/* What of it Prometheus or we do not take, in words; NULL: nothing. */
const char *rtn_stats_metric_problem(const struct rtn_stats_metric_spec *spec);

/*
 * Found, or made, from what has no problem; strings are copied. 0; -EEXIST: there is one of that name and another kind
 * or help; -E2BIG: there are too many; -ENOMEM.
 */
int rtn_stats_metric_get(const struct rtn_stats_metric_spec *spec, struct rtn_metric **ret);

/* As often as it was got. Nobody who got it may use it any more. Accepts NULL. */
void rtn_stats_metric_put(struct rtn_metric *metric);

enum rtn_stats_metric_kind rtn_stats_metric_kind(const struct rtn_metric *metric);

/* Counters and gauges: n more, of gauges also fewer. */
void rtn_stats_metric_add(struct rtn_metric *metric, int64_t n);

/* Gauges. */
void rtn_stats_metric_set(struct rtn_metric *metric, int64_t value);

/* Histograms. */
void rtn_stats_metric_observe(struct rtn_metric *metric, uint64_t value);

#endif
