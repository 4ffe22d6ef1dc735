/*
 * Bodies of the public functions for metrics. What an instance has declared hangs on it, and is given back with it;
 * metrics themselves are shared by their names and labels, see stats/metric.h.
 */
#include <retinue/module.h>

#include <errno.h>
#include <stdlib.h>

#include "app/metrics.h"
#include "app/setup.h"
#include "loop/stalls.h"
#include "proto/response.h"
#include "stats/metric.h"
#include "stats/report.h"

struct rtn_declared {
    struct rtn_declared *next;
    struct rtn_metric *metric;
};

void rtn_metrics_release(struct rtn_instance *instance)
{
    for (const struct rtn_declared *declared = instance->declared; declared != NULL; declared = declared->next)
        rtn_stats_metric_put(declared->metric);
    instance->declared = NULL;
}

static int report(const struct rtn_setup *setup, const char *name, const char *problem)
{
    const struct rtn_instance *instance = setup->instance;
    rtn_setup_report(setup, rtn_schema_mark(instance->place.node, "module"), "module \"%s\": metric \"%s\": %s",
                     instance->loaded->module.name, name != NULL ? name : "", problem);
    return -EINVAL;
}

/* Those of the daemon come first. -E2BIG: there are too many. */
static int gather_labels(const struct rtn_instance *instance, const struct rtn_metric_label *labels,
                         struct rtn_stats_label *out, size_t *ret)
{
    size_t count = 0;
    out[count++] = (struct rtn_stats_label){ "server", instance->server->name };
    out[count++] = (struct rtn_stats_label){ "module", instance->loaded->module.name };
    for (; labels != NULL && labels->name != NULL; labels++) {
        if (count == RTN_STATS_METRIC_LABELS)
            return -E2BIG;
        out[count++] = (struct rtn_stats_label){ labels->name, labels->value };
    }
    *ret = count;
    return 0;
}

static const char *explain(int error)
{
    if (error == -EEXIST)
        return "there is one of that name with another kind or help text";
    return error == -E2BIG ? "there are too many metrics" : "memory is out";
}

/* The instance, which is frozen for modules only, has one more reference. */
static int keep(const struct rtn_setup *setup, struct rtn_metric *metric)
{
    struct rtn_instance *instance = (struct rtn_instance *) (uintptr_t) setup->instance;
    struct rtn_declared *declared = rtn_arena_alloc(&instance->arena, sizeof(*declared));
    if (declared == NULL) {
        rtn_stats_metric_put(metric);
        return -ENOMEM;
    }
    *declared = (struct rtn_declared){ .next = instance->declared, .metric = metric };
    instance->declared = declared;
    return 0;
}

int rtn_metric_declare(rtn_setup *setup, enum rtn_metric_kind kind, const char *name, const char *help,
                       const struct rtn_metric_label *labels, rtn_metric **metric)
{
    struct rtn_stats_label all[RTN_STATS_METRIC_LABELS];
    struct rtn_stats_metric_spec spec = {
        .name = name,
        .help = help,
        .kind = (enum rtn_stats_metric_kind)((unsigned) kind - RTN_METRIC_COUNTER),
        .labels = all,
    };
    if (gather_labels(setup->instance, labels, all, &spec.label_count) < 0)
        return report(setup, name, "it has more than six labels");
    const char *problem = rtn_stats_metric_problem(&spec);
    if (problem != NULL)
        return report(setup, name, problem);
    struct rtn_metric *found;
    int r = rtn_stats_metric_get(&spec, &found);
    if (r == 0)
        r = keep(setup, found);
    if (r < 0)
        return report(setup, name, explain(r));
    *metric = found;
    return 0;
}

void rtn_metric_add(rtn_metric *metric, int64_t n)
{
    if (metric == NULL)
        return;
    enum rtn_stats_metric_kind kind = rtn_stats_metric_kind(metric);
    if (kind == RTN_STATS_METRIC_GAUGE || (kind == RTN_STATS_METRIC_COUNTER && n > 0))
        rtn_stats_metric_add(metric, n);
}

void rtn_metric_set(rtn_metric *metric, int64_t value)
{
    if (metric != NULL && rtn_stats_metric_kind(metric) == RTN_STATS_METRIC_GAUGE)
        rtn_stats_metric_set(metric, value);
}

void rtn_metric_observe(rtn_metric *metric, int64_t value)
{
    if (metric == NULL || rtn_stats_metric_kind(metric) < RTN_STATS_METRIC_HISTOGRAM)
        return;
    rtn_stats_metric_observe(metric, value > 0 ? (uint64_t) value : 0);
}

/* The text is sent from where it is. */
static int reply(rtn_request *request, struct rtn_buf *text, const char *type)
{
    int r = rtn_reply_header(request, "Content-Type", type);
    if (r < 0)
        return r;
    size_t length = text->length;
    char *bytes = rtn_buf_steal(text);
    return rtn_reply_release(request, 200, bytes, length, free, bytes);
}

int rtn_reply_metrics(rtn_request *request, enum rtn_metrics_format format)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    if (format != RTN_METRICS_PROMETHEUS && format != RTN_METRICS_JSON)
        return -EINVAL;
    bool json = format == RTN_METRICS_JSON;
    int r = json ? rtn_stats_json(&text, rtn_stalls_put) : rtn_stats_prometheus(&text);
    return r < 0 ? r : reply(request, &text, json ? "application/json" : RTN_STATS_PROMETHEUS_TYPE);
}
