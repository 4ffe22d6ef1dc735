/*
 * What names metrics may have: those of Prometheus' data model, without ':' (which is for rules), and with the suffixes
 * that its naming conventions ask for. Names that begin like ours are ours.
 */
#include "base/utf8.h"
#include "stats/metric.h"

#define NAME_MAX 128
#define VALUE_MAX 256

static bool is_name(const char *name)
{
    if (name == NULL || rtn_is_digit(name[0]) || name[0] == '\0')
        return false;
    size_t length = 0;
    for (; name[length] != '\0'; length++) {
        if (!rtn_is_alnum(name[length]) && name[length] != '_')
            return false;
    }
    return length <= NAME_MAX;
}

static bool begins(const char *name, const char *prefix)
{
    return rtn_str_starts_with(rtn_str_of(name), rtn_str_of(prefix));
}

static bool ends(const char *name, const char *suffix)
{
    return rtn_str_ends_with(rtn_str_of(name), rtn_str_of(suffix));
}

static const char *name_problem(const char *name, enum rtn_stats_metric_kind kind)
{
    static const char *const parts[] = { "_bucket", "_count", "_sum", "_created" };
    if (!is_name(name))
        return "a name has letters, digits and '_', up to 128, and does not begin with a digit";
    if (begins(name, "retinue_") || begins(name, "process_"))
        return "names that begin with \"retinue_\" or \"process_\" are the daemon's own";
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(parts); i++) {
        if (ends(name, parts[i]))
            return "names that end with \"_bucket\", \"_count\", \"_sum\" or \"_created\" are parts of others";
    }
    if ((kind == RTN_STATS_METRIC_COUNTER) != ends(name, "_total"))
        return "names of counters, and of nothing else, end with \"_total\"";
    if (kind == RTN_STATS_METRIC_DURATION && !ends(name, "_seconds"))
        return "names of durations end with \"_seconds\"";
    return NULL;
}

static bool is_text(const char *text, size_t most)
{
    struct rtn_str s = rtn_str_of(text);
    return text != NULL && s.length <= most && rtn_utf8_valid(s);
}

static const char *label_problem(const struct rtn_stats_metric_spec *spec, size_t index)
{
    const char *name = spec->labels[index].name;
    if (!is_name(name) || begins(name, "__"))
        return "the name of a label has letters, digits and '_', and does not begin with a digit or \"__\"";
    if (strcmp(name, "le") == 0 || strcmp(name, "quantile") == 0)
        return "labels \"le\" and \"quantile\" are for histograms";
    if (!is_text(spec->labels[index].value, VALUE_MAX))
        return "the value of a label is UTF-8 of at most 256 bytes";
    for (size_t i = 0; i < index; i++) {
        if (strcmp(spec->labels[i].name, name) == 0)
            return "it has a label twice; \"server\" and \"module\" are there already";
    }
    return NULL;
}

const char *rtn_stats_metric_problem(const struct rtn_stats_metric_spec *spec)
{
    if ((unsigned) spec->kind >= RTN_STATS_METRIC_KINDS)
        return "there is no such kind";
    const char *problem = name_problem(spec->name, spec->kind);
    if (problem != NULL)
        return problem;
    if (!is_text(spec->help, 4 * VALUE_MAX) || spec->help[0] == '\0')
        return "it needs a help text, UTF-8 of at most 1024 bytes";
    if (spec->label_count > RTN_STATS_METRIC_LABELS)
        return "it has too many labels";
    for (size_t i = 0; i < spec->label_count; i++) {
        problem = label_problem(spec, i);
        if (problem != NULL)
            return problem;
    }
    return NULL;
}
