#include <criterion/criterion.h>

#include "ctl/ctl_rates.h"

static bool is_near(double a, double b)
{
    return a - b < 1e-9 && b - a < 1e-9;
}

static json_t *read_json(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    cr_assert_not_null(json, "%s", text);
    return json;
}

static void expect_percentile(const char *before, const char *now, double share, int64_t expected)
{
    json_t *a = before != NULL ? read_json(before) : NULL;
    json_t *b = read_json(now);
    int64_t found = rtn_ctl_percentile(a, b, share);
    cr_expect_eq(found, expected, "%s - %s: %lld", now, before != NULL ? before : "", (long long) found);
    json_decref(a);
    json_decref(b);
}

Test(ctl_rates, percentiles)
{
    const char *before = "{\"buckets\": [[100, 10], [200, 5]]}";
    expect_percentile(NULL, "{\"buckets\": []}", .5, 0);
    expect_percentile(NULL, "{\"buckets\": [[100, 50], [200, 49], [400, 1]]}", .5, 100);
    expect_percentile(NULL, "{\"buckets\": [[100, 50], [200, 49], [400, 1]]}", .99, 200);
    expect_percentile(NULL, "{\"buckets\": [[100, 50], [200, 49], [400, 1]]}", 1., 400);
    /* Only what came in between counts, whatever was there before. */
    expect_percentile(before, "{\"buckets\": [[100, 10], [200, 5]]}", .5, 0);
    expect_percentile(before, "{\"buckets\": [[100, 10], [200, 6]]}", .5, 200);
    expect_percentile(before, "{\"buckets\": [[50, 3], [100, 11], [200, 5]]}", .5, 50);
    expect_percentile(before, "{\"buckets\": [[100, 10], [200, 5], [null, 1]]}", .5, 67108864);
    expect_percentile(NULL, "{}", .5, 0);
}

static const char first[] =
    "{\"started_ms\": 1, \"uptime_ms\": 1000, \"process\": {\"cpu_ms\": {\"user\": 100, \"system\": 0}}, \"servers\": ["
    "{\"name\": \"get\", \"up\": 1, \"requests\": {\"total\": 10, \"5xx\": 1}, \"bytes\": {\"in\": 5, \"out\": 7},"
    " \"duration_us\": {\"sum\": 1000, \"buckets\": [[100, 10]]},"
    " \"routes\": [{\"route\": \"/\", \"requests\": {\"total\": 10}}]}]}";
static const char second[] =
    "{\"started_ms\": 1, \"uptime_ms\": 3000, \"process\": {\"cpu_ms\": {\"user\": 1000, \"system\": 100}}, "
    "\"servers\": ["
    "{\"name\": \"chat\", \"requests\": {\"total\": 0}, \"line\": {\"in\": 2, \"out\": 4},"
    " \"routes\": [{\"route\": \"/gone\", \"requests\": {\"total\": 0}}]},"
    "{\"name\": \"get\", \"up\": 1, \"requests\": {\"total\": 30, \"5xx\": 2, \"aborted\": 1},"
    " \"bytes\": {\"in\": 105, \"out\": 7}, \"connections\": {\"open\": 9, \"websocket\": 2, \"line\": 1},"
    " \"pool\": {\"running\": 3, \"max\": 8, \"queued\": {\"clients\": 1, \"callbacks\": 2, \"tasks\": 3}},"
    " \"hub\": {\"waiting\": 4}, \"stalls\": {\"loop\": 1, \"worker\": 2},"
    " \"duration_us\": {\"sum\": 2001000, \"buckets\": [[100, 10], [200000, 20]]},"
    " \"routes\": [{\"route\": \"/\", \"requests\": {\"total\": 12}}, {\"route\": \"/new\", \"requests\": {\"total\": "
    "18}}]}]}";

Test(ctl_rates, difference)
{
    json_t *before = read_json(first);
    json_t *now = read_json(second);
    struct rtn_ctl_rates rates;
    rtn_ctl_rates_make(before, now, &rates);
    cr_expect(is_near(rates.seconds, 2.));
    cr_expect(is_near(rates.cpu, .5));
    cr_assert_eq(rates.server_count, 2);
    cr_assert_eq(rates.route_count, 2);
    cr_expect(is_near(rates.servers[0].messages, 3.));
    cr_expect_not(rates.servers[0].up);
    const struct rtn_ctl_rate *get = &rates.servers[1];
    cr_expect_str_eq(get->server, "get");
    cr_expect(get->up);
    cr_expect(is_near(get->requests, 10.));
    cr_expect(is_near(get->errors, 1.));
    cr_expect(is_near(get->in, 50.));
    cr_expect(is_near(get->out, 0.));
    cr_expect(is_near(get->load, 1.));
    cr_expect_eq(get->p50_us, 200000);
    cr_expect_eq(get->running, 3);
    cr_expect_eq(get->workers, 8);
    cr_expect_eq(get->queued, 10);
    cr_expect_eq(get->http, 6);
    cr_expect_eq(get->stalls, 3);
    rtn_ctl_rates_sort(rates.routes, rates.route_count, RTN_CTL_BY_REQUESTS);
    cr_expect_str_eq(rates.routes[0].route, "/new");
    rtn_ctl_rates_sort(rates.routes, rates.route_count, RTN_CTL_BY_NAME);
    cr_expect_str_eq(rates.routes[0].route, "/");
    rtn_ctl_rates_sort(rates.servers, rates.server_count, RTN_CTL_BY_P99);
    cr_expect_str_eq(rates.servers[0].server, "get");
    rtn_ctl_rates_sort(rates.servers, rates.server_count, RTN_CTL_BY_NAME);
    cr_expect_str_eq(rates.servers[0].server, "chat");
    rtn_ctl_rates_done(&rates);
    json_decref(before);
    json_decref(now);
}

static void expect_no_rates(const char *earlier)
{
    json_t *before = earlier != NULL ? read_json(earlier) : NULL;
    json_t *now = read_json(second);
    struct rtn_ctl_rates rates;
    rtn_ctl_rates_make(before, now, &rates);
    cr_expect(is_near(rates.seconds, 0.));
    cr_expect(is_near(rates.servers[1].requests, 0.));
    cr_expect_eq(rates.servers[1].p50_us, 0);
    cr_expect_eq(rates.servers[1].running, 3);
    rtn_ctl_rates_done(&rates);
    json_decref(before);
    json_decref(now);
}

Test(ctl_rates, no_picture_before)
{
    expect_no_rates(NULL);
    expect_no_rates("{\"started_ms\": 0, \"uptime_ms\": 5, \"servers\": []}");
}
