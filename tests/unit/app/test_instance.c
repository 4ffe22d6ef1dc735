/* From YAML text to instances, with the modules of tests/modules. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "app/instance.h"
#include "public_stubs.h"

static char path[] = "/tmp/rtn-instance-XXXXXX";
static struct rtn_config *config;
static struct rtn_modules *modules;
static struct rtn_diags diags;
static struct rtn_buf text;
static struct rtn_instance *instance;

static void start(void)
{
    cr_assert(public_stubs_are_here());
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    (void) close(fd);
}

static void stop(void)
{
    rtn_instance_free(instance);
    rtn_modules_free(modules);
    rtn_diags_done(&diags);
    rtn_config_free(config);
    rtn_buf_done(&text);
    (void) unlink(path);
}

TestSuite(instance, .init = start, .fini = stop);

/* The instance of the one route `route` (YAML flow map) on a server with `keys` more lines. */
static struct rtn_instance *make_on(const char *keys, const char *route)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void) fprintf(
        file, "daemon:\n  modules: [%s]\nservers:\n  get:\n    listen: 127.0.0.1:5050\n%s    routes:\n      - %s\n",
        TEST_MODULES, keys, route);
    (void) fclose(file);
    int code = rtn_config_load(path, &config, &diags);
    if (code != 0)
        rtn_diags_render(&diags, &text, false);
    cr_assert_eq(code, 0, "%s", rtn_buf_str(&text).data);
    cr_assert_eq(rtn_modules_new(&config->daemon.modules, &modules), 0);
    const struct rtn_config_server *server = config->servers.items;
    instance = rtn_instance_new(modules, server, server->routes.items, &diags);
    rtn_diags_render(&diags, &text, false);
    return instance;
}

/* The instance of the one client `client` (YAML flow map), line 5. */
static struct rtn_instance *make_client(const char *client)
{
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    (void) fprintf(file, "daemon: {modules: [%s]}\nservers:\n  get:\n    clients:\n      - %s\n", TEST_MODULES, client);
    (void) fclose(file);
    int code = rtn_config_load(path, &config, &diags);
    if (code != 0)
        rtn_diags_render(&diags, &text, false);
    cr_assert_eq(code, 0, "%s", rtn_buf_str(&text).data);
    cr_assert_eq(rtn_modules_new(&config->daemon.modules, &modules), 0);
    const struct rtn_config_server *server = config->servers.items;
    instance = rtn_instance_new_client(modules, server, server->clients.items, &diags);
    rtn_diags_render(&diags, &text, false);
    return instance;
}

static struct rtn_instance *make(const char *route)
{
    return make_on("", route);
}

static void expect_error(const char *words)
{
    cr_expect_not_null(strstr(rtn_buf_str(&text).data, words), "[%s] is not in:\n%s", words, rtn_buf_str(&text).data);
}

static void expect_errors(size_t count)
{
    cr_expect_eq(diags.errors, count, "%s", rtn_buf_str(&text).data);
    cr_expect_null(instance);
}

/* As in tests/modules/options.c. */
struct options {
    bool flag;
    int64_t number;
    int64_t below;
    int64_t size;
    int64_t duration;
    const char *string;
    const char *empty;
    const char *path;
    int choice;
    struct rtn_strings strings;
    struct rtn_strings one;
};

Test(instance, defaults_are_in_place)
{
    cr_assert_not_null(make("{path: /, module: options, options: {string: x}}"), "%s", text.data);
    const struct options *options = instance->data;
    cr_expect_eq(options->flag, false);
    cr_expect_eq(options->number, 7);
    cr_expect_eq(options->below, 0);
    cr_expect_eq(options->size, 4096);
    cr_expect_eq(options->duration, 1500);
    cr_expect_str_eq(options->empty, "");
    cr_expect_null(options->path);
    cr_expect_eq(options->choice, 1);
    cr_expect_eq(options->strings.count, 0);
    cr_assert_eq(options->one.count, 1);
    cr_expect_str_eq(options->one.items[0], "single");
}

Test(instance, given_values_arrive)
{
    cr_assert_not_null(make("{path: /, module: options, options: {flag: true, number: -5, below: -10, size: 1MiB, "
                            "duration: 2h, string: \"a b\", empty: \"\", path: sub/file, colour: blue, "
                            "strings: [x, y, z], one: scalar}}"),
                       "%s", rtn_buf_str(&text).data);
    const struct options *options = instance->data;
    cr_expect_eq(options->flag, true);
    cr_expect_eq(options->number, -5);
    cr_expect_eq(options->below, -10);
    cr_expect_eq(options->size, 1 << 20);
    cr_expect_eq(options->duration, 7200000);
    cr_expect_str_eq(options->string, "a b");
    cr_expect_str_eq(options->empty, "");
    cr_expect_str_eq(options->path, "/tmp/sub/file");
    cr_expect_eq(options->choice, 2);
    cr_assert_eq(options->strings.count, 3);
    cr_expect_str_eq(options->strings.items[2], "z");
    cr_expect_str_eq(options->one.items[0], "scalar");
}

Test(instance, every_wrong_option_is_reported_at_its_place)
{
    make("{path: /, module: options, options: {flag: 1, number: 101, below: 1, size: 4, duration: x, colour: pink, "
         "strings: [1, 2, 3, 4], strnig: y}}");
    expect_errors(8);
    expect_error(":7:52: error: server \"get\": route \"/\": options: ");
    expect_error("unknown key \"strnig\"; did you mean \"string\"?");
    expect_error("\"number\" must be -5 to 100, not 101");
    expect_error("\"below\" must be -10 to 0, not 1");
    /* That "string" is missing goes without saying: it is the one that was misspelled. */
    cr_expect_null(strstr(rtn_buf_str(&text).data, "is missing"));
    expect_error("\"colour\" must be one of red, green, blue");
    expect_error("\"strings\" must have 1 to 3 entries, not 4");
}

Test(instance, missing_required_option_without_options)
{
    make("{path: /, module: options}");
    expect_errors(1);
    expect_error(":7:27: error: server \"get\": route \"/\": options: \"string\" is missing");
}

Test(instance, options_for_a_module_without_any)
{
    make("{path: /, module: inspect, handler: loop, options: {x: 1}}");
    expect_errors(1);
    expect_error("module \"inspect\" has no options");
}

Test(instance, configure_reports_at_the_option)
{
    make("{path: /, module: options, options: {string: x, number: 13, colour: red}}");
    expect_errors(1);
    expect_error(":7:65: error: server \"get\": route \"/\": option \"number\": 13 is not allowed together with red");
}

Test(instance, configure_sees_what_was_given)
{
    make("{path: /, module: options, options: {string: x, number: 14}}");
    expect_errors(1);
    expect_error(":7:27: error: server \"get\": route \"/\": option \"colour\": 14 needs one");
}

Test(instance, handler_may_be_left_out_when_there_is_one)
{
    cr_assert_not_null(make("{path: /, module: serial}"));
    cr_expect_str_eq(instance->http->name, "serial");
    cr_expect_eq(instance->threads, RTN_THREADS_SERIAL);
    cr_expect_eq(instance->methods, RTN_METHOD_ALL & ~(unsigned) RTN_METHOD_OPTIONS);
    cr_expect_not(instance->takes_options);
}

Test(instance, handler_is_needed_when_there_are_several)
{
    make("{path: /, module: inspect}");
    expect_errors(1);
    expect_error("module \"inspect\" has several handlers; add handler: with one of loop, worker, all");
}

Test(instance, unknown_handler_with_suggestion)
{
    make("{path: /, module: inspect, handler: worke}");
    expect_errors(1);
    expect_error("module \"inspect\" has no handler \"worke\"; did you mean \"worker\"?");
}

Test(instance, unknown_handler_with_list)
{
    make("{path: /, module: inspect, handler: nothing-near}");
    expect_errors(1);
    expect_error("module \"inspect\" has no handler \"nothing-near\"; it has loop, worker, all");
}

Test(instance, handler_lowers_the_thread_model)
{
    cr_assert_not_null(make("{path: /, module: inspect, handler: worker}"));
    cr_expect_eq(instance->threads, RTN_THREADS_PARALLEL);
}

Test(instance, handler_that_names_options_takes_it)
{
    cr_assert_not_null(make("{path: /, module: inspect, handler: all}"));
    cr_expect(instance->takes_options);
    cr_expect_eq(instance->methods, RTN_METHOD_ALL);
}

Test(instance, worker_handler_on_a_server_without_workers)
{
    make_on("    threads: 0\n", "{path: /, module: inspect, handler: worker}");
    expect_errors(1);
    expect_error(":8:45: error: server \"get\": route \"/\": handler \"worker\" of module \"inspect\" runs on workers "
                 "(parallel), but this server has none (threads: 0)");
}

Test(instance, loop_handler_on_a_server_without_workers)
{
    cr_expect_not_null(make_on("    threads: 0\n", "{path: /, module: inspect, handler: loop}"));
}

Test(instance, methods_beyond_the_handler)
{
    make("{path: /, module: inspect, handler: loop, methods: [GET, OPTIONS]}");
    expect_errors(1);
    expect_error("handler \"loop\" of module \"inspect\" does not take OPTIONS; it takes GET, HEAD, POST");
}

Test(instance, all_mistakes_of_a_route_in_one_run)
{
    make_on("    threads: 0\n",
            "{path: /, module: lifecycle, handler: worker, methods: [OPTIONS], options: {nmae: x}}");
    expect_errors(3);
}

Test(instance, module_that_is_missing)
{
    make("{path: /, module: nonesuch}");
    expect_errors(1);
    expect_error(":7:27: error: module \"nonesuch\": no nonesuch.so in " TEST_MODULES);
}

static int lifecycle_count(const char *name)
{
    struct rtn_diags ignored = { 0 };
    const struct rtn_loaded *loaded = rtn_modules_get(modules, "lifecycle", (struct rtn_mark){ 0 }, &ignored);
    const atomic_int *count = dlsym(loaded->handle, name);
    cr_assert_not_null(count);
    return *count;
}

static void release(void)
{
    rtn_instance_free(instance);
    instance = NULL;
}

Test(instance, ready_and_unload_are_called)
{
    cr_assert_not_null(make("{path: /x, module: lifecycle, handler: loop}"), "%s", rtn_buf_str(&text).data);
    cr_expect_eq(lifecycle_count("lifecycle_configured"), 1);
    cr_expect_eq(rtn_instance_ready(instance, &diags), 0);
    cr_expect_eq(lifecycle_count("lifecycle_ready"), 1);
    cr_expect_eq(lifecycle_count("lifecycle_unloaded"), 0);
    release();
    cr_expect_eq(lifecycle_count("lifecycle_unloaded"), 1);
}

Test(instance, configure_that_failed_is_not_unloaded)
{
    make("{path: /x, module: lifecycle, handler: loop, options: {fail: configure}}");
    expect_errors(1);
    expect_error("option \"fail\": told to fail in configure of get");
    cr_expect_eq(lifecycle_count("lifecycle_unloaded"), 0);
}

Test(instance, configure_that_gives_no_reason)
{
    make("{path: /x, module: lifecycle, handler: loop, options: {fail: quietly}}");
    expect_errors(1);
    expect_error("module \"lifecycle\": configure failed: Input/output error");
}

Test(instance, configure_is_not_called_with_wrong_options)
{
    make("{path: /x, module: lifecycle, handler: loop, options: {fail: sometimes}}");
    expect_errors(1);
    cr_expect_eq(lifecycle_count("lifecycle_configured"), 0);
}

Test(instance, failed_ready_is_reported_and_unloaded)
{
    cr_assert_not_null(make("{path: /x, module: lifecycle, handler: loop, options: {fail: ready}}"));
    cr_expect_eq(rtn_instance_ready(instance, &diags), -EINVAL);
    rtn_buf_clear(&text);
    rtn_diags_render(&diags, &text, false);
    expect_error("route \"/x\": module \"lifecycle\": told to fail at /x");
    release();
    cr_expect_eq(lifecycle_count("lifecycle_unloaded"), 1);
}

Test(instance, free_accepts_nothing)
{
    rtn_instance_free(NULL);
}

/* Both kinds of handlers. */

static void expect_handlers(const char *http, const char *ws)
{
    cr_assert_not_null(instance, "%s", rtn_buf_str(&text).data);
    cr_expect_str_eq(instance->http != NULL ? instance->http->name : "none", http);
    cr_expect_str_eq(instance->ws != NULL ? instance->ws->name : "none", ws);
}

Test(instance, a_name_chooses_handlers_of_both_kinds)
{
    make("{path: /x, module: ws_kinds, handler: both}");
    expect_handlers("both", "both");
    cr_expect_eq(instance->threads, RTN_THREADS_LOOP);
    cr_expect_eq(instance->http_methods, RTN_METHOD_POST);
    cr_expect_eq(instance->methods, RTN_METHOD_GET | RTN_METHOD_HEAD | RTN_METHOD_POST);
    cr_expect_str_eq(instance->place.text, "route \"/x\"");
    cr_expect_null(instance->client);
}

Test(instance, the_lower_thread_model_of_two_handlers_holds)
{
    make("{path: /, module: ws_kinds, handler: mixed}");
    expect_handlers("mixed", "mixed");
    cr_expect_eq(instance->threads, RTN_THREADS_SERIAL);
    cr_expect(rtn_instance_needs_workers(instance));
}

Test(instance, a_name_of_one_kind_chooses_just_that)
{
    make("{path: /, module: ws_kinds, handler: plain}");
    expect_handlers("plain", "none");
    cr_expect_eq(instance->methods, instance->http_methods);
}

Test(instance, a_websocket_handler_alone_takes_get)
{
    make("{path: /, module: ws_only, methods: GET}");
    expect_handlers("none", "only");
    cr_expect_eq(instance->methods, RTN_METHOD_GET | RTN_METHOD_HEAD);
    cr_expect_eq(instance->http_methods, 0);
    cr_expect_not(instance->takes_options);
    cr_expect_not(rtn_instance_needs_workers(instance));
    struct rtn_policy policy;
    rtn_instance_policy(instance, &policy);
    cr_expect_eq(policy.request_body, RTN_BODY_NONE);
}

Test(instance, handlers_of_both_kinds_are_listed_once)
{
    make("{path: /, module: ws_kinds}");
    expect_errors(1);
    expect_error("route \"/\": module \"ws_kinds\" has several handlers; add handler: with one of both, mixed, plain, "
                 "stream, worker, silent");
}

Test(instance, websocket_handlers_are_suggested_too)
{
    make("{path: /, module: ws_kinds, handler: strem}");
    expect_errors(1);
    expect_error("module \"ws_kinds\" has no handler \"strem\"; did you mean \"stream\"?");
}

Test(instance, websocket_handler_on_a_server_without_workers)
{
    make_on("    threads: 0\n", "{path: /, module: ws_kinds, handler: mixed}");
    expect_errors(1);
    expect_error("handler \"mixed\" of module \"ws_kinds\" runs on workers (serial), but this server has none");
}

Test(instance, a_websocket_needs_get)
{
    make("{path: /, module: ws_only, methods: HEAD}");
    expect_errors(1);
    expect_error(":7:45: error: server \"get\": route \"/\": handler \"only\" of module \"ws_only\" is for WebSocket, "
                 "which needs GET");
}

Test(instance, a_websocket_takes_no_post)
{
    make("{path: /, module: ws_only, methods: [GET, POST]}");
    expect_errors(1);
    expect_error("handler \"only\" of module \"ws_only\" does not take POST; it takes GET, HEAD");
}

Test(instance, keys_of_websocket_on_a_route_without)
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

Test(instance, keys_of_plain_requests_on_a_route_without)
{
    make("{path: /, module: ws_only, request_body: streamed, limits: {body: 1KiB}, timeouts: {body: 1s, write: 1s}}");
    expect_errors(3);
    expect_error(
        ":7:50: error: server \"get\": route \"/\": \"request_body\" is for plain requests, but the route has no "
        "HTTP handler");
    expect_error("\"limits.body\" is for plain requests");
    expect_error("\"timeouts.body\" is for plain requests");
}

Test(instance, websocket_policy_of_the_server)
{
    make_on("    limits: {message: 2MiB, backlog: 3MiB}\n    timeouts: {ping: 4s, pong: 5s, close: 6s, write: 7s}\n"
            "    backlog_policy: drop\n",
            "{path: /, module: ws_kinds, handler: stream}");
    expect_handlers("none", "stream");
    const struct rtn_ws_policy *policy = &instance->ws_policy;
    cr_expect_eq(policy->message_limit, 2 << 20);
    cr_expect_eq(policy->backlog_limit, 3 << 20);
    cr_expect(policy->drop);
    cr_expect(policy->streamed);
    cr_expect_eq(policy->ping_timeout, 4000);
    cr_expect_eq(policy->pong_timeout, 5000);
    cr_expect_eq(policy->close_timeout, 6000);
    cr_expect_eq(policy->write_timeout, 7000);
    cr_assert_eq(policy->origins.count, 1);
    cr_expect_str_eq(policy->origins.items[0], "same");
    cr_expect_not(policy->deflate->on);
}

Test(instance, websocket_policy_of_the_route)
{
    make_on("    backlog_policy: drop\n",
            "{path: /, module: ws_only, backlog_policy: close, origins: [all], deflate: {}, "
            "limits: {message: 2KiB, backlog: 3KiB}, timeouts: {ping: 4s, pong: 5s, close: 6s, write: 7s}}");
    expect_handlers("none", "only");
    const struct rtn_ws_policy *policy = &instance->ws_policy;
    cr_expect_eq(policy->message_limit, 2048);
    cr_expect_eq(policy->backlog_limit, 3072);
    cr_expect_not(policy->drop);
    cr_expect_not(policy->streamed);
    cr_expect_eq(policy->ping_timeout, 4000);
    cr_expect_eq(policy->pong_timeout, 5000);
    cr_expect_eq(policy->close_timeout, 6000);
    cr_expect_eq(policy->write_timeout, 7000);
    cr_expect_str_eq(policy->origins.items[0], "all");
    cr_expect(policy->deflate->on);
}

/* Clients. */

Test(instance, a_client_has_the_only_websocket_handler)
{
    make_client("{url: \"ws://127.0.0.1:1/x\", module: ws_only, limits: {message: 2KiB, backlog: 3KiB}, deflate: {}, "
                "backlog_policy: drop, timeouts: {ping: 4s, pong: 5s, close: 6s, write: 7s}}");
    expect_handlers("none", "only");
    cr_expect_null(instance->route);
    cr_expect_str_eq(instance->place.path, "ws://127.0.0.1:1/x");
    cr_expect_str_eq(instance->place.text, "client \"ws://127.0.0.1:1/x\"");
    cr_expect_eq(instance->methods, 0);
    const struct rtn_ws_policy *policy = &instance->ws_policy;
    cr_expect_eq(policy->message_limit, 2048);
    cr_expect_eq(policy->backlog_limit, 3072);
    cr_expect(policy->drop);
    cr_expect_eq(policy->ping_timeout, 4000);
    cr_expect_eq(policy->pong_timeout, 5000);
    cr_expect_eq(policy->close_timeout, 6000);
    cr_expect_eq(policy->write_timeout, 7000);
    cr_expect_eq(policy->origins.count, 0);
    cr_expect(policy->deflate->on);
}

Test(instance, a_client_takes_no_http_handler)
{
    make_client("{url: \"ws://h/\", module: ws_kinds, handler: both}");
    expect_handlers("none", "both");
}

Test(instance, a_client_does_not_take_a_name_of_http_handlers)
{
    make_client("{url: \"ws://h/\", module: ws_kinds, handler: plain}");
    expect_errors(1);
    expect_error(
        ":5:53: error: server \"get\": client \"ws://h/\": module \"ws_kinds\" has no WebSocket handler \"plain\"; "
        "it has both, mixed, stream, worker, silent");
}

Test(instance, a_client_must_choose_among_websocket_handlers)
{
    make_client("{url: \"ws://h/\", module: ws_kinds}");
    expect_errors(1);
    expect_error(
        "client \"ws://h/\": module \"ws_kinds\" has several WebSocket handlers; add handler: with one of both, "
        "mixed, stream, worker, silent");
}

Test(instance, a_client_of_a_module_without_websocket)
{
    make_client("{url: \"ws://h/\", module: serial}");
    expect_errors(1);
    expect_error(":5:34: error: server \"get\": client \"ws://h/\": module \"serial\" has no WebSocket handler\n");
}

Test(instance, options_of_a_client)
{
    make_client("{url: \"ws://h/\", module: ws_kinds, handler: both, options: {word: bad}}");
    expect_errors(1);
    expect_error(":5:75: error: server \"get\": client \"ws://h/\": option \"word\": bad is not for ws://h/");
}

Test(instance, ready_fails_for_a_client)
{
    cr_assert_not_null(make_client("{url: \"ws://h/\", module: ws_kinds, handler: both, options: {word: late}}"));
    cr_expect_eq(rtn_instance_ready(instance, &diags), -EINVAL);
    rtn_buf_done(&text);
    rtn_diags_render(&diags, &text, false);
    expect_error(":5:34: error: server \"get\": client \"ws://h/\": module \"ws_kinds\": it is too late");
}

/* What the configuration let pass is checked by those who connect. */
Test(instance, url_and_headers_of_a_client)
{
    cr_assert_not_null(make_client("{url: \"ws://h/\", module: ws_only, headers: [\"A: b\", \"C: d\"]}"), "%s",
                       text.data);
    const struct rtn_config_server *server = config->servers.items;
    struct rtn_config_client client = *instance->client;
    const char *headers[] = { client.headers.items[0], "Host: x" };
    client.url = "wss://h/";
    client.headers.items = headers;
    cr_expect_null(rtn_instance_new_client(modules, server, &client, &diags));
    rtn_diags_render(&diags, &text, false);
    cr_assert_eq(diags.errors, 2, "%s", text.data);
    expect_error(":5:15: error: server \"get\": client \"wss://h/\": \"url\": ");
    expect_error(":5:61: error: server \"get\": client \"wss://h/\": \"headers\": ");
}
