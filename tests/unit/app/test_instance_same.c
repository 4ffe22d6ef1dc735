/* Which instances live on with another configuration: each row says what was, what is, and whether that is one. */
#include "app/instance.h"
#include "generation_support.h"

struct row {
    const char *name;
    const char *before; /* the server, YAML */
    const char *after; /* NULL: as before */
    bool same;
};

#define ROUTE(keys) "a: {listen: 127.0.0.1:1, routes: [{path: /x, module: serial" keys "}]}"
#define OPTIONS(options) \
    "a: {listen: 127.0.0.1:1, routes: [{path: /x, module: options, options: {string: kept" options "}}]}"
#define SERVER(keys) "a: {listen: 127.0.0.1:1, " keys ", routes: [{path: /x, module: lifecycle, handler: loop}]}"
#define CLIENT(url, keys) "a: {clients: [{url: \"ws://127.0.0.1:" url "\", module: ws_only" keys "}]}"
#define USE(uses) "a: {protocol: worker, modules: [" uses "]}"

static const struct row rows[] = {
    { "nothing", ROUTE(""), NULL, true },
    { "no options are none", ROUTE(", options: {}"), ROUTE(""), true },
    { "options", OPTIONS(", number: 3"), OPTIONS(", number: 4"), false },
    { "an option more", OPTIONS(", number: 3"), OPTIONS(", number: 3, flag: true"), false },
    { "an option less", OPTIONS(", number: 3"), OPTIONS(""), false },
    { "order of options", OPTIONS(", number: 3, flag: true"), OPTIONS(", flag: true, number: 3"), true },
    { "order in a list", OPTIONS(", strings: [a, b]"), OPTIONS(", strings: [b, a]"), false },
    { "length of a list", OPTIONS(", strings: [a, b]"), OPTIONS(", strings: [a, b, c]"), false },
    { "a list and a scalar", OPTIONS(", strings: [a]"), OPTIONS(", strings: a"), false },
    { "the environment", OPTIONS(", empty: \"${RTN_TEST_SAME:-x}\""), OPTIONS(", empty: \"x\""), true },
    { "path", ROUTE(""), "a: {listen: 127.0.0.1:1, routes: [{path: /y, module: serial}]}", false },
    { "host", ROUTE(", host: a.example"), ROUTE(", host: b.example"), false },
    { "a host more", ROUTE(""), ROUTE(", host: b.example"), false },
    { "methods", ROUTE(", methods: GET"), ROUTE(", methods: [GET, POST]"), false },
    { "module", ROUTE(""), "a: {listen: 127.0.0.1:1, routes: [{path: /x, module: ws_only}]}", false },
    { "the same handler by its name", ROUTE(""), ROUTE(", handler: serial"), true },
    { "handler", SERVER("queue: 1"),
      "a: {listen: 127.0.0.1:1, routes: [{path: /x, module: lifecycle, handler: worker}]}", false },
    { "limits of the route", ROUTE(""), ROUTE(", limits: {body: 5B}, timeouts: {handler: 1s}"), true },
    { "what a server tunes", SERVER("queue: 1, threads: 2"), SERVER("queue: 2, threads: 3, limits: {body: 5B}"), true },
    { "addresses", "a: {listen: 127.0.0.1:1, routes: [{path: /x, module: serial}]}",
      "a: {listen: 127.0.0.1:2, routes: [{path: /x, module: serial}]}", true },
    { "no workers any more", SERVER("threads: 1"), SERVER("threads: 0"), false },
    { "another server", ROUTE(""), "b: {listen: 127.0.0.1:1, routes: [{path: /x, module: serial}]}", false },
    { "url", CLIENT("5", ""), CLIENT("6", ""), false },
    { "what a client tunes", CLIENT("5", ""), CLIENT("5", ", reconnect: 1s, limits: {message: 5B}"), true },
    { "an entry", USE("{module: hook_only}"), NULL, true },
    { "options of an entry", USE("{module: hub_kinds, handler: all}"),
      USE("{module: hub_kinds, handler: all, options: {word: y}}"), false },
    { "another entry before it", USE("{module: hook_only}"), USE("{module: message_only}, {module: hook_only}"), true },
};

static void stop(void)
{
    rtn_diags_done(&diags);
}

TestSuite(instance_same, .fini = stop);

/* The last row of the server, of whatever kind. */
static struct rtn_instance *make_last(struct rtn_generation *generation, const struct rtn_instance_offer *offer)
{
    const struct rtn_config_server *server = server_of(generation, 0);
    const struct rtn_config_route *routes = server->routes.items;
    const struct rtn_config_client *clients = server->clients.items;
    const struct rtn_config_use *uses = server->modules.items;
    struct rtn_instance *instance = NULL;
    if (server->routes.count > 0)
        instance = rtn_instance_new(generation, server, &routes[server->routes.count - 1], offer, &diags);
    else if (server->clients.count > 0)
        instance = rtn_instance_new_client(generation, server, &clients[server->clients.count - 1], offer, &diags);
    else
        instance = rtn_instance_new_use(generation, server, &uses[server->modules.count - 1], offer, &diags);
    return instance;
}

static void check(const struct row *row)
{
    struct rtn_generation *first = generation_after(NULL, TEST_MODULES, row->before);
    struct rtn_instance *before = make_last(first, NULL);
    cr_assert_not_null(before, "%s: %s", row->name, problems());
    struct rtn_generation *second =
        generation_after(first, TEST_MODULES, row->after != NULL ? row->after : row->before);
    bool taken = false;
    const struct rtn_instance_offer offer = { .items = &before, .taken = &taken, .count = 1 };
    struct rtn_instance *after = make_last(second, &offer);
    cr_assert_not_null(after, "%s: %s", row->name, problems());
    cr_expect_eq(after == before, row->same, "%s", row->name);
    cr_expect_eq(taken, row->same, "%s", row->name);
    cr_expect_eq(after->generation == first, row->same, "%s", row->name);
    rtn_instance_unref(after);
    rtn_instance_unref(before);
    rtn_generation_unref(second);
    rtn_generation_unref(first);
}

Test(instance_same, rows)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(rows); i++)
        check(&rows[i]);
}

Test(instance_same, one_is_taken_once)
{
    struct rtn_generation *first = generation_after(NULL, TEST_MODULES, ROUTE(""));
    struct rtn_generation *second = generation_after(first, TEST_MODULES, ROUTE(""));
    struct rtn_instance *before = make_last(first, NULL);
    bool taken = false;
    const struct rtn_instance_offer offer = { .items = &before, .taken = &taken, .count = 1 };
    struct rtn_instance *one = make_last(second, &offer);
    struct rtn_instance *other = make_last(second, &offer);
    cr_expect_eq(one, before);
    cr_expect_neq(other, before);
    rtn_instance_unref(one);
    rtn_instance_unref(other);
    rtn_instance_unref(before);
    rtn_generation_unref(second);
    rtn_generation_unref(first);
}

/* What is wrong with the new configuration is told, though nothing of it concerns the instance. */
Test(instance_same, one_is_not_taken_for_a_row_that_is_wrong)
{
    struct rtn_generation *first = generation_after(NULL, TEST_MODULES, ROUTE(""));
    struct rtn_generation *second = generation_after(first, TEST_MODULES, ROUTE(", request_body: streamed"));
    struct rtn_instance *before = make_last(first, NULL);
    bool taken = false;
    const struct rtn_instance_offer offer = { .items = &before, .taken = &taken, .count = 1 };
    cr_expect_null(make_last(second, &offer));
    cr_expect_not_null(strstr(problems(), "does not take the body in pieces"), "%s", problems());
    cr_expect_not(taken);
    rtn_instance_unref(before);
    rtn_generation_unref(second);
    rtn_generation_unref(first);
}

/* The generation that made it stays, and its module. */
Test(instance_same, one_that_is_taken_keeps_what_it_was_made_of)
{
    struct rtn_generation *first = generation_after(NULL, TEST_MODULES, OPTIONS(""));
    struct rtn_generation *second = generation_after(first, TEST_MODULES, OPTIONS(""));
    struct rtn_instance *before = make_last(first, NULL);
    bool taken = false;
    const struct rtn_instance_offer offer = { .items = &before, .taken = &taken, .count = 1 };
    struct rtn_instance *after = make_last(second, &offer);
    cr_assert_eq(after, before);
    rtn_generation_supersede(first, second);
    rtn_instance_unref(before);
    rtn_generation_unref(first);
    cr_expect_eq(rtn_generation_count(second), 2);
    cr_expect_str_eq(rtn_node_get(after->place.options, "string")->text.data, "kept");
    cr_expect_str_eq(after->loaded->module.name, "options");
    rtn_instance_unref(after);
    cr_expect_eq(rtn_generation_count(second), 1);
    rtn_generation_unref(second);
}
