/*
 * Metrics of modules: a list in the order of their names, so that a name's series are shown together. Those who ask for
 * the same one share it, and its cells go back when the last of them is gone. Counters and histograms are counted like
 * all else; gauges, which are set as well as raised, are an atomic number here.
 */
#include "stats/metric.h"

#include <errno.h>
#include <stdlib.h>

#include "stats/picture.h"

struct rtn_metric {
    struct rtn_list node;
    struct rtn_stats_metric_spec spec; /* in the arena */
    struct rtn_arena arena;
    rtn_stats_block block; /* 0: a gauge */
    _Atomic int64_t value; /* of a gauge */
    unsigned references;
};

static struct rtn_list metrics = { &metrics, &metrics };
static size_t metric_count;

static bool is_histogram(enum rtn_stats_metric_kind kind)
{
    return kind == RTN_STATS_METRIC_HISTOGRAM || kind == RTN_STATS_METRIC_DURATION;
}

static enum rtn_stats_kind block_kind(enum rtn_stats_metric_kind kind)
{
    return is_histogram(kind) ? RTN_STATS_OF_HISTOGRAM : RTN_STATS_OF_METRIC;
}

static bool same_labels(const struct rtn_stats_metric_spec *a, const struct rtn_stats_metric_spec *b)
{
    if (a->label_count != b->label_count)
        return false;
    for (size_t i = 0; i < a->label_count; i++) {
        if (strcmp(a->labels[i].name, b->labels[i].name) != 0 || strcmp(a->labels[i].value, b->labels[i].value) != 0)
            return false;
    }
    return true;
}

static bool same_family(const struct rtn_stats_metric_spec *a, const struct rtn_stats_metric_spec *b)
{
    return a->kind == b->kind && strcmp(a->help, b->help) == 0;
}

static struct rtn_stats_label *copy_labels(struct rtn_arena *arena, const struct rtn_stats_metric_spec *spec)
{
    struct rtn_stats_label *labels = rtn_arena_zalloc(arena, (spec->label_count + 1) * sizeof(*labels));
    for (size_t i = 0; labels != NULL && i < spec->label_count; i++) {
        labels[i].name = rtn_arena_strdup(arena, rtn_str_of(spec->labels[i].name));
        labels[i].value = rtn_arena_strdup(arena, rtn_str_of(spec->labels[i].value));
        if (labels[i].name == NULL || labels[i].value == NULL)
            return NULL;
    }
    return labels;
}

static int copy_spec(struct rtn_arena *arena, const struct rtn_stats_metric_spec *spec,
                     struct rtn_stats_metric_spec *ret)
{
    *ret = *spec;
    ret->name = rtn_arena_strdup(arena, rtn_str_of(spec->name));
    ret->help = rtn_arena_strdup(arena, rtn_str_of(spec->help));
    ret->labels = copy_labels(arena, spec);
    return ret->name != NULL && ret->help != NULL && ret->labels != NULL ? 0 : -ENOMEM;
}

static void free_metric(struct rtn_metric *metric)
{
    rtn_arena_done(&metric->arena);
    free(metric);
}

static int make(const struct rtn_stats_metric_spec *spec, struct rtn_list *before, struct rtn_metric **ret)
{
    struct rtn_metric *metric = calloc(1, sizeof(*metric));
    if (metric == NULL)
        return -ENOMEM;
    rtn_arena_init(&metric->arena, NULL, 0);
    int r = copy_spec(&metric->arena, spec, &metric->spec);
    if (r == 0 && spec->kind != RTN_STATS_METRIC_GAUGE) {
        metric->block = rtn_stats_take_block(block_kind(spec->kind));
        r = metric->block != 0 ? 0 : -E2BIG;
    }
    if (r < 0) {
        free_metric(metric);
        return r;
    }
    rtn_list_append(before, &metric->node);
    metric_count++;
    *ret = metric;
    return 0;
}

/* With the lock held. */
static int get(const struct rtn_stats_metric_spec *spec, struct rtn_metric **ret)
{
    struct rtn_list *before = &metrics; /* the first one with a larger name */
    RTN_LIST_FOREACH (node, &metrics) {
        struct rtn_metric *metric = RTN_CONTAINER_OF(node, struct rtn_metric, node);
        int order = strcmp(metric->spec.name, spec->name);
        if (order > 0) {
            before = node;
            break;
        }
        if (order == 0 && !same_family(&metric->spec, spec))
            return -EEXIST;
        if (order == 0 && same_labels(&metric->spec, spec)) {
            *ret = metric;
            return 0;
        }
    }
    return metric_count < RTN_STATS_METRICS_MAX ? make(spec, before, ret) : -E2BIG;
}

int rtn_stats_metric_get(const struct rtn_stats_metric_spec *spec, struct rtn_metric **ret)
{
    struct rtn_metric *metric = NULL;
    pthread_mutex_lock(&rtn_stats_mutex);
    int r = get(spec, &metric);
    if (r == 0) {
        metric->references++;
        *ret = metric;
    }
    pthread_mutex_unlock(&rtn_stats_mutex);
    return r;
}

void rtn_stats_metric_put(struct rtn_metric *metric)
{
    if (metric == NULL)
        return;
    pthread_mutex_lock(&rtn_stats_mutex);
    bool last = --metric->references == 0;
    if (last) {
        rtn_list_remove(&metric->node);
        rtn_stats_give_block(block_kind(metric->spec.kind), metric->block);
        metric_count--;
    }
    pthread_mutex_unlock(&rtn_stats_mutex);
    if (last)
        free_metric(metric);
}

enum rtn_stats_metric_kind rtn_stats_metric_kind(const struct rtn_metric *metric)
{
    return metric->spec.kind;
}

void rtn_stats_metric_add(struct rtn_metric *metric, int64_t n)
{
    if (metric->block == 0)
        (void) atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
    else
        rtn_stats_add(metric->block, 0, (uint64_t) n);
}

void rtn_stats_metric_set(struct rtn_metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void rtn_stats_metric_observe(struct rtn_metric *metric, uint64_t value)
{
    rtn_stats_observe(metric->block, 0, value);
}

static int view(struct rtn_arena *arena, struct rtn_metric *metric, struct rtn_stats_metric_view *ret)
{
    struct rtn_stats_metric_spec spec;
    uint64_t *cells = rtn_arena_zalloc(arena, RTN_HISTOGRAM_CELLS * sizeof(*cells));
    if (cells == NULL || copy_spec(arena, &metric->spec, &spec) < 0)
        return -ENOMEM;
    if (metric->block != 0)
        rtn_stats_sum(metric->block, rtn_stats_size(block_kind(spec.kind)), cells);
    else
        cells[0] = (uint64_t) atomic_load_explicit(&metric->value, memory_order_relaxed);
    *ret = (struct rtn_stats_metric_view){ .name = spec.name,
                                           .help = spec.help,
                                           .kind = spec.kind,
                                           .labels = spec.labels,
                                           .label_count = spec.label_count,
                                           .value = (int64_t) cells[0],
                                           .cells = cells };
    return 0;
}

int rtn_stats_view_metrics(struct rtn_arena *arena, struct rtn_stats_metric_view **ret, size_t *ret_count)
{
    struct rtn_stats_metric_view *views = rtn_arena_alloc(arena, (metric_count + 1) * sizeof(*views));
    size_t count = 0;
    if (views == NULL)
        return -ENOMEM;
    RTN_LIST_FOREACH (node, &metrics) {
        int r = view(arena, RTN_CONTAINER_OF(node, struct rtn_metric, node), &views[count++]);
        if (r < 0)
            return r;
    }
    *ret = views;
    *ret_count = count;
    return 0;
}
