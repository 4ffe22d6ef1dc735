/*
 * Text format 0.0.4 of Prometheus. Samples of one family stand together below its HELP and TYPE, which come with the
 * first of them. Times are counted in microseconds and shown in seconds.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/utf8.h"
#include "stats/process.h"
#include "stats/report.h"
#include "stats/rows.h"

#define FIRST_BOUND 4 /* power of two (us) of the first bucket of durations */
#define LAST_BOUND 26

struct writer {
    struct rtn_buf *out;
    const struct rtn_stats_picture *picture;
    const char *family; /* whose HELP was written last */
};

struct labels {
    struct rtn_stats_label items[RTN_STATS_METRIC_LABELS + 3];
    size_t count;
};

static const char *const type_names[] = {
    [RTN_STATS_COUNTER] = "counter", [RTN_STATS_GAUGE] = "gauge", [RTN_STATS_HISTOGRAM] = "histogram"
};

static void add_label(struct labels *labels, const char *name, const char *value)
{
    if (name != NULL && value != NULL)
        labels->items[labels->count++] = (struct rtn_stats_label){ name, value };
}

/* In labels quotes are escaped as well; bytes that are not UTF-8 become U+FFFD. */
static void append_escaped(struct rtn_buf *out, const char *text, bool quoted)
{
    struct rtn_str left = rtn_str_of(text);
    while (left.length > 0) {
        unsigned step = rtn_utf8_next(left);
        char c = left.data[0];
        if (step == 0)
            rtn_buf_append_text(out, "\xef\xbf\xbd");
        else if (c == '\n')
            rtn_buf_append_text(out, "\\n");
        else if (c == '\\' || (c == '"' && quoted))
            rtn_buf_append(out, (char[2]){ '\\', c }, 2);
        else
            rtn_buf_append(out, left.data, step);
        left.data += RTN_MAX(step, 1U);
        left.length -= RTN_MAX(step, 1U);
    }
}

static void begin_family(struct writer *writer, const char *family, const char *help, const char *type)
{
    if (writer->family != NULL && strcmp(writer->family, family) == 0)
        return;
    writer->family = family;
    rtn_buf_printf(writer->out, "# HELP %s ", family);
    append_escaped(writer->out, help, false);
    rtn_buf_printf(writer->out, "\n# TYPE %s %s\n", family, type);
}

/* Up to the space before the value. */
static void append_name(struct rtn_buf *out, const char *family, const char *suffix, const struct labels *labels)
{
    rtn_buf_append_text(out, family);
    rtn_buf_append_text(out, suffix);
    for (size_t i = 0; i < labels->count; i++) {
        rtn_buf_append_char(out, i == 0 ? '{' : ',');
        rtn_buf_append_text(out, labels->items[i].name);
        rtn_buf_append_text(out, "=\"");
        append_escaped(out, labels->items[i].value, true);
        rtn_buf_append_char(out, '"');
    }
    rtn_buf_append_text(out, labels->count > 0 ? "} " : " ");
}

static void append_value(struct rtn_buf *out, const char *family, const struct labels *labels, int64_t value)
{
    append_name(out, family, "", labels);
    rtn_buf_printf(out, "%" PRId64 "\n", value);
}

/* As it is, or as seconds. */
static void format_number(char out[32], uint64_t value, bool seconds)
{
    if (seconds)
        snprintf(out, 32, "%" PRIu64 ".%06" PRIu64, value / 1000000, value % 1000000);
    else
        snprintf(out, 32, "%" PRIu64, value);
}

static void append_count(struct rtn_buf *out, const char *family, const char *suffix, const struct labels *labels,
                         uint64_t count)
{
    append_name(out, family, suffix, labels);
    rtn_buf_printf(out, "%" PRIu64 "\n", count);
}

/* A bound for each power of two; those in between are not shown. */
static void append_histogram(struct rtn_buf *out, const char *family, struct labels *labels, const uint64_t *cells,
                             bool seconds)
{
    char number[32] = "";
    uint64_t count = 0;
    unsigned bucket = 0;
    add_label(labels, "le", number);
    for (unsigned power = seconds ? FIRST_BOUND : 0; power <= LAST_BOUND; power++) {
        uint64_t bound = UINT64_C(1) << power;
        for (; rtn_histogram_upper(bucket) <= bound; bucket++)
            count += cells[bucket];
        format_number(number, bound, seconds);
        append_count(out, family, "_bucket", labels, count);
    }
    snprintf(number, sizeof(number), "+Inf");
    append_count(out, family, "_bucket", labels, rtn_histogram_count(cells));
    labels->count--;
    append_name(out, family, "_sum", labels);
    format_number(number, cells[RTN_HISTOGRAM_SUM], seconds);
    rtn_buf_printf(out, "%s\n", number);
    append_count(out, family, "_count", labels, rtn_histogram_count(cells));
}

static void write_reading(struct writer *writer, const struct rtn_stats_row *row,
                          const struct rtn_stats_reading *reading)
{
    struct labels labels = { .count = 0 };
    bool same_label = row->value == NULL || (reading->label != NULL && strcmp(row->value, reading->label) == 0);
    bool of_server = row->from == RTN_STATS_FROM_SERVER_SOURCE;
    if (reading->gauge != row->index || !same_label || (reading->server != NULL) != of_server)
        return;
    add_label(&labels, "server", reading->server);
    add_label(&labels, row->label, row->value);
    begin_family(writer, row->family, row->help, type_names[row->type]);
    append_value(writer->out, row->family, &labels, reading->value);
}

static void write_sources(struct writer *writer, const struct rtn_stats_row *row)
{
    RTN_LIST_FOREACH (node, &writer->picture->readings.readings)
        write_reading(writer, row, RTN_CONTAINER_OF(node, struct rtn_stats_reading, node));
}

static const struct {
    enum rtn_stats_kind kind;
    const char *labels[2];
} kinds[] = {
    [RTN_STATS_FROM_SERVER] = { RTN_STATS_OF_SERVER, { "server" } },
    [RTN_STATS_FROM_DERIVED] = { RTN_STATS_OF_SERVER, { "server" } },
    [RTN_STATS_FROM_ROUTE] = { RTN_STATS_OF_ROUTE, { "server", "route" } },
    [RTN_STATS_FROM_MESSAGE] = { RTN_STATS_OF_MESSAGE, { "type" } },
};

/* Histograms that have counted nothing are left out: not every route has handlers on workers. */
static void write_series(struct writer *writer, const struct rtn_stats_row *row, const struct rtn_stats_series *series)
{
    struct labels labels = { .count = 0 };
    const uint64_t *cells = series->cells + row->index;
    if (row->type == RTN_STATS_HISTOGRAM && rtn_histogram_count(cells) == 0)
        return;
    for (size_t i = 0; i < 2; i++)
        add_label(&labels, kinds[row->from].labels[i], series->labels[i]);
    add_label(&labels, row->label, row->value);
    begin_family(writer, row->family, row->help, type_names[row->type]);
    if (row->type == RTN_STATS_HISTOGRAM)
        append_histogram(writer->out, row->family, &labels, cells, true);
    else if (row->from == RTN_STATS_FROM_DERIVED)
        append_value(writer->out, row->family, &labels, rtn_stats_derive(series->cells, row->index));
    else
        append_value(writer->out, row->family, &labels, (int64_t) *cells);
}

static void write_row(struct writer *writer, const struct rtn_stats_row *row)
{
    if (row->family == NULL)
        return;
    if (row->from == RTN_STATS_FROM_SERVER_SOURCE || row->from == RTN_STATS_FROM_PROCESS_SOURCE) {
        write_sources(writer, row);
        return;
    }
    enum rtn_stats_kind kind = kinds[row->from].kind;
    for (size_t i = 0; i < writer->picture->count[kind]; i++)
        write_series(writer, row, &writer->picture->series[kind][i]);
}

static void write_metric(struct writer *writer, const struct rtn_stats_metric_view *metric)
{
    static const enum rtn_stats_type types[] = {
        [RTN_STATS_METRIC_COUNTER] = RTN_STATS_COUNTER,
        [RTN_STATS_METRIC_GAUGE] = RTN_STATS_GAUGE,
        [RTN_STATS_METRIC_HISTOGRAM] = RTN_STATS_HISTOGRAM,
        [RTN_STATS_METRIC_DURATION] = RTN_STATS_HISTOGRAM,
    };
    struct labels labels = { .count = 0 };
    for (size_t i = 0; i < metric->label_count; i++)
        add_label(&labels, metric->labels[i].name, metric->labels[i].value);
    begin_family(writer, metric->name, metric->help, type_names[types[metric->kind]]);
    if (types[metric->kind] == RTN_STATS_HISTOGRAM)
        append_histogram(writer->out, metric->name, &labels, metric->cells, metric->kind == RTN_STATS_METRIC_DURATION);
    else
        append_value(writer->out, metric->name, &labels, metric->value);
}

static void write_number(struct writer *writer, const char *family, const char *help, enum rtn_stats_type type,
                         int64_t value)
{
    if (value < 0)
        return;
    begin_family(writer, family, help, type_names[type]);
    append_value(writer->out, family, &(struct labels){ .count = 0 }, value);
}

static void write_seconds(struct writer *writer, const char *family, const char *help, enum rtn_stats_type type,
                          int64_t ms)
{
    begin_family(writer, family, help, type_names[type]);
    rtn_buf_printf(writer->out, "%s %" PRId64 ".%03" PRId64 "\n", family, ms / 1000, ms % 1000);
}

/* The names are those that all of Prometheus' client libraries use. */
static void write_process(struct writer *writer)
{
    struct rtn_stats_process process;
    rtn_stats_process_read(&process);
    struct labels labels = { .items = { { "version", RTN_VERSION } }, .count = 1 };
    begin_family(writer, "retinue_build_info", "The version of the daemon.", "gauge");
    append_value(writer->out, "retinue_build_info", &labels, 1);
    write_seconds(writer, "process_start_time_seconds", "When the process was started, since 1970.", RTN_STATS_GAUGE,
                  process.started_ms);
    write_seconds(writer, "process_cpu_seconds_total", "Processor time, of user and system.", RTN_STATS_COUNTER,
                  process.user_ms + process.system_ms);
    write_number(writer, "process_resident_memory_bytes", "Memory that is there.", RTN_STATS_GAUGE, process.resident);
    write_number(writer, "process_virtual_memory_bytes", "Memory that is addressed.", RTN_STATS_GAUGE,
                 process.virtual_size);
    write_number(writer, "process_open_fds", "File descriptors that are open.", RTN_STATS_GAUGE, process.descriptors);
    write_number(writer, "process_max_fds", "How many there may be.", RTN_STATS_GAUGE, process.descriptors_max);
    write_number(writer, "process_threads", "Threads.", RTN_STATS_GAUGE, process.threads);
}

int rtn_stats_prometheus(struct rtn_buf *out)
{
    struct rtn_stats_picture picture;
    int r = rtn_stats_picture_take(&picture);
    if (r == 0) {
        struct writer writer = { .out = out, .picture = &picture };
        write_process(&writer);
        for (size_t i = 0; i < rtn_stats_row_count; i++)
            write_row(&writer, &rtn_stats_rows[i]);
        for (size_t i = 0; i < picture.metric_count; i++)
            write_metric(&writer, &picture.metrics[i]);
    }
    rtn_stats_picture_done(&picture);
    return r;
}
