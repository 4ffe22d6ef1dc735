#include <stdio.h>
#include <stdlib.h>

#include "stats/report.h"
#include "support.h"

Test(stats_blocks, the_same_labels_are_the_same_block)
{
    rtn_stats_block route = rtn_stats_route("a", "h", "/x");
    cr_assert_neq(route, 0);
    cr_assert_eq(rtn_stats_route("a", "h", "/x"), route);
    cr_assert_eq(rtn_stats_route("a", NULL, "h/x"), route);
    cr_assert_neq(rtn_stats_route("a", NULL, "/x"), route);
    cr_assert_neq(rtn_stats_route("b", "h", "/x"), route);
    cr_assert_neq(rtn_stats_route("ah", NULL, "/x"), route);
    cr_assert_eq(rtn_stats_server("a"), rtn_stats_server("a"));
    cr_assert_neq(rtn_stats_server("a"), rtn_stats_server("b"));
    cr_assert_eq(rtn_stats_message("a"), rtn_stats_message("a"));
    cr_assert_neq(rtn_stats_message("a"), rtn_stats_server("a"));
}

Test(stats_blocks, strings_are_copied)
{
    char name[] = "get";
    rtn_stats_block block = rtn_stats_server(name);
    name[0] = 'x';
    cr_assert_eq(rtn_stats_server("get"), block);
}

Test(stats_blocks, no_block_lies_in_two_chunks)
{
    for (int i = 0; i < 200; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/%d", i);
        rtn_stats_block block = rtn_stats_route("get", NULL, path);
        cr_assert_leq(block % RTN_STATS_CHUNK + RTN_STATS_ROUTE_CELLS, RTN_STATS_CHUNK);
        cr_assert_geq(block, RTN_STATS_CHUNK);
    }
}

/* However many routes there are, and however often they are asked for. */
Test(stats_blocks, routes_over_the_bound_share_one)
{
    rtn_stats_block first = rtn_stats_route("get", NULL, "/0");
    char path[32];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < RTN_STATS_ROUTES_MAX; i++) {
            snprintf(path, sizeof(path), "/%d", i);
            cr_assert_neq(rtn_stats_route("get", NULL, path), 0);
        }
    }
    cr_assert_eq(rtn_stats_route("get", NULL, "/0"), first);
    rtn_stats_block other = rtn_stats_route("get", NULL, "/more");
    cr_assert_neq(other, 0);
    cr_assert_eq(rtn_stats_route("put", NULL, "/even/more"), other);
    cr_assert_eq(rtn_stats_entry_count(RTN_STATS_OF_ROUTE), RTN_STATS_ROUTES_MAX + 1);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_stats_add(other, RTN_STATS_STATUS_4XX, 2);
    cr_assert_eq(rtn_stats_prometheus(&text), 0);
    cr_assert_not_null(
        strstr(text.data, "retinue_requests_total{server=\"other\",route=\"other\",status=\"4xx\"} 2\n"));
}

Test(stats_blocks, there_is_room_for_all_kinds)
{
    char name[32];
    for (int i = 0; i < RTN_STATS_ROUTES_MAX + 10; i++) {
        snprintf(name, sizeof(name), "n%d", i);
        cr_assert_neq(rtn_stats_server(name), 0);
        cr_assert_neq(rtn_stats_message(name), 0);
        cr_assert_neq(rtn_stats_route(name, NULL, "/"), 0);
    }
}
