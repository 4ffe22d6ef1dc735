/*
 * What modules count, shown beside what the daemon counts: for Prometheus and as JSON. Included by <retinue/module.h>,
 * which says what holds for all of this. Since level 5. [any]
 *
 *     static int configure(void *instance, rtn_setup *setup)
 *     {
 *         struct shop *shop = instance;
 *         return rtn_metric_declare(setup, RTN_METRIC_COUNTER, "shop_orders_total", "Orders.", NULL, &shop->orders);
 *     }
 *     ...
 *     rtn_metric_add(shop->orders, 1);
 */
#ifndef RETINUE_METRICS_H
#define RETINUE_METRICS_H

#ifndef RETINUE_MODULE_H
#error "include <retinue/module.h>, which includes this file"
#endif

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

typedef struct rtn_metric rtn_metric;

enum rtn_metric_kind {
    RTN_METRIC_COUNTER = 1, /* only ever grows; its name ends with "_total" */
    RTN_METRIC_GAUGE, /* a number that goes up and down */
    RTN_METRIC_HISTOGRAM, /* of values as they are, from 1 to 67108864; what is larger is in the last bucket */
    RTN_METRIC_DURATION /* the same of microseconds, shown in seconds; its name ends with "_seconds" */
};

struct rtn_metric_label {
    const char *name;
    const char *value;
};

/*
 * Only in configure and ready. Name, help and labels are copied; `labels` ends with a name that is NULL, up to six of
 * them, and may be NULL. The daemon adds the labels "server" and "module". Whoever declares the same name with the same
 * labels gets the same metric: instances of one module on one server share it unless a label of theirs sets them apart.
 * Counts go on over a reload, and are forgotten when the last instance that declared the metric has gone.
 *
 * *metric is valid as long as the instance. -EINVAL after adding an error: a name or label that Prometheus would not
 * take, or that begins with "retinue_" or "process_"; no help text; the same name with another kind or help.
 */
int rtn_metric_declare(rtn_setup *setup, enum rtn_metric_kind kind, const char *name, const char *help,
                       const struct rtn_metric_label *labels, rtn_metric **metric);

/*
 * Counters: n more, never fewer. Gauges: n more or fewer. Threads of the daemon do not wait for each other, nor share
 * memory. NULL is accepted, and so is a metric of another kind: nothing happens. Any thread, as the next two.
 */
void rtn_metric_add(rtn_metric *metric, int64_t n);

/* Gauges. */
void rtn_metric_set(rtn_metric *metric, int64_t value);

/* Histograms and durations: one more value, 0 or more. */
void rtn_metric_observe(rtn_metric *metric, int64_t value);

enum rtn_metrics_format {
    RTN_METRICS_PROMETHEUS = 1, /* text format 0.0.4 */
    RTN_METRICS_JSON /* by server; see retinued(8) */
};

/*
 * Replies with all metrics of the daemon and its modules, with status 200 and their Content-Type. Takes a millisecond
 * or more: on a worker. RTN_DONE, -EINVAL (no such format), -ENOMEM, or as rtn_reply().
 */
int rtn_reply_metrics(rtn_request *request, enum rtn_metrics_format format);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif
#endif
