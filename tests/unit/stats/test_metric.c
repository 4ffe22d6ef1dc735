#include <errno.h>
#include <stdio.h>

#include "stats/metric.h"
#include "stats/report.h"
#include "support.h"

static const struct rtn_stats_label labels[] = { { "server", "get" }, { "kind", "a" } };

static struct rtn_stats_metric_spec spec_of(const char *name, enum rtn_stats_metric_kind kind)
{
    return (struct rtn_stats_metric_spec){
        .name = name, .help = "Help.", .kind = kind, .labels = labels, .label_count = 2
    };
}

static struct rtn_metric *get(const char *name, enum rtn_stats_metric_kind kind)
{
    struct rtn_stats_metric_spec spec = spec_of(name, kind);
    struct rtn_metric *metric = NULL;
    cr_assert_null(rtn_stats_metric_problem(&spec), "%s", rtn_stats_metric_problem(&spec));
    cr_assert_eq(rtn_stats_metric_get(&spec, &metric), 0);
    return metric;
}

static bool shows(const char *line)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    cr_assert_eq(rtn_stats_prometheus(&text), 0);
    return strstr(text.data, line) != NULL;
}

Test(metric, one_series_for_all_who_ask_for_it)
{
    struct rtn_metric *first = get("x_total", RTN_STATS_METRIC_COUNTER);
    struct rtn_metric *second = get("x_total", RTN_STATS_METRIC_COUNTER);
    cr_assert_eq(first, second);
    rtn_stats_metric_add(first, 2);
    rtn_stats_metric_add(second, 3);
    cr_assert(shows("x_total{server=\"get\",kind=\"a\"} 5\n"));
    rtn_stats_metric_put(first);
    cr_assert(shows("x_total{server=\"get\",kind=\"a\"} 5\n"));
    rtn_stats_metric_put(second);
    cr_assert_not(shows("x_total"));
}

/* Its cells are given out again, and nothing of it is left in them. */
Test(metric, a_new_one_begins_at_nothing)
{
    rtn_stats_thread_begin("get");
    for (int i = 0; i < 10000; i++) {
        struct rtn_metric *metric = get("x_seconds", RTN_STATS_METRIC_DURATION);
        rtn_stats_metric_observe(metric, 100);
        rtn_stats_metric_put(metric);
    }
    struct rtn_metric *metric = get("x_seconds", RTN_STATS_METRIC_DURATION);
    cr_assert(shows("x_seconds_count{server=\"get\",kind=\"a\"} 0\n"));
    cr_assert(shows("x_seconds_sum{server=\"get\",kind=\"a\"} 0.000000\n"));
    rtn_stats_metric_put(metric);
    rtn_stats_metric_put(NULL);
    rtn_stats_thread_end();
}

Test(metric, gauges_are_set_and_raised)
{
    struct rtn_metric *gauge = get("rooms", RTN_STATS_METRIC_GAUGE);
    rtn_stats_metric_set(gauge, 10);
    rtn_stats_metric_add(gauge, -12);
    cr_assert(shows("# TYPE rooms gauge\nrooms{server=\"get\",kind=\"a\"} -2\n"));
    rtn_stats_metric_put(gauge);
}

Test(metric, one_name_has_one_kind_and_one_help)
{
    struct rtn_metric *metric = get("sizes", RTN_STATS_METRIC_HISTOGRAM);
    struct rtn_metric *other = NULL;
    struct rtn_stats_metric_spec spec = spec_of("sizes", RTN_STATS_METRIC_GAUGE);
    cr_assert_eq(rtn_stats_metric_get(&spec, &other), -EEXIST);
    spec.kind = RTN_STATS_METRIC_HISTOGRAM;
    spec.help = "Other.";
    cr_assert_eq(rtn_stats_metric_get(&spec, &other), -EEXIST);
    spec.help = "Help.";
    spec.label_count = 1;
    cr_assert_eq(rtn_stats_metric_get(&spec, &other), 0);
    cr_assert_neq(other, metric);
    rtn_stats_metric_put(metric);
    rtn_stats_metric_put(other);
}

Test(metric, there_is_a_bound)
{
    static struct rtn_metric *metrics[RTN_STATS_METRICS_MAX];
    struct rtn_metric *more = NULL;
    for (int i = 0; i < RTN_STATS_METRICS_MAX; i++) {
        char name[32];
        snprintf(name, sizeof(name), "n%d", i);
        metrics[i] = get(name, RTN_STATS_METRIC_HISTOGRAM);
    }
    struct rtn_stats_metric_spec spec = spec_of("more", RTN_STATS_METRIC_GAUGE);
    cr_assert_eq(rtn_stats_metric_get(&spec, &more), -E2BIG);
    for (int i = 0; i < RTN_STATS_METRICS_MAX; i++)
        rtn_stats_metric_put(metrics[i]);
}

static const char *name_problem(const char *name, enum rtn_stats_metric_kind kind)
{
    struct rtn_stats_metric_spec spec = spec_of(name, kind);
    return rtn_stats_metric_problem(&spec);
}

Test(metric, names_are_checked)
{
    static const char *const wrong[] = { NULL,      "",          "1a",        "a-b",      "a:b",
                                         "a b",     "\xc3\xa4",  "x_total",   "x_bucket", "x_sum",
                                         "x_count", "x_created", "retinue_x", "process_x" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(wrong); i++)
        cr_expect_not_null(name_problem(wrong[i], RTN_STATS_METRIC_GAUGE), "%s", wrong[i]);
    cr_expect_null(name_problem("_a1", RTN_STATS_METRIC_GAUGE));
    cr_expect_not_null(name_problem("x", RTN_STATS_METRIC_COUNTER));
    cr_expect_not_null(name_problem("x", RTN_STATS_METRIC_DURATION));
    cr_expect_null(name_problem("x_seconds", RTN_STATS_METRIC_HISTOGRAM));
    cr_expect_not_null(name_problem("x", RTN_STATS_METRIC_KINDS));
}

static const char *labels_problem(const char *name, const char *value)
{
    const struct rtn_stats_label some[] = { { "server", "get" }, { name, value } };
    struct rtn_stats_metric_spec spec = {
        .name = "x", .help = "h", .kind = RTN_STATS_METRIC_GAUGE, .labels = some, .label_count = 2
    };
    return rtn_stats_metric_problem(&spec);
}

Test(metric, labels_are_checked)
{
    static const char *const wrong[] = { "", "1", "__x", "a-b", "le", "quantile", "server" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(wrong); i++)
        cr_expect_not_null(labels_problem(wrong[i], "v"), "%s", wrong[i]);
    cr_expect_not_null(labels_problem("a", NULL));
    cr_expect_not_null(labels_problem("a", "\xff"));
    cr_expect_null(labels_problem("a", ""));
    cr_expect_null(labels_problem("a", "\"\n\\ \xc3\xa4"));
}

Test(metric, it_needs_a_help_text)
{
    struct rtn_stats_metric_spec spec = spec_of("x", RTN_STATS_METRIC_GAUGE);
    spec.help = NULL;
    cr_expect_not_null(rtn_stats_metric_problem(&spec));
    spec.help = "";
    cr_expect_not_null(rtn_stats_metric_problem(&spec));
    spec.help = "\xff";
    cr_expect_not_null(rtn_stats_metric_problem(&spec));
}
