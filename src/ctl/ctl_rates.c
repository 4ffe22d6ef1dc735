/*
 * Counters only grow, so that a difference is what came in between. Histograms are lists of buckets that have
 * something, each with its upper end; the difference of two lists is taken end by end.
 */
#include "ctl/ctl_rates.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "ctl/ctl_request.h"

/* Above the last end: the one that such requests are shown with. */
#define BEYOND_US INT64_C(67108864)

/* Rates */

static int64_t grown(const json_t *before, const json_t *now, const char *key)
{
    return RTN_MAX(rtn_ctl_int(now, key) - rtn_ctl_int(before, key), 0);
}

static int64_t grown_in(const json_t *before, const json_t *now, const char *object, const char *key)
{
    return grown(json_object_get(before, object), json_object_get(now, object), key);
}

static double per_second(int64_t count, double seconds)
{
    return seconds > 0. ? (double) count / seconds : 0.;
}

/* Histograms */

static int64_t end_of(const json_t *bucket)
{
    const json_t *end = json_array_get(bucket, 0);
    return json_is_integer(end) ? json_integer_value(end) : BEYOND_US;
}

static int64_t count_of(const json_t *buckets, int64_t end)
{
    const json_t *bucket;
    for (size_t i = 0; (bucket = json_array_get(buckets, i)) != NULL; i++) {
        if (end_of(bucket) == end)
            return json_integer_value(json_array_get(bucket, 1));
    }
    return 0;
}

static int64_t grown_bucket(const json_t *before, const json_t *bucket)
{
    return RTN_MAX(json_integer_value(json_array_get(bucket, 1)) - count_of(before, end_of(bucket)), 0);
}

int64_t rtn_ctl_percentile(const json_t *before, const json_t *now, double share)
{
    const json_t *old_buckets = rtn_ctl_array(before, "buckets");
    const json_t *buckets = rtn_ctl_array(now, "buckets");
    int64_t total = 0;
    int64_t seen = 0;
    const json_t *bucket;
    for (size_t i = 0; (bucket = json_array_get(buckets, i)) != NULL; i++)
        total += grown_bucket(old_buckets, bucket);
    for (size_t i = 0; (bucket = json_array_get(buckets, i)) != NULL; i++) {
        seen += grown_bucket(old_buckets, bucket);
        if (total > 0 && (double) seen >= share * (double) total)
            return end_of(bucket);
    }
    return 0;
}

/* Rows */

static void rate_requests(struct rtn_ctl_rate *rate, const json_t *before, const json_t *now, double seconds)
{
    const json_t *old_time = json_object_get(before, "duration_us");
    const json_t *time = json_object_get(now, "duration_us");
    rate->requests = per_second(grown_in(before, now, "requests", "total"), seconds);
    rate->errors =
        per_second(grown_in(before, now, "requests", "5xx") + grown_in(before, now, "requests", "aborted"), seconds);
    rate->load = per_second(grown(old_time, time, "sum"), seconds) / 1e6;
    if (seconds == 0.)
        return;
    rate->p50_us = rtn_ctl_percentile(old_time, time, .5);
    rate->p99_us = rtn_ctl_percentile(old_time, time, .99);
}

static void rate_traffic(struct rtn_ctl_rate *rate, const json_t *before, const json_t *now, double seconds)
{
    int64_t messages = 0;
    static const char *const kinds[] = { "websocket", "line" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(kinds); i++)
        messages += grown_in(before, now, kinds[i], "in") + grown_in(before, now, kinds[i], "out");
    rate->messages = per_second(messages, seconds);
    rate->in = per_second(grown_in(before, now, "bytes", "in"), seconds);
    rate->out = per_second(grown_in(before, now, "bytes", "out"), seconds);
}

static void take_state(struct rtn_ctl_rate *rate, const json_t *now)
{
    const json_t *connections = json_object_get(now, "connections");
    const json_t *pool = json_object_get(now, "pool");
    const json_t *queued = json_object_get(pool, "queued");
    const json_t *stalls = json_object_get(now, "stalls");
    rate->up = rtn_ctl_int(now, "up") != 0;
    rate->running = rtn_ctl_int(pool, "running");
    rate->workers = rtn_ctl_int(pool, "max");
    rate->beside = RTN_MIN(rtn_ctl_int(pool, "stuck"), RTN_MAX(rate->running - rate->workers, 0));
    rate->queued = rtn_ctl_int(queued, "clients") + rtn_ctl_int(queued, "callbacks") + rtn_ctl_int(queued, "tasks") +
                   rtn_ctl_int(json_object_get(now, "hub"), "waiting");
    rate->websocket = rtn_ctl_int(connections, "websocket");
    rate->line = rtn_ctl_int(connections, "line");
    rate->http = RTN_MAX(rtn_ctl_int(connections, "open") - rate->websocket - rate->line, 0);
    rate->stalls = rtn_ctl_int(stalls, "loop") + rtn_ctl_int(stalls, "worker");
}

/* The element of an array whose member `key` has that value. */
static const json_t *find(const json_t *array, const char *key, const char *value)
{
    const json_t *item;
    for (size_t i = 0; (item = json_array_get(array, i)) != NULL; i++) {
        if (strcmp(rtn_ctl_text(item, key), value) == 0)
            return item;
    }
    return NULL;
}

static void add_routes(struct rtn_ctl_rates *rates, const json_t *before, const json_t *now)
{
    const json_t *route;
    for (size_t i = 0; (route = json_array_get(rtn_ctl_array(now, "routes"), i)) != NULL; i++) {
        const char *name = rtn_ctl_text(route, "route");
        const json_t *old_route = find(rtn_ctl_array(before, "routes"), "route", name);
        struct rtn_ctl_rate *rate = &rates->routes[rates->route_count++];
        rate->server = rtn_ctl_text(now, "name");
        rate->route = name;
        rate_requests(rate, old_route, route, rates->seconds);
    }
}

static void add_server(struct rtn_ctl_rates *rates, const json_t *before, const json_t *now)
{
    struct rtn_ctl_rate *rate = &rates->servers[rates->server_count++];
    rate->server = rtn_ctl_text(now, "name");
    rate_requests(rate, before, now, rates->seconds);
    rate_traffic(rate, before, now, rates->seconds);
    take_state(rate, now);
    if (rate->up)
        add_routes(rates, before, now);
}

static struct rtn_ctl_rate *make_room(size_t count)
{
    struct rtn_ctl_rate *rates = calloc(count + 1, sizeof(*rates));
    if (rates == NULL)
        abort();
    return rates;
}

static size_t count_routes(const json_t *servers)
{
    size_t count = 0;
    const json_t *server;
    for (size_t i = 0; (server = json_array_get(servers, i)) != NULL; i++)
        count += json_array_size(rtn_ctl_array(server, "routes"));
    return count;
}

static int64_t cpu_ms(const json_t *picture)
{
    const json_t *cpu = json_object_get(json_object_get(picture, "process"), "cpu_ms");
    return rtn_ctl_int(cpu, "user") + rtn_ctl_int(cpu, "system");
}

void rtn_ctl_rates_make(const json_t *before, const json_t *now, struct rtn_ctl_rates *ret)
{
    const json_t *servers = rtn_ctl_array(now, "servers");
    const json_t *server;
    if (before != NULL && rtn_ctl_int(before, "started_ms") != rtn_ctl_int(now, "started_ms"))
        before = NULL;
    *ret = (struct rtn_ctl_rates){ .servers = make_room(json_array_size(servers)),
                                   .routes = make_room(count_routes(servers)) };
    if (before != NULL)
        ret->seconds = (double) grown(before, now, "uptime_ms") / 1e3;
    ret->cpu = per_second(cpu_ms(now) - cpu_ms(before), ret->seconds) / 1e3;
    for (size_t i = 0; (server = json_array_get(servers, i)) != NULL; i++)
        add_server(ret, find(rtn_ctl_array(before, "servers"), "name", rtn_ctl_text(server, "name")), server);
}

void rtn_ctl_rates_done(struct rtn_ctl_rates *rates)
{
    free(rates->servers);
    free(rates->routes);
    *rates = (struct rtn_ctl_rates){ .seconds = 0. };
}

/* Order */

static int compare_names(const struct rtn_ctl_rate *a, const struct rtn_ctl_rate *b)
{
    int r = strcmp(a->server, b->server);
    return r != 0 || a->route == NULL || b->route == NULL ? r : strcmp(a->route, b->route);
}

static int by_more(double a, double b, const void *left, const void *right)
{
    return a > b ? -1 : a < b ? 1 : compare_names(left, right);
}

static int by_requests(const void *left, const void *right)
{
    const struct rtn_ctl_rate *a = left;
    const struct rtn_ctl_rate *b = right;
    return by_more(a->requests, b->requests, left, right);
}

static int by_p99(const void *left, const void *right)
{
    const struct rtn_ctl_rate *a = left;
    const struct rtn_ctl_rate *b = right;
    return by_more((double) a->p99_us, (double) b->p99_us, left, right);
}

static int by_errors(const void *left, const void *right)
{
    const struct rtn_ctl_rate *a = left;
    const struct rtn_ctl_rate *b = right;
    return by_more(a->errors, b->errors, left, right);
}

static int by_name(const void *left, const void *right)
{
    return compare_names(left, right);
}

void rtn_ctl_rates_sort(struct rtn_ctl_rate *rates, size_t count, enum rtn_ctl_order order)
{
    static int (*const orders[RTN_CTL_ORDERS])(const void *left, const void *right) = {
        [RTN_CTL_BY_REQUESTS] = by_requests,
        [RTN_CTL_BY_P99] = by_p99,
        [RTN_CTL_BY_ERRORS] = by_errors,
        [RTN_CTL_BY_NAME] = by_name,
    };
    qsort(rates, count, sizeof(*rates), orders[order]);
}
