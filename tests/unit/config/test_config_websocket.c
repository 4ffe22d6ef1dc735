/* What routes, servers and their clients say of WebSocket, as it ends up in the structs. */
#include "config_support.h"

TestSuite(config_websocket, .fini = teardown);

static const struct rtn_config_client *client(size_t i)
{
    return (const struct rtn_config_client *) server(0)->clients.items + i;
}

Test(config_websocket, routes_take_what_concerns_websocket_from_the_server)
{
    cr_assert_eq(load("servers: {get: {listen: 80, backlog_policy: drop, routes: [{path: /a, module: m},\n"
                      "  {path: /b, module: m, limits: {message: 5B, backlog: 6KiB}, backlog_policy: close,\n"
                      "   timeouts: {ping: 0, pong: 2s, close: 3s}},\n"
                      "  {path: /c, module: m, limits: {body: 0}, timeouts: {body: 1s}}]}}\n"),
                 0);
    cr_expect_eq(server(0)->backlog_policy, RTN_BACKLOG_DROP);
    for (size_t i = 0; i < 3; i += 2) {
        cr_expect_eq(route(i)->backlog_policy, RTN_BACKLOG_INHERIT);
        cr_expect_eq(route(i)->limits.message, -1);
        cr_expect_eq(route(i)->limits.backlog, -1);
        cr_expect_eq(route(i)->timeouts.ping, -1);
        cr_expect_eq(route(i)->timeouts.pong, -1);
        cr_expect_eq(route(i)->timeouts.close, -1);
    }
    cr_expect_eq(route(1)->backlog_policy, RTN_BACKLOG_CLOSE);
    cr_expect_eq(route(1)->limits.message, 5);
    cr_expect_eq(route(1)->limits.backlog, 6144);
    cr_expect_eq(route(1)->timeouts.ping, 0);
    cr_expect_eq(route(1)->timeouts.pong, 2000);
    cr_expect_eq(route(1)->timeouts.close, 3000);
}

Test(config_websocket, origins_are_kept_in_one_form)
{
    static const char *const wanted[] = {
        "same",
        "https://example.org",
        "http://example.org:80",
        "http://[::1]:8080",
        "moz-extension://abc",
        "https://192.0.2.1",
    };

    cr_assert_eq(
        load("servers: {get: {listen: 80, routes: [{path: /, module: m}, {path: /a, module: m, origins: all},\n"
             "  {path: /b, module: m, origins: [same, 'HTTPS://Example.ORG', 'http://example.org:0080',\n"
             "   'http://[0:0::1]:8080', 'moz-extension://ABC', 'https://192.0.2.1']},\n"
             "  {path: /c, status: 204}]}}\n"),
        0);
    cr_assert_eq(route(0)->origins.count, 1);
    cr_expect_str_eq(route(0)->origins.items[0], "same");
    cr_expect_null(route(0)->origins.nodes[0]);
    cr_assert_eq(route(1)->origins.count, 1);
    cr_expect_str_eq(route(1)->origins.items[0], "all");
    cr_assert_eq(route(2)->origins.count, RTN_ARRAY_LENGTH(wanted));
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(wanted); i++)
        cr_expect_str_eq(route(2)->origins.items[i], wanted[i]);
    cr_expect_eq(route(3)->origins.count, 0);
}

Test(config_websocket, deflate_is_on_when_its_key_is_there)
{
    cr_assert_eq(
        load("servers: {get: {listen: 80, routes: [{path: /a, module: m}, {path: /b, module: m, deflate: {}},\n"
             "  {path: /c, module: m, deflate: {server_max_window_bits: 9, effort: best, min_size: 0,\n"
             "   client_no_context_takeover: true}}]}}\n"),
        0);
    cr_expect_not(route(0)->deflate.on);
    cr_assert(route(1)->deflate.on);
    cr_expect_eq(route(1)->deflate.server_max_window_bits, 15);
    cr_expect_eq(route(1)->deflate.client_max_window_bits, 15);
    cr_expect_not(route(1)->deflate.server_no_context_takeover);
    cr_expect_not(route(1)->deflate.client_no_context_takeover);
    cr_expect_eq(route(1)->deflate.memory_level, 8);
    cr_expect_eq(route(1)->deflate.effort, RTN_EFFORT_DEFAULT);
    cr_expect_eq(route(1)->deflate.min_size, 64);
    cr_assert(route(2)->deflate.on);
    cr_expect_eq(route(2)->deflate.server_max_window_bits, 9);
    cr_expect(route(2)->deflate.client_no_context_takeover);
    cr_expect_not(route(2)->deflate.server_no_context_takeover);
    cr_expect_eq(route(2)->deflate.effort, RTN_EFFORT_BEST);
    cr_expect_eq(route(2)->deflate.min_size, 0);
}

Test(config_websocket, clients_have_defaults_of_their_own)
{
    cr_assert_eq(load("servers: {get: {limits: {message: 1B, backlog: 1KiB}, timeouts: {ping: 1s, write: 1s},\n"
                      "  backlog_policy: drop, clients: [{url: 'ws://a', module: sub/m.so}]}}\n"),
                 0);
    cr_expect_eq(diags.count, 0);
    cr_expect_eq(server(0)->listen.count, 0);
    cr_assert_eq(server(0)->clients.count, 1);
    cr_expect_str_eq(client(0)->url, "ws://a");
    cr_expect_str_eq(client(0)->module, "/etc/sub/m.so");
    cr_expect_null(client(0)->handler);
    cr_expect_null(client(0)->options);
    cr_expect_eq(client(0)->count, 1);
    cr_expect_eq(client(0)->headers.count, 0);
    cr_expect_eq(client(0)->protocols.count, 0);
    cr_expect_eq(client(0)->reconnect, 1000);
    cr_expect_eq(client(0)->reconnect_max, 60000);
    cr_expect_eq(client(0)->backlog_policy, RTN_BACKLOG_CLOSE);
    cr_expect_not(client(0)->deflate.on);
    cr_expect_eq(client(0)->limits.message, 1 << 20);
    cr_expect_eq(client(0)->limits.backlog, 1 << 20);
    cr_expect_eq(client(0)->timeouts.connect, 10000);
    cr_expect_eq(client(0)->timeouts.write, 30000);
    cr_expect_eq(client(0)->timeouts.ping, 30000);
    cr_expect_eq(client(0)->timeouts.pong, 10000);
    cr_expect_eq(client(0)->timeouts.close, 5000);
    cr_expect_not_null(client(0)->node);
}

Test(config_websocket, clients_say_what_they_are_told)
{
    cr_assert_eq(
        load("servers: {get: {clients: [{url: 'ws+unix:/a:/b', module: m, handler: h, options: {k: v}, count: 3,\n"
             "  headers: ['A: b', 'C:'], protocols: [x, y], reconnect: 2m, backlog_policy: drop, deflate: {}},\n"
             "  {url: 'ws://a', module: m, reconnect: 0, reconnect_max: 1s}]}}\n"),
        0);
    cr_assert_eq(server(0)->clients.count, 2);
    cr_expect_str_eq(client(0)->handler, "h");
    cr_expect_str_eq(rtn_node_get(client(0)->options, "k")->text.data, "v");
    cr_expect_eq(client(0)->count, 3);
    cr_assert_eq(client(0)->headers.count, 2);
    cr_expect_str_eq(client(0)->headers.items[1], "C:");
    cr_assert_eq(client(0)->protocols.count, 2);
    cr_expect_str_eq(client(0)->protocols.items[0], "x");
    cr_expect_eq(client(0)->reconnect, 120000);
    cr_expect_eq(client(0)->reconnect_max, 120000);
    cr_expect_eq(client(0)->backlog_policy, RTN_BACKLOG_DROP);
    cr_expect(client(0)->deflate.on);
    cr_expect_eq(client(1)->reconnect, 0);
    cr_expect_eq(client(1)->reconnect_max, 1000);
}

Test(config_websocket, urls_that_clients_may_have)
{
    static const char *const good[] = {
        "ws://a",        "ws://a/",        "ws://a:1/b?c=d", "ws://a?b:c",        "ws://a-b.example/%20:x",
        "ws://[::1]",    "ws://[::1]:80/", "ws://127.0.0.1", "ws+unix:/a/b.sock", "ws+unix:/a:/b:c?d",
        "ws+unix:/a:?b", "WS://a",
    };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(good); i++) {
        rtn_buf_clear(&out);
        rtn_buf_printf(&out, "servers: {get: {clients: [{url: '%s', module: m}]}}\n", good[i]);
        cr_expect_eq(load(out.data), 0, "%s: %s", good[i], diags.count > 0 ? diags.items[0].message : "");
        rtn_diags_done(&diags);
        rtn_config_free(config);
        config = NULL;
    }
}

Test(config_websocket, a_server_for_its_clients_needs_no_routes)
{
    cr_assert_eq(load("servers: {a: {clients: [{url: 'ws://a', module: m}]},\n"
                      "  b: {listen: [], clients: [{url: 'ws://a', module: m}]},\n"
                      "  c: {listen: 1, clients: [{url: 'ws://a', module: m}]}, d: {listen: []}}\n"),
                 0);
    cr_assert_eq(diags.count, 2);
    cr_expect_str_eq(diags.items[0].message, "server \"c\" has no routes: every request is answered with 404");
    cr_expect_str_eq(diags.items[1].message, "server \"d\" has no routes: every request is answered with 404");
}
