#include "stats/gauge.h"
#include "stats/report.h"
#include "support.h"

static struct rtn_buf text;

static void take_text(void)
{
    rtn_buf_done(&text);
    cr_assert_eq(rtn_stats_prometheus(&text), 0);
}

static bool shows(const char *part)
{
    take_text();
    return strstr(text.data, part) != NULL;
}

static void give_some(struct rtn_stats_readings *out, void *data)
{
    rtn_stats_give(out, RTN_STATS_POOL_THREADS, NULL, *(int *) data);
    rtn_stats_give(out, RTN_STATS_POOL_QUEUED, "tasks", 7);
}

static void give_of_process(struct rtn_stats_readings *out, void *data)
{
    (void) data;
    rtn_stats_give(out, RTN_STATS_RELOADS, "bad", 3);
}

static void free_text(void)
{
    rtn_buf_done(&text);
}

TestSuite(prometheus, .fini = free_text);

Test(prometheus, labels_are_escaped)
{
    rtn_stats_add(rtn_stats_route("a\"b\\c\nd\xff\xc3\xa4", NULL, "/"), RTN_STATS_STATUS_3XX, 2);
    cr_assert(shows("{server=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\xc3\xa4\",route=\"/\",status=\"3xx\"} 2\n"));
}

Test(prometheus, sources_are_read_until_they_are_removed)
{
    int threads = 4;
    struct rtn_stats_source source = { .server = "get", .read = give_some, .data = &threads };
    struct rtn_stats_source process = { .read = give_of_process };
    rtn_stats_source_add(&source);
    rtn_stats_source_add(&process);
    cr_assert(shows("\n# TYPE retinue_pool_threads gauge\nretinue_pool_threads{server=\"get\"} 4\n"));
    cr_assert(shows("\nretinue_pool_queued{server=\"get\",lane=\"tasks\"} 7\n"));
    cr_assert(shows("\nretinue_reloads_total{result=\"bad\"} 3\n"));
    threads = 5;
    cr_assert(shows("retinue_pool_threads{server=\"get\"} 5\n"));
    rtn_stats_source_remove(&source);
    rtn_stats_source_remove(&source);
    rtn_stats_source_remove(&process);
    cr_assert_not(shows("retinue_pool_threads"));
    struct rtn_stats_source never = { 0 };
    rtn_stats_source_remove(&never);
}

Test(prometheus, histograms_are_cumulative)
{
    rtn_stats_block route = rtn_stats_route("get", NULL, "/");
    cr_assert_not(shows("retinue_request_duration_seconds"));
    rtn_stats_observe(route, RTN_STATS_DURATION, 1);
    rtn_stats_observe(route, RTN_STATS_DURATION, 1024);
    rtn_stats_observe(route, RTN_STATS_DURATION, 1025);
    rtn_stats_observe(route, RTN_STATS_DURATION, UINT64_C(3000000000));
    take_text();
    static const char *const lines[] = { "_bucket{server=\"get\",route=\"/\",le=\"0.000016\"} 1\n",
                                         "_bucket{server=\"get\",route=\"/\",le=\"0.001024\"} 2\n",
                                         "_bucket{server=\"get\",route=\"/\",le=\"0.002048\"} 3\n",
                                         "_bucket{server=\"get\",route=\"/\",le=\"67.108864\"} 3\n",
                                         "_bucket{server=\"get\",route=\"/\",le=\"+Inf\"} 4\n",
                                         "_sum{server=\"get\",route=\"/\"} 3000.002050\n",
                                         "_count{server=\"get\",route=\"/\"} 4\n" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(lines); i++)
        cr_expect_not_null(strstr(text.data, lines[i]), "%s", lines[i]);
    cr_assert_null(strstr(text.data, "retinue_request_queue_seconds"));
}

Test(prometheus, states_of_connections)
{
    rtn_stats_thread_begin("get");
    rtn_stats_count(RTN_STATS_ACCEPTED, 9);
    rtn_stats_count(RTN_STATS_OUTGOING_BEGUN, 2);
    rtn_stats_count(RTN_STATS_CLOSED + RTN_CLOSE_LOST, 1);
    rtn_stats_count(RTN_STATS_WEBSOCKETS_BEGUN, 3);
    rtn_stats_count(RTN_STATS_WEBSOCKETS_ENDED, 1);
    rtn_stats_count(RTN_STATS_REQUESTS_BEGUN, 5);
    rtn_stats_count(RTN_STATS_REQUESTS_ENDED, 4);
    cr_expect(shows("retinue_connections{server=\"get\",state=\"websocket\"} 2\n"));
    cr_expect(shows("retinue_connections{server=\"get\",state=\"active\"} 1\n"));
    cr_expect(shows("retinue_connections{server=\"get\",state=\"outgoing\"} 2\n"));
    cr_expect(shows("retinue_connections{server=\"get\",state=\"line\"} 0\n"));
    cr_expect(shows("retinue_connections{server=\"get\",state=\"idle\"} 5\n"));
    cr_expect(shows("retinue_connections_closed_total{server=\"get\",cause=\"lost\"} 1\n"));
    cr_expect(shows("retinue_requests_active{server=\"get\"} 1\n"));
    rtn_stats_thread_end();
}

Test(prometheus, the_process_is_there)
{
    take_text();
    static const char *const parts[] = { "retinue_build_info{version=\"",
                                         "\nprocess_start_time_seconds ",
                                         "\nprocess_cpu_seconds_total ",
                                         "\nprocess_resident_memory_bytes ",
                                         "\nprocess_open_fds ",
                                         "\nprocess_max_fds ",
                                         "\nprocess_threads " };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(parts); i++)
        cr_expect_not_null(strstr(text.data, parts[i]), "%s", parts[i]);
}
