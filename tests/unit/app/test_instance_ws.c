/* Instances with WebSocket handlers: their choice, what holds for their connections, and clients. */
#include <errno.h>

#include "app/policies.h"
#include "instance_support.h"

TestSuite(instance_ws, .init = start, .fini = stop);

/* Both kinds of handlers. */

static void expect_handlers(const char *http, const char *ws)
{
    cr_assert_not_null(instance, "%s", rtn_buf_str(&text).data);
    cr_expect_str_eq(instance->http != NULL ? instance->http->name : "none", http);
    cr_expect_str_eq(instance->ws != NULL ? instance->ws->name : "none", ws);
}

Test(instance_ws, a_name_chooses_handlers_of_both_kinds)
{
    make("{path: /x, module: ws_kinds, handler: both}");
    expect_handlers("both", "both");
    cr_expect_eq(instance->threads, RTN_THREADS_LOOP);
    cr_expect_eq(instance->http_methods, RTN_METHOD_POST);
    cr_expect_eq(instance->methods, RTN_METHOD_GET | RTN_METHOD_HEAD | RTN_METHOD_POST);
    cr_expect_str_eq(instance->place.text, "route \"/x\"");
    cr_expect_str_eq(instance->label.place, "route \"/x\"");
    cr_expect_str_eq(instance->label.who, "route \"/x\": module ws_kinds");
    cr_expect_null(instance->client);
}

Test(instance_ws, the_lower_thread_model_of_two_handlers_holds)
{
    make("{path: /, module: ws_kinds, handler: mixed}");
    expect_handlers("mixed", "mixed");
    cr_expect_eq(instance->threads, RTN_THREADS_SERIAL);
    cr_expect(rtn_instance_needs_workers(instance));
}

Test(instance_ws, a_name_of_one_kind_chooses_just_that)
{
    make("{path: /, module: ws_kinds, handler: plain}");
    expect_handlers("plain", "none");
    cr_expect_eq(instance->methods, instance->http_methods);
}

Test(instance_ws, a_websocket_handler_alone_takes_get)
{
    make("{path: /, module: ws_only, methods: GET}");
    expect_handlers("none", "only");
    cr_expect_eq(instance->methods, RTN_METHOD_GET | RTN_METHOD_HEAD);
    cr_expect_eq(instance->http_methods, 0);
    cr_expect_not(instance->takes_options);
    cr_expect_not(rtn_instance_needs_workers(instance));
    struct rtn_policy policy;
    rtn_policies_route(instance, instance->server, instance->route, &policy);
    cr_expect_eq(policy.request_body, RTN_BODY_NONE);
}

Test(instance_ws, handlers_of_both_kinds_are_listed_once)
{
    make("{path: /, module: ws_kinds}");
    expect_errors(1);
    expect_error("route \"/\": module \"ws_kinds\" has several handlers; add handler: with one of both, mixed, plain, "
                 "stream, worker, silent");
}

Test(instance_ws, websocket_handlers_are_suggested_too)
{
    make("{path: /, module: ws_kinds, handler: strem}");
    expect_errors(1);
    expect_error("module \"ws_kinds\" has no handler \"strem\"; did you mean \"stream\"?");
}

Test(instance_ws, websocket_handler_on_a_server_without_workers)
{
    make_on("    threads: 0\n", "{path: /, module: ws_kinds, handler: mixed}");
    expect_errors(1);
    expect_error("handler \"mixed\" of module \"ws_kinds\" runs on workers (serial), but this server has none");
}

Test(instance_ws, a_websocket_needs_get)
{
    make("{path: /, module: ws_only, methods: HEAD}");
    expect_errors(1);
    expect_error(":7:45: error: server \"get\": route \"/\": handler \"only\" of module \"ws_only\" is for WebSocket, "
                 "which needs GET");
}

Test(instance_ws, a_websocket_takes_no_post)
{
    make("{path: /, module: ws_only, methods: [GET, POST]}");
    expect_errors(1);
    expect_error("handler \"only\" of module \"ws_only\" does not take POST; it takes GET, HEAD");
}

Test(instance_ws, keys_of_websocket_on_a_route_without)
{
    make("{path: /, module: serial, origins: all, backlog_policy: drop, deflate: {}, "
         "limits: {message: 1KiB, backlog: 1MiB}, timeouts: {ping: 1s, pong: 1s, close: 1s}}");
    expect_errors(8);
    expect_error(":7:44: error: server \"get\": route \"/\": \"origins\" is for WebSocket, but the route has no "
                 "WebSocket handler");
    expect_error("\"backlog_policy\" is for WebSocket");
    expect_error("\"deflate\" is for WebSocket");
    expect_error(":7:102: error: server \"get\": route \"/\": \"limits.message\" is for WebSocket");
    expect_error("\"limits.backlog\" is for WebSocket");
    expect_error("\"timeouts.ping\" is for WebSocket");
    expect_error("\"timeouts.pong\" is for WebSocket");
    expect_error("\"timeouts.close\" is for WebSocket");
}

Test(instance_ws, keys_of_plain_requests_on_a_route_without)
{
    make("{path: /, module: ws_only, request_body: streamed, limits: {body: 1KiB}, timeouts: {body: 1s, write: 1s}}");
    expect_errors(3);
    expect_error(
        ":7:50: error: server \"get\": route \"/\": \"request_body\" is for plain requests, but the route has no "
        "HTTP handler");
    expect_error("\"limits.body\" is for plain requests");
    expect_error("\"timeouts.body\" is for plain requests");
}

Test(instance_ws, websocket_policy_of_the_server)
{
    make_on("    limits: {message: 2MiB, backlog: 3MiB}\n    timeouts: {ping: 4s, pong: 5s, close: 6s, write: 7s}\n"
            "    backlog_policy: drop\n",
            "{path: /, module: ws_kinds, handler: stream}");
    expect_handlers("none", "stream");
    struct rtn_ws_policy policy;
    rtn_policies_ws_route(instance, instance->server, instance->route, &policy);
    cr_expect_eq(policy.session.message_limit, 2 << 20);
    cr_expect_eq(policy.session.backlog_limit, 3 << 20);
    cr_expect(policy.session.drop);
    cr_expect(policy.streamed);
    cr_expect_eq(policy.ping_timeout, 4000);
    cr_expect_eq(policy.pong_timeout, 5000);
    cr_expect_eq(policy.close_timeout, 6000);
    cr_expect_eq(policy.session.write_timeout, 7000);
    cr_assert_eq(policy.origins.count, 1);
    cr_expect_str_eq(policy.origins.items[0], "same");
    cr_expect_not(policy.deflate->on);
}

Test(instance_ws, websocket_policy_of_the_route)
{
    make_on("    backlog_policy: drop\n",
            "{path: /, module: ws_only, backlog_policy: close, origins: [all], deflate: {}, "
            "limits: {message: 2KiB, backlog: 3KiB}, timeouts: {ping: 4s, pong: 5s, close: 6s, write: 7s}}");
    expect_handlers("none", "only");
    struct rtn_ws_policy policy;
    rtn_policies_ws_route(instance, instance->server, instance->route, &policy);
    cr_expect_eq(policy.session.message_limit, 2048);
    cr_expect_eq(policy.session.backlog_limit, 3072);
    cr_expect_not(policy.session.drop);
    cr_expect_not(policy.streamed);
    cr_expect_eq(policy.ping_timeout, 4000);
    cr_expect_eq(policy.pong_timeout, 5000);
    cr_expect_eq(policy.close_timeout, 6000);
    cr_expect_eq(policy.session.write_timeout, 7000);
    cr_expect_str_eq(policy.origins.items[0], "all");
    cr_expect(policy.deflate->on);
}

/* Clients. */

Test(instance_ws, a_client_has_the_only_websocket_handler)
{
    make_client("{url: \"ws://127.0.0.1:1/x\", module: ws_only, limits: {message: 2KiB, backlog: 3KiB}, deflate: {}, "
                "backlog_policy: drop, timeouts: {ping: 4s, pong: 5s, close: 6s, write: 7s}}");
    expect_handlers("none", "only");
    cr_expect_null(instance->route);
    cr_expect_str_eq(instance->place.path, "ws://127.0.0.1:1/x");
    cr_expect_str_eq(instance->place.text, "client \"ws://127.0.0.1:1/x\"");
    cr_expect_eq(instance->methods, 0);
    struct rtn_ws_policy policy;
    rtn_policies_ws_client(instance, instance->client, &policy);
    cr_expect_eq(policy.session.message_limit, 2048);
    cr_expect_eq(policy.session.backlog_limit, 3072);
    cr_expect(policy.session.drop);
    cr_expect_eq(policy.ping_timeout, 4000);
    cr_expect_eq(policy.pong_timeout, 5000);
    cr_expect_eq(policy.close_timeout, 6000);
    cr_expect_eq(policy.session.write_timeout, 7000);
    cr_expect_eq(policy.origins.count, 0);
    cr_expect(policy.deflate->on);
}

Test(instance_ws, a_client_takes_no_http_handler)
{
    make_client("{url: \"ws://h/\", module: ws_kinds, handler: both}");
    expect_handlers("none", "both");
}

Test(instance_ws, a_client_does_not_take_a_name_of_http_handlers)
{
    make_client("{url: \"ws://h/\", module: ws_kinds, handler: plain}");
    expect_errors(1);
    expect_error(
        ":5:53: error: server \"get\": client \"ws://h/\": module \"ws_kinds\" has no WebSocket handler \"plain\"; "
        "it has both, mixed, stream, worker, silent");
}

Test(instance_ws, a_client_must_choose_among_websocket_handlers)
{
    make_client("{url: \"ws://h/\", module: ws_kinds}");
    expect_errors(1);
    expect_error(
        "client \"ws://h/\": module \"ws_kinds\" has several WebSocket handlers; add handler: with one of both, "
        "mixed, stream, worker, silent");
}

Test(instance_ws, a_client_of_a_module_without_websocket)
{
    make_client("{url: \"ws://h/\", module: serial}");
    expect_errors(1);
    expect_error(":5:34: error: server \"get\": client \"ws://h/\": module \"serial\" has no WebSocket handler\n");
}

Test(instance_ws, options_of_a_client)
{
    make_client("{url: \"ws://h/\", module: ws_kinds, handler: both, options: {word: bad}}");
    expect_errors(1);
    expect_error(":5:75: error: server \"get\": client \"ws://h/\": option \"word\": bad is not for ws://h/");
}

Test(instance_ws, ready_fails_for_a_client)
{
    cr_assert_not_null(make_client("{url: \"ws://h/\", module: ws_kinds, handler: both, options: {word: late}}"));
    cr_expect_eq(rtn_instance_ready(instance, &diags), -EINVAL);
    rtn_buf_done(&text);
    rtn_diags_render(&diags, &text, false);
    expect_error(":5:34: error: server \"get\": client \"ws://h/\": module \"ws_kinds\": it is too late");
}
