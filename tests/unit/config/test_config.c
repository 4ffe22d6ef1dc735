/* Whole configurations: what ends up in the structs, addresses, paths of routes, and the documentation. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "config/config_address.h"
#include "config/config_tables.h"
#include "config/schema_doc.h"
#include "config_support.h"

TestSuite(config, .fini = teardown);

static const struct rtn_config_listen *listener(const struct rtn_config_server *of)
{
    return of->listen.items;
}

Test(config, defaults)
{
    cr_assert_eq(load("servers: {get: {listen: 80}}\n"), 0);
    const struct rtn_config_server *get = server(0);

    cr_assert_str_eq(get->name, "get");
    cr_assert_eq(get->protocol, RTN_PROTOCOL_HTTP);
    cr_assert_eq(get->loops, 1);
    cr_assert_geq(get->threads, 8);
    cr_assert_eq(get->active_threads, get->threads);
    cr_assert_eq(get->queue, 1024);
    cr_assert_eq(get->hub_capacity, 1024);
    cr_assert_eq(get->modules.count, 0);
    cr_assert_eq(get->timeouts.idle, 60000);
    cr_assert_eq(get->log_level, RTN_LOG_INFO);
    cr_assert_eq(get->access_log.level, RTN_LOG_DEBUG);
    cr_assert_eq(get->header_fields.count, 0);
    cr_assert_eq(get->request_body, RTN_BODY_INHERIT);
    cr_assert_eq(get->access_log.to, RTN_ACCESS_TO_LOG);
    cr_assert_eq(get->access_log.format, RTN_ACCESS_COMBINED);
    cr_assert_eq(get->access_log.buffer, 65536);
    cr_assert_eq(get->access_log.flush, 1000);
    cr_assert_null(get->access_log.pattern);
    cr_assert_eq(get->trusted_proxies.count, 0);
    cr_assert_eq(get->proxy_header, RTN_PROXY_HEADER_AUTO);
    cr_assert_eq(get->request_id, RTN_REQUEST_ID_NONE);
    cr_assert_eq(get->compression.encodings, 0);
    cr_assert_eq(get->compression.min_size, 1024);
    cr_assert_eq(get->compression.effort, RTN_EFFORT_DEFAULT);
    cr_assert_eq(get->limits.connections_per_client, 0);
    cr_assert_eq(get->limits.requests_per_second, 0);
    cr_assert_eq(get->limits.request_burst, 0);
    cr_assert_eq(get->limits.requests_per_connection, 0);
    cr_assert_eq(get->timeouts.handler, 30000);
    cr_assert_eq(listener(get)->proxy_protocol, false);
    cr_assert_null(config->daemon.media_types);
    cr_assert_eq(get->limits.body, 1 << 20);
    cr_assert_eq(get->limits.target, 8192);
    cr_assert_eq(get->timeouts.linger, 2000);
    cr_assert_eq(get->limits.message, 1 << 20);
    cr_assert_eq(get->limits.backlog, 1 << 20);
    cr_assert_eq(get->timeouts.ping, 30000);
    cr_assert_eq(get->timeouts.pong, 10000);
    cr_assert_eq(get->timeouts.close, 5000);
    cr_assert_eq(get->backlog_policy, RTN_BACKLOG_CLOSE);
    cr_assert_eq(get->clients.count, 0);
    cr_assert_eq(get->routes.count, 0);
    cr_assert_eq(config->daemon.modules.count, 1);
    cr_assert_eq(config->daemon.shutdown_timeout, 10000);
    cr_assert_eq(config->daemon.log.to, RTN_LOG_TO_AUTO);
}

Test(config, default_types_are_one_each)
{
    cr_assert_eq(load("servers: {get: {listen: 80}}\n"), 0);
    const struct rtn_schema_strings *types = &server(0)->compression.types;

    cr_assert_geq(types->count, 6);
    cr_expect_str_eq(types->items[0], "text/*");
    cr_expect_str_eq(types->items[types->count - 1], "image/svg+xml");
    for (size_t i = 0; i < types->count; i++)
        cr_expect_null(strpbrk(types->items[i], ", []"), "%s", types->items[i]);
}

Test(config, given_types_are_lowered)
{
    cr_assert_eq(load("servers: {get: {listen: 80, compression: {encodings: [gzip, zstd], types: Text/HTML}}}\n"), 0);
    cr_expect_eq(server(0)->compression.encodings, RTN_ENCODING_GZIP | RTN_ENCODING_ZSTD);
    cr_assert_eq(server(0)->compression.types.count, 1);
    cr_expect_str_eq(server(0)->compression.types.items[0], "text/html");
}

Test(config, burst_follows_the_rate)
{
    cr_assert_eq(load("servers: {a: {listen: 1, limits: {requests_per_second: 5}},\n"
                      "  b: {listen: 2, limits: {requests_per_second: 5, request_burst: 9}}}\n"),
                 0);
    cr_expect_eq(server(0)->limits.request_burst, 5);
    cr_expect_eq(server(1)->limits.request_burst, 9);
}

Test(config, routes_take_from_the_server_what_they_leave_out)
{
    cr_assert_eq(load("servers: {get: {listen: 80, routes: [{path: /a, module: m},\n"
                      "  {path: /b, module: m, limits: {}, timeouts: {write: 2s}},\n"
                      "  {path: /c, module: m, request_body: none, limits: {body: 0},\n"
                      "   timeouts: {body: 1s, handler: 3s}}]}}\n"),
                 0);
    cr_expect_eq(route(0)->request_body, RTN_BODY_INHERIT);
    cr_expect_eq(route(0)->limits.body, -1);
    cr_expect_eq(route(0)->timeouts.body, -1);
    cr_expect_eq(route(0)->timeouts.write, -1);
    cr_expect_eq(route(0)->timeouts.handler, -1);
    cr_expect_eq(route(1)->limits.body, -1);
    cr_expect_eq(route(1)->timeouts.write, 2000);
    cr_expect_eq(route(1)->timeouts.body, -1);
    cr_expect_eq(route(2)->request_body, RTN_BODY_NONE);
    cr_expect_eq(route(2)->limits.body, 0);
    cr_expect_eq(route(2)->timeouts.body, 1000);
    cr_expect_eq(route(2)->timeouts.write, -1);
    cr_expect_eq(route(2)->timeouts.handler, 3000);
}

Test(config, hosts_are_kept_in_one_form)
{
    cr_assert_eq(load("servers: {get: {listen: 80, routes: [{path: /, status: 204},\n"
                      "  {path: /, status: 204, host: Example.ORG.}, {path: /, status: 204, host: '*.Example.org'},\n"
                      "  {path: /, status: 204, host: '[0:0::1]'}, {path: /, status: 204, host: 127.0.0.1}]}}\n"),
                 0);
    cr_expect_null(route(0)->host);
    cr_expect_str_eq(route(1)->host, "example.org");
    cr_expect_str_eq(route(2)->host, "*.example.org");
    cr_expect_str_eq(route(3)->host, "[::1]");
    cr_expect_str_eq(route(4)->host, "127.0.0.1");
}

Test(config, access_log_of_a_file)
{
    cr_assert_eq(load("servers: {get: {listen: 80, access_log: {to: 'file:/a/b.log', format: json}}}\n"), 0);
    cr_expect_eq(server(0)->access_log.to, RTN_ACCESS_TO_FILE);
    cr_expect_str_eq(server(0)->access_log.path, "/a/b.log");
    cr_expect_eq(server(0)->access_log.format, RTN_ACCESS_JSON);
}

Test(config, media_types_are_kept_as_given)
{
    cr_assert_eq(load("daemon: {media_types: {md: text/markdown}}\nservers: {get: {listen: 80}}\n"), 0);
    const struct rtn_node *type = rtn_node_get(config->daemon.media_types, "md");
    cr_assert_not_null(type);
    cr_expect(rtn_str_equal(type->text, RTN_STR("text/markdown")));
}

Test(config, servers_inherit_the_level_of_the_daemon)
{
    cr_assert_eq(load("daemon: {log: {level: error}}\n"
                      "servers: {a: {listen: 1}, b: {listen: 2, log_level: trace}}\n"),
                 0);
    cr_assert_eq(server(0)->log_level, RTN_LOG_ERROR);
    cr_assert_eq(server(1)->log_level, RTN_LOG_TRACE);
}

Test(config, active_threads_follow_threads)
{
    cr_assert_eq(load("servers: {a: {listen: 1, threads: 3}, b: {listen: 2, threads: 0}}\n"), 0);
    cr_assert_eq(server(0)->active_threads, 3);
    cr_assert_eq(server(1)->active_threads, 0);
}

Test(config, listeners)
{
    cr_assert_eq(
        load("servers:\n  a:\n    listen: [80, {address: unix:/a, mode: 0600}]\n  b: {listen: {address: 81}}\n"), 0);
    const struct rtn_config_listen *listen = server(0)->listen.items;

    cr_assert_eq(server(0)->listen.count, 2);
    cr_assert_str_eq(listen[0].address, "80");
    cr_assert_null(listen[0].mode);
    cr_assert_eq(rtn_schema_mark(listen[0].node, "address").column, 14);
    cr_assert_str_eq(listen[1].mode, "0600");
    cr_assert_eq(server(1)->listen.count, 1);
}

Test(config, header_fields_are_lower_case)
{
    cr_assert_eq(load("servers: {a: {listen: 1, header_fields: [Origin, X-A]}, b: {listen: 2, header_fields: all}}\n"),
                 0);
    cr_assert_eq(server(0)->header_fields.count, 2);
    cr_assert_str_eq(server(0)->header_fields.items[0], "origin");
    cr_assert_eq(server(1)->header_fields.count, 0);
}

Test(config, routes)
{
    cr_assert_eq(load("servers:\n  a:\n    listen: 1\n    routes:\n"
                      "    - {path: /a, status: 204}\n"
                      "    - {path: /b, redirect: /a}\n"
                      "    - {path: /c, module: m, handler: h, methods: [GET, PUT], options: {k: v}}\n"
                      "    - {path: /d, module: sub/m.so}\n"),
                 0);
    const struct rtn_config_route *routes = server(0)->routes.items;

    cr_assert_eq(server(0)->routes.count, 4);
    cr_assert_eq(routes[0].status, 204);
    cr_assert_null(routes[0].redirect);
    cr_assert_eq(routes[1].status, 302);
    cr_assert_eq(routes[2].methods, RTN_METHOD_GET | RTN_METHOD_PUT);
    cr_assert_str_eq(rtn_node_get(routes[2].options, "k")->text.data, "v");
    cr_assert_eq(routes[3].methods, 0);
    cr_assert_str_eq(routes[3].module, "/etc/sub/m.so");
}

Test(config, log_file_is_absolute)
{
    cr_assert_eq(load("daemon: {log: {to: file:a.log}}\nservers: {a: {listen: 1}}\n"), 0);
    cr_assert_eq(config->daemon.log.to, RTN_LOG_TO_FILE);
    cr_assert_str_eq(config->daemon.log.path, "/etc/a.log");
}

Test(config, failure_gives_the_texts_for_printing)
{
    cr_assert_eq(load("servers: {a: {listen: x}}\n"), -EINVAL);
    cr_assert_not_null(config);
    rtn_diags_render(&diags, &out, false);
    cr_assert_str_eq(out.data, "/etc/t.yaml:1:23: error: server \"a\": listen \"x\": the port is missing; write x:80\n"
                               "    1 | servers: {a: {listen: x}}\n"
                               "      |                       ^\n");
}

Test(config, a_server_without_routes_is_a_warning)
{
    cr_assert_eq(load("servers: {a: {listen: 1, routes: []}, b: {listen: 2}, c: {listen: 3, routes: [{path: /, status: "
                      "204}]}}\n"),
                 0);
    cr_assert_eq(diags.errors, 0);
    cr_assert_eq(diags.count, 2);
    cr_assert_eq(diags.items[0].severity, RTN_SEVERITY_WARNING);
    cr_assert_str_eq(diags.items[0].message, "server \"a\" has no routes: every request is answered with 404");
    cr_assert_eq(diags.items[0].mark.column, 11);
    cr_assert_eq(diags.items[1].mark.column, 39);
}

Test(config, an_error_silences_the_warning_of_no_routes)
{
    cr_assert_eq(load("servers: {a: {listen: 1, route: []}}\n"), -EINVAL);
    cr_assert_eq(diags.count, 1);
}

Test(config, text_in_memory_follows_no_includes)
{
    cr_assert_eq(load("daemon: {include: /nowhere/at/all.yaml}\nservers: {a: {listen: 1}}\n"), 0);
    cr_assert_eq(config->daemon.include.count, 1);
}

Test(config, text_need_not_end_in_nul)
{
    static const char text[] = { 's', 'e', 'r', 'v', 'e', 'r', 's', ':', ' ', '{', '}' };

    cr_assert_eq(rtn_config_load_text("t", (struct rtn_str){ text, sizeof(text) }, &config, &diags), -EINVAL);
    cr_assert_str_eq(diags.items[0].message, "\"servers\" is empty; add a server");
}

Test(config, missing_file)
{
    cr_assert_eq(rtn_config_load("/nowhere/r.yaml", &config, &diags), -EINVAL);
    rtn_diags_render(&diags, &out, false);
    cr_assert_str_eq(out.data, "retinued: error: cannot read /nowhere/r.yaml: No such file or directory\n");
}

Test(config, missing_default_file_names_the_option)
{
    bool missing = access(RTN_CONFIG_FILE, F_OK) != 0; /* on a machine that has Retinue installed it is there */
    (void) rtn_config_load(RTN_CONFIG_FILE, &config, &diags);
    const char *message = diags.count > 0 ? diags.items[0].message : "";
    cr_assert_eq(missing, strcmp(message, "cannot read " RTN_CONFIG_FILE
                                          ": No such file or directory; name another with -c") == 0);
}

Test(config, files_larger_than_the_bound)
{
    char path[] = "/tmp/rtn-config-XXXXXX";
    int fd = mkstemp(path);

    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, (1 << 20) + 1), 0);
    int code = rtn_config_load(path, &config, &diags);
    (void) unlink(path);
    (void) close(fd);
    cr_assert_eq(code, -EINVAL);
    cr_assert_not_null(strstr(diags.items[0].message, "is larger than 1MiB"));
}

Test(config, many_routes_are_checked_quickly)
{
    rtn_buf_append_text(&out, "servers:\n  a:\n    listen: 1\n    threads: 1\n    routes:\n");
    for (int i = 0; i < 10000; i++)
        rtn_buf_printf(&out, "    - {path: /r%d, status: 204}\n", i);
    cr_assert_eq(load(out.data), 0);
    cr_assert_eq(server(0)->routes.count, 10000);
}

Test(config, free_accepts_null)
{
    rtn_config_free(NULL);
}

Test(config, addresses_are_claimed_in_one_spelling)
{
    static const struct {
        const char *text, *first, *second;
    } cases[] = {
        { "80", "0.0.0.0:80", "[::]:80" },
        { "00080", "0.0.0.0:80", "[::]:80" },
        { "0", NULL, NULL },
        { "127.0.0.1:0", NULL, NULL },
        { "Local-Host:80", "local-host:80", NULL },
        { "[0:0::0001]:80", "[::1]:80", NULL },
        { "[fe80::1%eth0]:80", "[fe80::1%eth0]:80", NULL },
        { "unix:/a b", "unix:/a b", NULL },
        { "unix:@x", "unix:@x", NULL },
        { "systemd:web", "systemd:web", NULL },
    };
    struct rtn_arena arena;

    rtn_arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cases); i++) {
        struct rtn_config_address address;
        const char *problem = rtn_config_address_read(cases[i].text, &arena, &address);
        cr_expect_null(problem, "%s: %s", cases[i].text, problem);
        for (size_t j = 0; problem == NULL && j < 2; j++) {
            const char *expected = j == 0 ? cases[i].first : cases[i].second;
            cr_expect(expected == address.claims[j] ||
                          (expected != NULL && address.claims[j] != NULL && strcmp(expected, address.claims[j]) == 0),
                      "%s", cases[i].text);
        }
    }
    rtn_arena_done(&arena);
}

Test(config, paths_that_routes_may_have)
{
    static const char *const good[] = { "/",    "/*",           "/a",   "/a/",   "/a.b/..c",
                                        "/{a}", "/{a}/{b_1}/*", "/%20", "/grün", "/~a" };
    struct rtn_arena arena;

    rtn_arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(good); i++)
        cr_expect_null(rtn_config_path_problem(good[i], &arena), "%s", good[i]);
    cr_expect_str_eq(rtn_config_path_shape("/u/{id}/x/{name}/*", &arena), "/u/{}/x/{}/*");
    rtn_arena_done(&arena);
}

Test(config, explain_by_any_end_of_the_path)
{
    static const struct {
        const char *key, *first_line;
    } cases[] = {
        { "servers.NAME.threads", "servers.NAME.threads\n" },
        { "servers.get.threads", "servers.NAME.threads\n" },
        { "threads", "servers.NAME.threads\n" },
        { "limits.body", "servers.NAME.limits.body\n" },
        { "daemon", "daemon\n" },
        { "routes.path", "servers.NAME.routes.path\n" },
    };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cases); i++) {
        cr_expect_eq(rtn_config_explain(cases[i].key, &out), 0, "%s", cases[i].key);
        cr_expect(rtn_str_starts_with(rtn_buf_str(&out), rtn_str_of(cases[i].first_line)), "%s", cases[i].key);
        rtn_buf_clear(&out);
    }
}

Test(config, explain_prints_the_facts)
{
    cr_assert_eq(rtn_config_explain("queue", &out), 0);
    cr_assert_str_eq(out.data, "servers.NAME.queue\n"
                               "  Requests that may wait for a worker thread, and as many tasks of modules beside "
                               "them. When the queue is full, requests are answered with 503.\n"
                               "  type: whole number, 1 to 1000000\n"
                               "  default: 1024\n"
                               "  a change takes hold: at a reload, while the server runs\n"
                               "  example: queue: 200\n");
}

/* All that a topic names can be asked for in its turn. */
Test(config, explain_knows_topics)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf inner = { 0 };

    for (const struct rtn_schema_topic *topic = rtn_config_topics; topic->name != NULL; topic++) {
        rtn_buf_clear(&out);
        cr_assert_eq(rtn_config_explain(topic->name, &out), 0, "%s", topic->name);
        rtn_buf_clear(&inner);
        rtn_buf_printf(&inner, "%s\n  %s\n  keys: ", topic->name, topic->help);
        cr_expect_not_null(strstr(out.data, inner.data), "%s", topic->name);
        cr_expect_eq(topic->help[strlen(topic->help) - 1], '.', "%s: help is no sentence", topic->name);
        for (const char *const *key = topic->keys; *key != NULL; key++) {
            cr_expect_not_null(strstr(out.data, *key), "%s: %s", topic->name, *key);
            cr_expect_eq(rtn_config_explain(*key, &inner), 0, "%s: %s", topic->name, *key);
        }
    }
    rtn_buf_clear(&out);
    cr_expect_eq(rtn_config_explain("WebSocket", &out), 0);
    rtn_buf_clear(&out);
    cr_expect_eq(rtn_config_explain("routes.websocket", &out), -ENOENT);
}

Test(config, explain_suggests)
{
    cr_assert_eq(rtn_config_explain("limits.bdy", &out), -ENOENT);
    cr_assert_str_eq(out.data, "there is no key \"limits.bdy\"; did you mean \"body\"?\n");
}

static void expect_in_manual(const struct rtn_schema_key *key, const char *path, unsigned depth, void *data)
{
    char line[128];

    (void) depth;
    (void) data;
    (void) snprintf(line, sizeof(line), ".It Ic \"%s\"\n", path);
    cr_expect_not_null(strstr(out.data, line), "%s", path);
    cr_expect(key->help != NULL && key->help[strlen(key->help) - 1] == '.', "%s: help is no sentence", path);
}

Test(config, manual_holds_every_key)
{
    rtn_config_manual(&out);
    rtn_schema_visit(&rtn_config_root_table, expect_in_manual, NULL);
}

/* Examples are loaded as they stand, each in a map that has what else is required. */
static void expect_example_loads(const struct rtn_schema_key *key, const char *path, unsigned depth, void *data)
{
    static const struct {
        const char *prefix, *before, *after;
    } places[] = {
        { "daemon.log.", "daemon: {log: {", "}}\nservers: {a: {listen: 80}}" },
        { "daemon.", "daemon: {", "}\nservers: {a: {listen: 80}}" },
        { "servers.NAME.listen.mode", "servers: {a: {listen: {address: unix:/a, ", "}}}" },
        { "servers.NAME.listen.proxy_protocol", "servers: {a: {trusted_proxies: unix, listen: {address: 1, ", "}}}" },
        { "servers.NAME.listen.", "servers: {a: {listen: {", "}}}" },
        { "servers.NAME.listen", "servers: {a: {", "}}" },
        { "servers.NAME.limits.request_burst", "servers: {a: {listen: 80, limits: {requests_per_second: 1, ", "}}}" },
        { "servers.NAME.limits.line", "servers: {a: {protocol: line, listen: 1, modules: [{module: m}], limits: {",
          "}}}" },
        { "servers.NAME.limits.", "servers: {a: {listen: 80, limits: {", "}}}" },
        { "servers.NAME.timeouts.", "servers: {a: {listen: 80, timeouts: {", "}}}" },
        { "servers.NAME.compression.", "servers: {a: {listen: 80, compression: {", "}}}" },
        { "servers.NAME.access_log.pattern", "servers: {a: {listen: 80, access_log: {to: 'file:/a', format: custom, ",
          "}}}" },
        { "servers.NAME.access_log.to", "servers: {a: {listen: 80, access_log: {", "}}}" },
        { "servers.NAME.access_log.level", "servers: {a: {listen: 80, access_log: {", "}}}" },
        { "servers.NAME.access_log.", "servers: {a: {listen: 80, access_log: {to: 'file:/a', ", "}}}" },
        { "servers.NAME.routes.module", "servers: {a: {listen: 80, routes: [{path: /, ", "}]}}" },
        { "servers.NAME.routes.deflate.", "servers: {a: {listen: 80, routes: [{path: /, module: m, deflate: {",
          "}}]}}" },
        { "servers.NAME.routes.deflate", "servers: {a: {listen: 80, routes: [{path: /, module: m, ", "}]}}" },
        { "servers.NAME.routes.origins", "servers: {a: {listen: 80, routes: [{path: /, module: m, ", "}]}}" },
        { "servers.NAME.routes.backlog_policy", "servers: {a: {listen: 80, routes: [{path: /, module: m, ", "}]}}" },
        { "servers.NAME.clients.deflate.", "servers: {a: {clients: [{url: 'ws://a', module: m, deflate: {", "}}]}}" },
        { "servers.NAME.clients.limits.", "servers: {a: {clients: [{url: 'ws://a', module: m, limits: {", "}}]}}" },
        { "servers.NAME.clients.timeouts.", "servers: {a: {clients: [{url: 'ws://a', module: m, timeouts: {", "}}]}}" },
        { "servers.NAME.clients.url", "servers: {a: {clients: [{module: m, ", "}]}}" },
        { "servers.NAME.clients.module", "servers: {a: {clients: [{url: 'ws://a', ", "}]}}" },
        { "servers.NAME.clients.", "servers: {a: {clients: [{url: 'ws://a', module: m, ", "}]}}" },
        { "servers.NAME.clients", "servers: {a: {", "}}" },
        { "servers.NAME.routes.limits.", "servers: {a: {listen: 80, routes: [{path: /, module: m, limits: {", "}}]}}" },
        { "servers.NAME.routes.timeouts.", "servers: {a: {listen: 80, routes: [{path: /, module: m, timeouts: {",
          "}}]}}" },
        { "servers.NAME.routes.host", "servers: {a: {listen: 80, routes: [{path: /, module: m, ", "}]}}" },
        { "servers.NAME.routes.request_body", "servers: {a: {listen: 80, routes: [{path: /, module: m, ", "}]}}" },
        { "servers.NAME.routes.handler", "servers: {a: {listen: 80, routes: [{path: /, module: m, ", "}]}}" },
        { "servers.NAME.routes.options", "servers: {a: {listen: 80, routes: [{path: /, module: m, ", "}]}}" },
        { "servers.NAME.routes.path", "servers: {a: {listen: 80, routes: [{module: m, ", "}]}}" },
        { "servers.NAME.routes.methods", "servers: {a: {listen: 80, routes: [{path: /, module: m, ", "}]}}" },
        { "servers.NAME.routes.", "servers: {a: {listen: 80, routes: [{path: /, ", "}]}}" },
        { "servers.NAME.protocol", "servers: {a: {modules: [{module: m}], ", "}}" },
        { "servers.NAME.greeting", "servers: {a: {protocol: line, listen: 1, modules: [{module: m}], ", "}}" },
        { "servers.NAME.line_end", "servers: {a: {protocol: line, listen: 1, modules: [{module: m}], ", "}}" },
        { "servers.NAME.long_lines", "servers: {a: {protocol: line, listen: 1, modules: [{module: m}], ", "}}" },
        { "servers.NAME.modules.module", "servers: {a: {protocol: worker, modules: [{", "}]}}" },
        { "servers.NAME.modules.", "servers: {a: {protocol: worker, modules: [{module: m, ", "}]}}" },
        { "servers.NAME.modules", "servers: {a: {protocol: worker, ", "}}" },
        { "servers.NAME.proxy_header", "servers: {a: {listen: 80, trusted_proxies: unix, ", "}}" },
        { "servers.NAME.", "servers: {a: {listen: 80, ", "}}" },
    };
    size_t i = 0;

    (void) depth;
    (void) data;
    if (key->example == NULL)
        return;
    while (!rtn_str_starts_with(rtn_str_of(path), rtn_str_of(places[i].prefix)))
        cr_assert_lt(++i, RTN_ARRAY_LENGTH(places));
    rtn_buf_clear(&out);
    rtn_buf_printf(&out, "%s%s: %s%s\n", places[i].before, key->name, key->example, places[i].after);
    cr_expect_eq(load(out.data), 0, "%s: %s", out.data, diags.count > 0 ? diags.items[0].message : "");
    teardown();
    config = NULL;
}

Test(config, examples_load)
{
    rtn_schema_visit(&rtn_config_root_table, expect_example_loads, NULL);
}
