/* Servers of the three protocols: what they are by default, and which keys are for which. */
#include <errno.h>

#include "config/config_tables.h"
#include "config_support.h"

TestSuite(config_protocol, .fini = teardown);

static const struct rtn_config_use *use(size_t i)
{
    return (const struct rtn_config_use *) server(0)->modules.items + i;
}

Test(config_protocol, a_line_server_by_default)
{
    cr_assert_eq(load("servers: {chat: {protocol: line, listen: 7687, modules: [{module: chat}]}}\n"), 0);
    const struct rtn_config_server *chat = server(0);

    cr_expect_eq(diags.count, 0);
    cr_expect_eq(chat->protocol, RTN_PROTOCOL_LINE);
    cr_expect_eq(chat->loops, 1);
    cr_expect_geq(chat->threads, 8);
    cr_expect_eq(chat->active_threads, chat->threads);
    cr_expect_eq(chat->hub_capacity, 1024);
    cr_expect_eq(chat->limits.line, 8192);
    cr_expect_eq(chat->limits.connections, 10000);
    cr_expect_eq(chat->limits.backlog, 1 << 20);
    cr_expect_eq(chat->timeouts.idle, 0);
    cr_expect_eq(chat->timeouts.write, 30000);
    cr_expect_eq(chat->backlog_policy, RTN_BACKLOG_CLOSE);
    cr_expect_null(chat->greeting);
    cr_expect_eq(chat->line_end, RTN_LINE_END_CRLF);
    cr_expect_eq(chat->long_lines, RTN_LONG_LINES_CLOSE);
}

Test(config_protocol, a_line_server_as_given)
{
    cr_assert_eq(
        load("servers: {chat: {protocol: line, listen: stdio, modules: [{module: chat}], greeting: \"h\\ti é\",\n"
             "  line_end: lf, long_lines: drop, limits: {line: 64B}, timeouts: {idle: 10ms}, hub_capacity: 5}}\n"),
        0);
    const struct rtn_config_server *chat = server(0);

    cr_assert_eq(chat->listen.count, 1);
    cr_expect_str_eq(((const struct rtn_config_listen *) chat->listen.items)->address, "stdio");
    cr_expect_str_eq(chat->greeting, "h\ti é");
    cr_expect_eq(chat->line_end, RTN_LINE_END_LF);
    cr_expect_eq(chat->long_lines, RTN_LONG_LINES_DROP);
    cr_expect_eq(chat->limits.line, 64);
    cr_expect_eq(chat->timeouts.idle, 10);
    cr_expect_eq(chat->hub_capacity, 5);
}

Test(config_protocol, idle_is_never_when_a_line_server_says_so)
{
    cr_assert_eq(load("servers: {a: {protocol: line, listen: 1, modules: [{module: m}], timeouts: {idle: 0}},\n"
                      "  b: {protocol: line, listen: 2, modules: [{module: m}], timeouts: {write: 1s}}}\n"),
                 0);
    cr_expect_eq(server(0)->timeouts.idle, 0);
    cr_expect_eq(server(1)->timeouts.idle, 0);
    cr_expect_eq(server(1)->timeouts.write, 1000);
}

Test(config_protocol, a_worker_by_default)
{
    cr_assert_eq(load("servers: {jobs: {protocol: worker, modules: [{module: jobs}]}}\n"), 0);
    cr_expect_eq(diags.count, 0);
    cr_expect_eq(server(0)->protocol, RTN_PROTOCOL_WORKER);
    cr_expect_eq(server(0)->listen.count, 0);
    cr_expect_eq(server(0)->loops, 1);
    cr_expect_geq(server(0)->threads, 8);
    cr_expect_eq(server(0)->hub_capacity, 1024);
}

Test(config_protocol, modules_of_a_server)
{
    cr_assert_eq(load("servers: {a: {listen: [], modules: [{module: chat},\n"
                      "  {module: sub/m.so, handler: h, options: {k: v}}]}}\n"),
                 0);
    cr_assert_eq(server(0)->modules.count, 2);
    cr_expect_str_eq(use(0)->module, "chat");
    cr_expect_null(use(0)->handler);
    cr_expect_null(use(0)->options);
    cr_expect_str_eq(use(1)->module, "/etc/sub/m.so");
    cr_expect_str_eq(use(1)->handler, "h");
    cr_assert_not_null(use(1)->options);
    cr_expect_str_eq(rtn_node_get(use(1)->options, "k")->text.data, "v");
    cr_expect_eq(rtn_schema_mark(use(1)->node, "module").line, 2);
}

Test(config_protocol, an_http_server_for_its_modules_needs_no_routes)
{
    cr_assert_eq(load("servers: {a: {modules: [{module: m}]}, b: {listen: [], modules: [{module: m}]},\n"
                      "  c: {listen: 1, modules: [{module: m}]}}\n"),
                 0);
    cr_assert_eq(diags.count, 1);
    cr_expect_str_eq(diags.items[0].message, "server \"c\" has no routes: every request is answered with 404");
}

Test(config_protocol, one_server_has_stdio)
{
    cr_assert_eq(load("servers: {a: {protocol: line, listen: [1, stdio], modules: [{module: m}]},\n"
                      "  b: {protocol: line, listen: stdio, modules: [{module: m}]}}\n"),
                 -EINVAL);
    cr_assert_eq(diags.errors, 1);
    cr_expect_str_eq(diags.items[0].message, "server \"b\": listen \"stdio\": server \"a\" listens there too");
}

/* A worker that was to listen takes no address from others. */
Test(config_protocol, what_is_refused_has_no_part_in_other_checks)
{
    cr_assert_eq(load("servers: {a: {protocol: worker, listen: 80, modules: [{module: m}], timeouts: {idle: 0}},\n"
                      "  b: {listen: 80, routes: [{path: /, status: 204}]}}\n"),
                 -EINVAL);
    cr_expect_eq(diags.errors, 2);
}

static const struct rtn_schema_table *const tables[] = {
    &rtn_config_server_table,
    &rtn_config_listen_table,
    &rtn_config_limits_table,
    &rtn_config_timeouts_table,
};

/* What people read of a key agrees with what it is for. */
static void expect_protocols_in_help(const struct rtn_schema_table *table, const struct rtn_schema_key *key)
{
    static const struct {
        bool http, line, worker;
        const char *words;
    } kinds[] = {
        { true, false, false, "Of protocol: http." },
        { true, true, false, "Of protocol: http and line." },
        { false, true, false, "Of protocol: line." },
    };
    struct rtn_str name = rtn_str_of(key->name);
    bool http = rtn_config_key_is_for(table, name, RTN_PROTOCOL_HTTP);
    bool line = rtn_config_key_is_for(table, name, RTN_PROTOCOL_LINE);
    bool worker = rtn_config_key_is_for(table, name, RTN_PROTOCOL_WORKER);

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(kinds); i++) {
        bool is = http == kinds[i].http && line == kinds[i].line && worker == kinds[i].worker;
        cr_expect_eq(rtn_str_ends_with(rtn_str_of(key->help), rtn_str_of(kinds[i].words)), is, "%s.%s: %s", table->name,
                     key->name, kinds[i].words);
    }
}

Test(config_protocol, help_says_what_a_key_is_for)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(tables); i++) {
        for (const struct rtn_schema_key *key = tables[i]->keys; key->name != NULL; key++)
            expect_protocols_in_help(tables[i], key);
    }
}

Test(config_protocol, keys_of_other_tables_are_for_all)
{
    for (int protocol = RTN_PROTOCOL_HTTP; protocol <= RTN_PROTOCOL_WORKER; protocol++) {
        cr_expect(rtn_config_key_is_for(&rtn_config_client_table, RTN_STR("timeouts"), protocol));
        cr_expect(rtn_config_key_is_for(&rtn_config_daemon_table, RTN_STR("modules"), protocol));
        cr_expect(rtn_config_key_is_for(&rtn_config_server_table, RTN_STR("protocol"), protocol));
    }
}

static bool dumped(const char *text)
{
    return strstr(out.data, text) != NULL;
}

Test(config_protocol, a_dump_has_the_keys_of_the_protocol)
{
    cr_assert_eq(load("servers: {a: {protocol: worker, modules: [{module: m}]}}\n"), 0);
    rtn_config_dump(config, &out);
    cr_expect(dumped("hub_capacity: 1024"));
    cr_expect_not(dumped("limits:") || dumped("timeouts:") || dumped("backlog_policy:") || dumped("line_end:"));
    cr_expect_not(dumped("access_log:") || dumped("compression:") || dumped("header_fields:"));
    teardown();
    config = NULL;

    cr_assert_eq(load("servers: {a: {protocol: line, listen: 1, modules: [{module: m}]}}\n"), 0);
    rtn_config_dump(config, &out);
    cr_expect(dumped("line: 8KiB") && dumped("idle: 0") && dumped("line_end: crlf") && dumped("long_lines: close"));
    cr_expect_not(dumped("target:") || dumped("ping:") || dumped("proxy_protocol:") || dumped("request_id:"));
    teardown();
    config = NULL;

    cr_assert_eq(load("servers: {a: {listen: 1, routes: [{path: /, module: m, limits: {body: 1B}}]}}\n"), 0);
    rtn_config_dump(config, &out);
    cr_expect(dumped("target: 8KiB") && dumped("body: 1B") && dumped("idle: 1m"));
    cr_expect_not(dumped(" line:") || dumped("line_end:") || dumped("long_lines:"));
}

/* A word may be both: the key comes first. */
Test(config_protocol, explain_knows_a_key_and_a_topic_of_one_name)
{
    cr_assert_eq(rtn_config_explain("line", &out), 0);
    cr_expect(rtn_str_starts_with(rtn_buf_str(&out), RTN_STR("servers.NAME.limits.line\n")));
    cr_expect(dumped("\n\nline\n  \"protocol: line\" makes"));
    rtn_buf_clear(&out);
    cr_assert_eq(rtn_config_explain("worker", &out), 0);
    cr_expect(rtn_str_starts_with(rtn_buf_str(&out), RTN_STR("worker\n  \"protocol: worker\" makes")));
    rtn_buf_clear(&out);
    cr_assert_eq(rtn_config_explain("hub", &out), 0);
    cr_expect(dumped("hub_capacity"));
}
