/*
 * The same as JSON, by server. Rows name the path of members that their number goes to; objects are opened and closed
 * as that path changes from row to row. Times are in microseconds, as they are counted.
 */
#include <assert.h>
#include <unistd.h>

#include "base/json.h"
#include "stats/process.h"
#include "stats/report.h"
#include "stats/rows.h"

#define DEPTH 4 /* of a row's path */

/* Objects of a path that are open. */
struct path {
    struct rtn_json *json;
    struct rtn_str open[DEPTH];
    size_t depth;
};

static const char *const class_names[] = { "aborted", "1xx", "2xx", "3xx", "4xx", "5xx" };
static const char *const histogram_names[] = { "duration_us", "queue_us", "handler_us" };
static const unsigned histogram_cells[] = { RTN_STATS_DURATION, RTN_STATS_QUEUE_WAIT, RTN_STATS_HANDLER };

static void put_key(struct rtn_json *json, struct rtn_str key)
{
    char name[32];
    assert(key.length < sizeof(name));
    memcpy(name, key.data, key.length);
    name[key.length] = '\0';
    rtn_json_key(json, name);
}

static void close_to(struct path *path, size_t depth)
{
    for (; path->depth > depth; path->depth--)
        rtn_json_end(path->json);
}

/* Opens what leads to the last member of `text`, and writes its key. */
static void go_to(struct path *path, const char *text)
{
    size_t depth = 0;
    const char *dot;
    for (; (dot = strchr(text, '.')) != NULL; text = dot + 1, depth++) {
        struct rtn_str part = { text, (size_t) (dot - text) };
        if (depth < path->depth && rtn_str_equal(path->open[depth], part))
            continue;
        close_to(path, depth);
        assert(depth < DEPTH);
        put_key(path->json, part);
        rtn_json_object(path->json);
        path->open[path->depth++] = part;
    }
    close_to(path, depth);
    rtn_json_key(path->json, text);
}

static void put_buckets(struct rtn_json *json, const uint64_t *cells)
{
    rtn_json_key(json, "buckets");
    rtn_json_array(json);
    for (unsigned i = 0; i < RTN_HISTOGRAM_BUCKETS; i++) {
        if (cells[i] == 0)
            continue;
        rtn_json_array(json);
        if (i < RTN_HISTOGRAM_BUCKETS - 1)
            rtn_json_int(json, (int64_t) rtn_histogram_upper(i));
        else
            rtn_json_null(json);
        rtn_json_int(json, (int64_t) cells[i]);
        rtn_json_end(json);
    }
    rtn_json_end(json);
}

static void put_histogram(struct rtn_json *json, const char *key, const uint64_t *cells)
{
    static const struct {
        const char *name;
        double share;
    } shares[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 }, { "max", 1 } };
    rtn_json_key(json, key);
    rtn_json_object(json);
    rtn_json_put_int(json, "count", (int64_t) rtn_histogram_count(cells));
    rtn_json_put_int(json, "sum", (int64_t) cells[RTN_HISTOGRAM_SUM]);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(shares); i++)
        rtn_json_put_int(json, shares[i].name, (int64_t) rtn_histogram_percentile(cells, shares[i].share));
    put_buckets(json, cells);
    rtn_json_end(json);
}

/* Members of "requests", up to those by class. `cells`: of a route, or sums of routes. */
static void put_classes(struct rtn_json *json, const uint64_t *cells)
{
    uint64_t total = 0;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(class_names); i++)
        total += cells[RTN_STATS_ABORTED + i];
    rtn_json_put_int(json, "total", (int64_t) total);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(class_names); i++)
        rtn_json_put_int(json, class_names[i], (int64_t) cells[RTN_STATS_ABORTED + i]);
}

static void put_histograms(struct rtn_json *json, const uint64_t *cells)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(histogram_names); i++)
        put_histogram(json, histogram_names[i], cells + histogram_cells[i]);
}

static bool is_of(const struct rtn_stats_series *route, const char *server)
{
    return strcmp(route->labels[0], server) == 0;
}

static void put_requests(struct rtn_json *json, const struct rtn_stats_picture *picture,
                         const struct rtn_stats_series *server)
{
    uint64_t sums[RTN_STATS_ROUTE_CELLS] = { 0 };
    for (size_t i = 0; i < picture->count[RTN_STATS_OF_ROUTE]; i++) {
        const struct rtn_stats_series *route = &picture->series[RTN_STATS_OF_ROUTE][i];
        for (size_t j = 0; j < RTN_STATS_ROUTE_CELLS && is_of(route, server->labels[0]); j++)
            sums[j] += route->cells[j];
    }
    rtn_json_key(json, "requests");
    rtn_json_object(json);
    put_classes(json, sums);
    rtn_json_put_int(json, "active", rtn_stats_derive(server->cells, RTN_STATS_ACTIVE));
    rtn_json_put_int(json, "refused", (int64_t) server->cells[RTN_STATS_REFUSED_REQUESTS]);
    rtn_json_end(json);
    put_histograms(json, sums);
}

static void put_routes(struct rtn_json *json, const struct rtn_stats_picture *picture, const char *server)
{
    rtn_json_key(json, "routes");
    rtn_json_array(json);
    for (size_t i = 0; i < picture->count[RTN_STATS_OF_ROUTE]; i++) {
        const struct rtn_stats_series *route = &picture->series[RTN_STATS_OF_ROUTE][i];
        if (!is_of(route, server))
            continue;
        rtn_json_object(json);
        rtn_json_put_text(json, "route", route->labels[1]);
        rtn_json_key(json, "requests");
        rtn_json_object(json);
        put_classes(json, route->cells);
        rtn_json_end(json);
        put_histograms(json, route->cells);
        rtn_json_end(json);
    }
    rtn_json_end(json);
}

static bool fits(const struct rtn_stats_row *row, const struct rtn_stats_reading *reading, const char *server)
{
    if (reading->gauge != row->index || (server == NULL) != (reading->server == NULL))
        return false;
    if (server != NULL && strcmp(server, reading->server) != 0)
        return false;
    return row->value == NULL || (reading->label != NULL && strcmp(row->value, reading->label) == 0);
}

/* The number that the row stands for. False: nobody gives it. */
static bool find_reading(const struct rtn_stats_picture *picture, const struct rtn_stats_row *row, const char *server,
                         int64_t *ret)
{
    RTN_LIST_FOREACH (node, &picture->readings.readings) {
        const struct rtn_stats_reading *reading = RTN_CONTAINER_OF(node, struct rtn_stats_reading, node);
        if (fits(row, reading, server)) {
            *ret = reading->value;
            return true;
        }
    }
    return false;
}

static bool find_number(const struct rtn_stats_picture *picture, const struct rtn_stats_row *row,
                        const struct rtn_stats_series *server, int64_t *ret)
{
    if (row->from == RTN_STATS_FROM_SERVER_SOURCE)
        return find_reading(picture, row, server->labels[0], ret);
    if (row->from == RTN_STATS_FROM_DERIVED)
        *ret = rtn_stats_derive(server->cells, row->index);
    else
        *ret = (int64_t) server->cells[row->index];
    return true;
}

static bool is_of_server(const struct rtn_stats_row *row)
{
    return row->from == RTN_STATS_FROM_SERVER || row->from == RTN_STATS_FROM_DERIVED ||
           row->from == RTN_STATS_FROM_SERVER_SOURCE;
}

static void put_server(struct rtn_json *json, const struct rtn_stats_picture *picture,
                       const struct rtn_stats_series *server)
{
    struct path path = { .json = json };
    int64_t number;
    rtn_json_object(json);
    rtn_json_put_text(json, "name", server->labels[0]);
    for (size_t i = 0; i < rtn_stats_row_count; i++) {
        const struct rtn_stats_row *row = &rtn_stats_rows[i];
        if (row->json == NULL || !is_of_server(row) || !find_number(picture, row, server, &number))
            continue;
        go_to(&path, row->json);
        rtn_json_int(json, number);
    }
    close_to(&path, 0);
    put_requests(json, picture, server);
    put_routes(json, picture, server->labels[0]);
    rtn_json_end(json);
}

static void put_servers(struct rtn_json *json, const struct rtn_stats_picture *picture)
{
    rtn_json_key(json, "servers");
    rtn_json_array(json);
    for (size_t i = 0; i < picture->count[RTN_STATS_OF_SERVER]; i++)
        put_server(json, picture, &picture->series[RTN_STATS_OF_SERVER][i]);
    rtn_json_end(json);
}

static void put_message(struct rtn_json *json, const struct rtn_stats_series *type)
{
    rtn_json_object(json);
    rtn_json_put_text(json, "type", type->labels[0]);
    for (size_t i = 0; i < rtn_stats_row_count; i++) {
        const struct rtn_stats_row *row = &rtn_stats_rows[i];
        if (row->from == RTN_STATS_FROM_MESSAGE)
            rtn_json_put_int(json, row->json, (int64_t) type->cells[row->index]);
    }
    rtn_json_end(json);
}

static void put_messages(struct rtn_json *json, const struct rtn_stats_picture *picture)
{
    rtn_json_key(json, "messages");
    rtn_json_array(json);
    for (size_t i = 0; i < picture->count[RTN_STATS_OF_MESSAGE]; i++)
        put_message(json, &picture->series[RTN_STATS_OF_MESSAGE][i]);
    rtn_json_end(json);
}

static void put_metric(struct rtn_json *json, const struct rtn_stats_metric_view *metric)
{
    static const char *const kinds[] = {
        [RTN_STATS_METRIC_COUNTER] = "counter",
        [RTN_STATS_METRIC_GAUGE] = "gauge",
        [RTN_STATS_METRIC_HISTOGRAM] = "histogram",
        [RTN_STATS_METRIC_DURATION] = "duration",
    };
    rtn_json_object(json);
    rtn_json_put_text(json, "name", metric->name);
    rtn_json_put_text(json, "help", metric->help);
    rtn_json_put_text(json, "kind", kinds[metric->kind]);
    rtn_json_key(json, "labels");
    rtn_json_object(json);
    for (size_t i = 0; i < metric->label_count; i++)
        rtn_json_put_text(json, metric->labels[i].name, metric->labels[i].value);
    rtn_json_end(json);
    if (metric->kind == RTN_STATS_METRIC_COUNTER || metric->kind == RTN_STATS_METRIC_GAUGE)
        rtn_json_put_int(json, "value", metric->value);
    else
        put_histogram(json, "histogram", metric->cells);
    rtn_json_end(json);
}

static void put_metrics(struct rtn_json *json, const struct rtn_stats_picture *picture)
{
    rtn_json_key(json, "metrics");
    rtn_json_array(json);
    for (size_t i = 0; i < picture->metric_count; i++)
        put_metric(json, &picture->metrics[i]);
    rtn_json_end(json);
}

/* A number that the system may not say. */
static void put_known(struct path *path, const char *where, int64_t value)
{
    if (value < 0)
        return;
    go_to(path, where);
    rtn_json_int(path->json, value);
}

static void put_process(struct path *path)
{
    struct rtn_stats_process process;
    rtn_stats_process_read(&process);
    rtn_json_put_text(path->json, "version", RTN_VERSION);
    put_known(path, "time_ms", process.time_ms);
    put_known(path, "started_ms", process.started_ms);
    put_known(path, "uptime_ms", process.uptime_ms);
    put_known(path, "process.pid", getpid());
    put_known(path, "process.threads", process.threads);
    put_known(path, "process.cpu_ms.user", process.user_ms);
    put_known(path, "process.cpu_ms.system", process.system_ms);
    put_known(path, "process.memory.resident", process.resident);
    put_known(path, "process.memory.virtual", process.virtual_size);
    put_known(path, "process.descriptors.open", process.descriptors);
    put_known(path, "process.descriptors.max", process.descriptors_max);
}

static void put_process_rows(struct path *path, const struct rtn_stats_picture *picture)
{
    int64_t number;
    for (size_t i = 0; i < rtn_stats_row_count; i++) {
        const struct rtn_stats_row *row = &rtn_stats_rows[i];
        if (row->from != RTN_STATS_FROM_PROCESS_SOURCE || !find_reading(picture, row, NULL, &number))
            continue;
        go_to(path, row->json);
        rtn_json_int(path->json, number);
    }
}

int rtn_stats_json(struct rtn_buf *out, void (*more)(struct rtn_json *json))
{
    struct rtn_stats_picture picture;
    struct rtn_json json = { .out = out };
    struct path path = { .json = &json };
    int r = rtn_stats_picture_take(&picture);
    if (r == 0) {
        rtn_json_object(&json);
        put_process(&path);
        put_process_rows(&path, &picture);
        close_to(&path, 0);
        put_servers(&json, &picture);
        put_messages(&json, &picture);
        put_metrics(&json, &picture);
        if (more != NULL)
            more(&json);
        rtn_json_end(&json);
    }
    rtn_stats_picture_done(&picture);
    return r;
}
