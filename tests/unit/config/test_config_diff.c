/* What changes between two configurations, and that every key says what its change takes. */
#include "config/config_address.h"
#include "config/config_diff.h"
#include "config/config_tables.h"
#include "config/schema_doc.h"
#include "config_support.h"

static struct rtn_config *after;
static struct rtn_config_diff diff;

static void teardown_diff(void)
{
    rtn_config_diff_done(&diff);
    rtn_config_free(after);
    teardown();
}

TestSuite(config_diff, .fini = teardown_diff);

static void compare(const char *one, const char *other)
{
    cr_assert_eq(load(one), 0);
    cr_assert_eq(rtn_config_load_text("/etc/t.yaml", rtn_str_of(other), &after, &diags), 0);
    rtn_config_diff(config, after, &diff);
}

/* Two servers "a" that differ in these keys. */
static void compare_server(const char *one, const char *other)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf first = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf second = { 0 };
    rtn_buf_printf(&first, "servers: {a: {listen: 1, routes: [{path: /, status: 204}], %s}}", one);
    rtn_buf_printf(&second, "servers: {a: {listen: 1, routes: [{path: /, status: 204}], %s}}", other);
    compare(first.data, second.data);
}

static const struct rtn_config_key_change *key(size_t i)
{
    cr_assert_lt(i, diff.servers[0].key_count);
    return &diff.servers[0].keys[i];
}

/* The entry of a list by its text. */
static const struct rtn_config_entry_change *entry(const char *list, const char *text)
{
    for (size_t i = 0; i < diff.servers[0].entry_count; i++) {
        const struct rtn_config_entry_change *found = &diff.servers[0].entries[i];
        if (strcmp(found->list, list) == 0 && strcmp(found->text, text) == 0)
            return found;
    }
    cr_assert_fail("no %s %s", list, text);
    return NULL;
}

/* Rows */

static void look_at_key(const struct rtn_schema_key *schema, const char *path, unsigned depth, void *data)
{
    static const char server[] = "servers.NAME.";
    static const char daemon[] = "daemon.";
    unsigned *looked_at = data;
    (void) depth;
    if (schema->type == RTN_SCHEMA_MAP || schema->type == RTN_SCHEMA_NAMED)
        return;
    ++*looked_at;
    if (strncmp(path, server, strlen(server)) == 0)
        cr_expect_geq(rtn_config_change_of_server(path + strlen(server)), 0, "config_diff_rows.c has no row for %s",
                      path);
    else
        cr_expect_geq(rtn_config_change_of_daemon(path + strlen(daemon)), 0, "config_diff_rows.c has no row for %s",
                      path);
    cr_expect_not_null(rtn_config_when_changed(path), "%s", path);
}

Test(config_diff, every_key_has_a_row)
{
    unsigned looked_at = 0;
    rtn_schema_visit(&rtn_config_root_table, look_at_key, &looked_at);
    cr_expect_gt(looked_at, 80);
}

Test(config_diff, a_key_without_a_row_is_found)
{
    cr_expect_eq(rtn_config_change_of_server("thread"), -1);
    cr_expect_eq(rtn_config_change_of_server("threads2"), -1);
    cr_expect_eq(rtn_config_change_of_server("limits.bodies"), -1);
    cr_expect_eq(rtn_config_change_of_daemon("threads"), -1);
    cr_expect_eq(rtn_config_change_of_server("routes.limits.body"), RTN_CHANGE_ROUTES);
}

/* Servers */

Test(config_diff, what_is_written_otherwise_is_unchanged)
{
    compare("servers: {a: {listen: 1, limits: {body: 1MiB}, routes: [{path: /, module: m, options: {x: 1, y: [2]}}]}}",
            "# moved\nservers:\n  a:\n    limits: {body: 1024KiB}\n    listen: [1]\n"
            "    routes: [{options: {y: [2], x: 1}, module: m, path: /}]\n");
    cr_assert_eq(diff.server_count, 1);
    cr_expect_eq(diff.servers[0].change, RTN_CHANGE_NONE);
    cr_expect_eq(diff.servers[0].kinds, 0);
    cr_expect_eq(diff.servers[0].key_count, 0);
    cr_expect_eq(diff.daemon_count, 0);
}

Test(config_diff, values_are_tuned)
{
    compare_server("threads: 8, limits: {body: 1MiB}", "threads: 16, limits: {body: 2MiB}, header_fields: [host]");
    cr_expect_eq(diff.servers[0].change, RTN_CHANGE_TUNE);
    cr_expect_eq(diff.servers[0].kinds, RTN_CHANGE_BIT(RTN_CHANGE_TUNE));
    cr_assert_eq(diff.servers[0].key_count, 3); /* active_threads only follows */
    cr_expect_str_eq(key(0)->key, "threads");
    cr_expect_str_eq(key(0)->before, "8");
    cr_expect_str_eq(key(0)->after, "16");
    cr_expect_str_eq(key(1)->key, "header_fields");
    cr_expect_str_eq(key(1)->before, "all");
    cr_expect_str_eq(key(1)->after, "[host]");
    cr_expect_str_eq(key(2)->key, "limits.body");
    cr_expect_str_eq(key(2)->before, "1MiB");
    cr_expect_str_eq(key(2)->after, "2MiB");
}

Test(config_diff, a_level_of_the_daemon_is_one_of_its_servers)
{
    compare("daemon: {log: {level: info}}\nservers: {a: {listen: 1, routes: [{path: /, status: 204}]}}",
            "daemon: {log: {level: debug}}\nservers: {a: {listen: 1, routes: [{path: /, status: 204}]}}");
    cr_expect_eq(diff.servers[0].kinds, RTN_CHANGE_BIT(RTN_CHANGE_TUNE));
    cr_expect_str_eq(key(0)->key, "log_level");
    cr_assert_eq(diff.daemon_count, 1);
    cr_expect_str_eq(diff.daemon[0].key, "log.level");
    cr_expect_eq(diff.daemon[0].change, RTN_CHANGE_TUNE);
}

Test(config_diff, loops_protocol_and_no_threads_restart)
{
    static const char *const pairs[][2] = { { "loops: 1", "loops: 2" },
                                            { "threads: 0", "threads: 1" },
                                            { "threads: 4", "threads: 0" } };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(pairs); i++) {
        compare_server(pairs[i][0], pairs[i][1]);
        cr_expect_eq(diff.servers[0].change, RTN_CHANGE_RESTART, "%s", pairs[i][1]);
        rtn_config_diff_done(&diff);
        rtn_config_free(after);
        rtn_config_free(config);
    }
    compare("servers: {a: {listen: 1, routes: [{path: /, status: 204}]}}",
            "servers: {a: {listen: 1, protocol: line, modules: [{module: chat}]}}");
    cr_expect_eq(diff.servers[0].change, RTN_CHANGE_RESTART);
    cr_expect_str_eq(key(0)->key, "protocol");
    cr_expect_str_eq(key(0)->before, "http");
    cr_expect_str_eq(key(0)->after, "line");
}

Test(config_diff, servers_come_and_go)
{
    compare("servers: {a: {listen: 1, routes: [{path: /, status: 204}]}, b: {listen: 2, routes: [{path: /, status: "
            "204}]}}",
            "servers: {c: {listen: 3, routes: [{path: /, status: 204}]}, a: {listen: 1, routes: [{path: /, status: "
            "204}]}}");
    cr_assert_eq(diff.server_count, 3);
    cr_expect_str_eq(diff.servers[0].server, "c");
    cr_expect_eq(diff.servers[0].change, RTN_CHANGE_ADD);
    cr_expect_null(diff.servers[0].before);
    cr_expect_str_eq(diff.servers[1].server, "a");
    cr_expect_eq(diff.servers[1].change, RTN_CHANGE_NONE);
    cr_expect_str_eq(diff.servers[2].server, "b");
    cr_expect_eq(diff.servers[2].change, RTN_CHANGE_REMOVE);
    cr_expect_null(diff.servers[2].after);
}

/* Entries of lists */

Test(config_diff, routes_by_path_host_and_methods)
{
    compare("servers: {a: {listen: 1, routes: [{path: /a, status: 204}, {path: /b, module: m, options: {x: 1}},\n"
            "  {path: /c, status: 204}, {path: /d, host: h.org, module: m}]}}",
            "servers: {a: {listen: 1, routes: [{path: /e, status: 204}, {path: /c, status: 204},\n"
            "  {path: /b, module: m, options: {x: 2}, limits: {body: 1B}}, {path: /d, host: i.org, module: m}]}}");
    cr_expect_eq(diff.servers[0].kinds, RTN_CHANGE_BIT(RTN_CHANGE_ROUTES));
    cr_expect_null(key(0)->before);
    cr_expect_eq(entry("routes", "/a")->change, RTN_ENTRY_REMOVED);
    cr_expect_eq(entry("routes", "/b")->change, RTN_ENTRY_CHANGED);
    cr_expect_eq(entry("routes", "/c")->change, RTN_ENTRY_KEPT);
    cr_expect_eq(entry("routes", "h.org/d")->change, RTN_ENTRY_REMOVED);
    cr_expect_eq(entry("routes", "i.org/d")->change, RTN_ENTRY_ADDED);
    cr_expect_eq(entry("routes", "/e")->change, RTN_ENTRY_ADDED);
}

Test(config_diff, a_changed_entry_names_its_keys)
{
    compare("servers: {a: {listen: 1, routes: [{path: /b, module: m, options: {x: 1}}]}}",
            "servers: {a: {listen: 1, routes: [{path: /b, module: m, options: {x: 2}, limits: {body: 1KiB}, deflate: "
            "{}}]}}");
    cr_expect_str_eq(entry("routes", "/b")->keys, "options, limits.body, deflate");
}

Test(config_diff, a_switch_alone_is_a_change)
{
    compare("servers: {a: {listen: 1, routes: [{path: /b, module: m}]}}",
            "servers: {a: {listen: 1, routes: [{path: /b, module: m, deflate: {}}]}}");
    cr_expect_eq(diff.servers[0].change, RTN_CHANGE_ROUTES);
    cr_expect_str_eq(entry("routes", "/b")->keys, "deflate");
}

Test(config_diff, addresses_come_go_and_stay)
{
    compare("servers: {a: {listen: [1, 127.0.0.1:2, {address: \"unix:/a\", mode: 600}], routes: [{path: /, status: "
            "204}]}}",
            "servers: {a: {listen: [3, 1, {address: \"unix:/a\", mode: 660}], routes: [{path: /, status: 204}]}}");
    cr_expect_eq(diff.servers[0].change, RTN_CHANGE_LISTEN);
    cr_expect_eq(entry("listen", "1")->change, RTN_ENTRY_KEPT);
    cr_expect_eq(entry("listen", "3")->change, RTN_ENTRY_ADDED);
    cr_expect_eq(entry("listen", "127.0.0.1:2")->change, RTN_ENTRY_REMOVED);
    cr_expect_eq(entry("listen", "unix:/a")->change, RTN_ENTRY_CHANGED);
    cr_expect_str_eq(entry("listen", "unix:/a")->keys, "mode");
}

Test(config_diff, clients_and_modules)
{
    compare("servers: {a: {clients: [{url: \"ws://h/a?secret\", module: m}], modules: [{module: m}, {module: m}]}}",
            "servers: {a: {clients: [{url: \"ws://h/a?secret\", module: n}], modules: [{module: m}]}}");
    cr_expect_eq(diff.servers[0].change, RTN_CHANGE_ROUTES);
    cr_expect_eq(entry("clients", "ws://h/a")->change, RTN_ENTRY_CHANGED);
    cr_expect_str_eq(entry("clients", "ws://h/a")->keys, "module");
    cr_expect_eq(entry("modules", "m")->change, RTN_ENTRY_KEPT);
    cr_expect_eq(diff.servers[0].entries[2].change, RTN_ENTRY_REMOVED);
}

/* The daemon */

Test(config_diff, what_only_a_restart_of_the_daemon_changes)
{
    compare("daemon: {shutdown_timeout: 1s}\nservers: {a: {listen: 1, routes: [{path: /, status: 204}]}}",
            "daemon: {shutdown_timeout: 2s, log: {to: stderr, format: json}, control: /x, media_types: {a: a/b}}\n"
            "servers: {a: {listen: 1, routes: [{path: /, status: 204}]}}");
    cr_expect_eq(diff.servers[0].change, RTN_CHANGE_NONE);
    cr_assert_eq(diff.daemon_count, 5);
    for (size_t i = 0; i < diff.daemon_count; i++) {
        const char *name = diff.daemon[i].key;
        bool live = strcmp(name, "shutdown_timeout") == 0 || strcmp(name, "media_types") == 0;
        cr_expect_eq(diff.daemon[i].change, live ? RTN_CHANGE_TUNE : RTN_CHANGE_RESTART, "%s", name);
    }
}

Test(config_diff, one_address_in_two_spellings)
{
    static const char *const same[][2] = { { "8080", "8080" },
                                           { "127.0.0.1:80", "127.0.0.1:080" },
                                           { "127.0.0.1:0", "127.0.0.1:0" },
                                           { "[::1]:80", "[0:0::1]:80" } };
    static const char *const others[][2] = { { "8080", "8081" },
                                             { "127.0.0.1:80", "80" },
                                             { "unix:/a", "unix:/b" },
                                             { "unix:@a", "unix:a" },
                                             { "stdio", "80" } };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(same); i++)
        cr_expect(rtn_config_is_same_address(same[i][0], same[i][1]), "%s", same[i][1]);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(others); i++)
        cr_expect_not(rtn_config_is_same_address(others[i][0], others[i][1]), "%s", others[i][1]);
    cr_expect(rtn_config_is_own_address("127.0.0.1:80"));
    cr_expect(rtn_config_is_own_address("unix:/a"));
    cr_expect_not(rtn_config_is_own_address("127.0.0.1:0"));
}
