#include "stats/gauge.h"
#include "stats/metric.h"
#include "stats/report.h"
#include "support.h"

static struct rtn_buf text;

static bool shows(const char *part)
{
    rtn_buf_done(&text);
    cr_assert_eq(rtn_stats_json(&text, NULL), 0);
    return strstr(text.data, part) != NULL;
}

static void free_text(void)
{
    rtn_buf_done(&text);
}

static void give_pool(struct rtn_stats_readings *out, void *data)
{
    (void) data;
    rtn_stats_give(out, RTN_STATS_POOL_THREADS, NULL, 4);
}

TestSuite(report_json, .fini = free_text);

Test(report_json, servers_have_their_routes)
{
    rtn_stats_block route = rtn_stats_route("get", "h", "/x");
    (void) rtn_stats_server("get");
    rtn_stats_add(route, RTN_STATS_STATUS_2XX, 2);
    rtn_stats_add(rtn_stats_route("get", NULL, "/y"), RTN_STATS_STATUS_5XX, 1);
    rtn_stats_add(rtn_stats_route("put", NULL, "/y"), RTN_STATS_STATUS_5XX, 1);
    rtn_stats_observe(route, RTN_STATS_DURATION, 100);
    cr_expect(
        shows("\"requests\":{\"total\":3,\"aborted\":0,\"1xx\":0,\"2xx\":2,\"3xx\":0,\"4xx\":0,\"5xx\":1,\"active\":0,"
              "\"refused\":0},\"duration_us\":{\"count\":1,\"sum\":100,"));
    cr_expect(shows("{\"route\":\"h/x\",\"requests\":{\"total\":2,"));
    cr_expect(shows("\"max\":128,\"buckets\":[[128,1]]}"));
    cr_expect(shows(
        "\"queue_us\":{\"count\":0,\"sum\":0,\"p50\":0,\"p90\":0,\"p99\":0,\"p999\":0,\"max\":0,\"buckets\":[]}"));
}

Test(report_json, a_bucket_without_an_end)
{
    rtn_stats_observe(rtn_stats_route("get", NULL, "/"), RTN_STATS_DURATION, UINT64_C(1) << 30);
    (void) rtn_stats_server("get");
    cr_expect(shows("\"buckets\":[[null,1]]"));
}

Test(report_json, names_are_escaped)
{
    (void) rtn_stats_server("a\"\xff");
    cr_expect(shows("{\"name\":\"a\\\"\xef\xbf\xbd\","));
}

Test(report_json, what_nobody_gives_is_not_there)
{
    struct rtn_stats_source source = { .server = "get", .read = give_pool };
    (void) rtn_stats_server("get");
    cr_expect_not(shows("\"threads\":4"));
    cr_expect_not(shows("\"generation\""));
    rtn_stats_source_add(&source);
    cr_expect(shows("\"pool\":{\"threads\":4,\"replacements\":0,"));
    rtn_stats_source_remove(&source);
}

Test(report_json, messages_and_metrics)
{
    const struct rtn_stats_label label = { "server", "get" };
    const struct rtn_stats_metric_spec spec = {
        .name = "rooms", .help = "Rooms.", .kind = RTN_STATS_METRIC_GAUGE, .labels = &label, .label_count = 1
    };
    struct rtn_metric *metric = NULL;
    rtn_stats_add(rtn_stats_message("chat.line"), RTN_STATS_MESSAGE_REFUSED, 2);
    cr_assert_eq(rtn_stats_metric_get(&spec, &metric), 0);
    rtn_stats_metric_set(metric, -3);
    cr_expect(shows("\"messages\":[{\"type\":\"chat.line\",\"sent\":0,\"taken\":0,\"refused\":2}]"));
    cr_expect(
        shows("\"metrics\":[{\"name\":\"rooms\",\"help\":\"Rooms.\",\"kind\":\"gauge\",\"labels\":{\"server\":\"get\"},"
              "\"value\":-3}]}"));
    rtn_stats_metric_put(metric);
}
