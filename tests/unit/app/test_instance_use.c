/* Instances of `modules`, and handlers of messages at every place: what is chosen, and what is refused. */
#include <errno.h>

#include "instance_support.h"

TestSuite(instance_use, .init = start, .fini = stop);

#define WORKER "protocol: worker"
#define LINE "protocol: line, listen: 127.0.0.1:5050"
#define HTTP "listen: 127.0.0.1:5050, routes: [{path: /, status: 404}]"

/* The instance of the one entry `use` of `modules`, line 5, on a server with the keys `keys` (both YAML flow). */
static void make_use(const char *keys, const char *use)
{
    FILE *file = open_config();
    (void) fprintf(file, "daemon: {modules: [%s]}\nservers:\n  get: {%s, modules: [\n    # here\n      %s]}\n",
                   TEST_MODULES, keys, use);
    const struct rtn_config_server *server = load_server(file);
    instance = rtn_instance_new_use(generation, server, server->modules.items, NULL, &diags);
    render();
}

/* Handlers as "http ws line messages", each its name or -. */
static void expect_chosen(const char *words)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf chosen = { 0 };
    cr_assert_not_null(instance, "%s", rtn_buf_str(&text).data);
    rtn_buf_printf(&chosen, "%s %s %s %s", instance->http != NULL ? instance->http->name : "-",
                   instance->ws != NULL ? instance->ws->name : "-", instance->line != NULL ? instance->line->name : "-",
                   instance->messages != NULL ? instance->messages->handler.name : "-");
    cr_expect_str_eq(chosen.data, words);
}

/* Entries of `modules`. */

Test(instance_use, a_line_server_takes_lines_and_messages)
{
    make_use(LINE, "{module: hub_kinds, handler: all}");
    expect_chosen("- - all all");
    cr_expect_eq(instance->threads, RTN_THREADS_SERIAL);
    cr_expect_str_eq(instance->place.kind, "module");
    cr_expect_str_eq(instance->place.path, "");
    cr_expect_str_eq(instance->place.text, "module \"hub_kinds\"");
    cr_expect_str_eq(instance->label.who, "module \"hub_kinds\"", "named twice");
    cr_expect_null(instance->route);
    cr_expect_null(instance->client);
    cr_expect_eq(instance->use, instance->server->modules.items);
    cr_expect_eq(instance->methods, 0);
}

Test(instance_use, other_servers_take_messages_only)
{
    make_use(WORKER, "{module: hub_kinds, handler: all}");
    expect_chosen("- - - all");
}

Test(instance_use, an_http_server_takes_messages_only)
{
    make_use(HTTP, "{module: hub_kinds, handler: all}");
    expect_chosen("- - - all");
}

Test(instance_use, a_name_of_one_kind_chooses_just_that)
{
    make_use(LINE, "{module: hub_kinds, handler: lines}");
    expect_chosen("- - lines -");
    cr_expect_eq(instance->threads, RTN_THREADS_LOOP);
    cr_expect_not(rtn_instance_needs_workers(instance));
}

Test(instance_use, messages_alone_on_a_line_server)
{
    make_use(LINE, "{module: hub_kinds, handler: jobs}");
    expect_chosen("- - - jobs");
    cr_assert_eq(instance->messages->row_count, 2);
    cr_expect_str_eq(instance->messages->rows[0].type->name, "kinds_job");
}

Test(instance_use, the_only_one_needs_no_name)
{
    make_use(WORKER, "{module: message_only}");
    expect_chosen("- - - only");
}

Test(instance_use, the_only_line_handler_needs_no_name)
{
    make_use(LINE, "{module: line_only}");
    expect_chosen("- - only -");
}

Test(instance_use, a_start_hook_is_enough)
{
    make_use(WORKER, "{module: hook_only}");
    expect_chosen("- - - -");
    cr_expect_eq(instance->threads, RTN_THREADS_PARALLEL);
    cr_expect(rtn_instance_needs_workers(instance));
}

/* It has two HTTP handlers, which matter to nobody here. */
Test(instance_use, a_start_hook_is_enough_beside_handlers_of_other_kinds)
{
    make_use(WORKER, "{module: lifecycle}");
    expect_chosen("- - - -");
}

Test(instance_use, several_handlers)
{
    make_use(WORKER, "{module: hub_kinds}");
    expect_errors(1);
    expect_error(":5:16: error: server \"get\": module \"hub_kinds\" has several message handlers; add handler: with "
                 "one of all, jobs\n");
}

Test(instance_use, several_handlers_on_a_line_server)
{
    make_use(LINE, "{module: hub_kinds}");
    expect_errors(1);
    expect_error("module \"hub_kinds\" has several line or message handlers; add handler: with one of all, lines, "
                 "jobs\n");
}

Test(instance_use, unknown_handler_with_suggestion)
{
    make_use(LINE, "{module: hub_kinds, handler: line}");
    expect_errors(1);
    expect_error(":5:36: error: server \"get\": module \"hub_kinds\" has no line or message handler \"line\"; did you "
                 "mean \"lines\"?\n");
}

Test(instance_use, a_handler_of_another_kind_is_unknown)
{
    make_use(WORKER, "{module: hub_kinds, handler: socket}");
    expect_errors(1);
    expect_error("module \"hub_kinds\" has no message handler \"socket\"; it has all, jobs\n");
}

Test(instance_use, a_name_for_a_module_that_has_hooks_only)
{
    make_use(WORKER, "{module: hook_only, handler: jobs}");
    expect_errors(1);
    expect_error(":5:36: error: server \"get\": module \"hook_only\" has no message handler \"jobs\"\n");
}

Test(instance_use, nothing_for_a_worker)
{
    make_use(WORKER, "{module: serial}");
    expect_errors(1);
    expect_error(
        ":5:16: error: server \"get\": module \"serial\" has nothing for this place: no message handler and no "
        "start hook\n");
}

Test(instance_use, nothing_for_a_line_server)
{
    make_use(LINE, "{module: serial}");
    expect_errors(1);
    expect_error(
        "module \"serial\" has nothing for this place: no line handler, no message handler and no start hook\n");
}

Test(instance_use, a_line_handler_on_a_server_without_lines)
{
    make_use(HTTP, "{module: line_only}");
    expect_errors(1);
    expect_error(
        "module \"line_only\" has nothing for this place: no message handler and no start hook; a line handler "
        "needs \"protocol: line\"\n");
}

Test(instance_use, a_line_handler_on_a_server_without_workers)
{
    make_use(LINE ", threads: 0", "{module: hub_kinds, handler: all}");
    expect_errors(1);
    expect_error(":5:36: error: server \"get\": handler \"all\" of module \"hub_kinds\" runs on workers (serial), but "
                 "this server has none (threads: 0)\n");
}

Test(instance_use, hooks_on_a_server_without_workers)
{
    make_use(WORKER ", threads: 0", "{module: hook_only}");
    expect_errors(1);
    expect_error(":5:16: error: server \"get\": module \"hook_only\" runs on workers (parallel), but this server has "
                 "none (threads: 0)\n");
}

Test(instance_use, a_loop_handler_on_a_server_without_workers)
{
    make_use(LINE ", threads: 0", "{module: hub_kinds, handler: lines}");
    expect_chosen("- - lines -");
}

Test(instance_use, wrong_options)
{
    make_use(WORKER, "{module: hub_kinds, handler: jobs, options: {wrod: x}}");
    expect_errors(1);
    expect_error("server \"get\": module \"hub_kinds\": options: unknown key \"wrod\"; did you mean \"word\"?\n");
}

Test(instance_use, options_for_a_module_without_any)
{
    make_use(WORKER, "{module: message_only, options: {word: x}}");
    expect_errors(1);
    expect_error("server \"get\": module \"message_only\" has no options\n");
}

Test(instance_use, configure_reports_at_the_option)
{
    make_use(WORKER, "{module: hub_kinds, handler: jobs, options: {word: bad}}");
    expect_errors(1);
    expect_error(":5:58: error: server \"get\": module \"hub_kinds\": option \"word\": bad is not for \"\"\n");
}

Test(instance_use, ready_reports_at_the_module)
{
    make_use(WORKER, "{module: hub_kinds, handler: jobs, options: {word: late}}");
    expect_chosen("- - - jobs");
    cr_expect_eq(rtn_instance_ready(instance, &diags), -EINVAL);
    rtn_buf_clear(&text);
    render();
    expect_error(":5:16: error: server \"get\": module \"hub_kinds\": it is too late\n");
}

Test(instance_use, a_module_that_is_missing)
{
    make_use(WORKER, "{module: nonesuch}");
    expect_errors(1);
    expect_error(":5:16: error: module \"nonesuch\": no nonesuch.so in " TEST_MODULES);
}

/* Messages on routes and clients. */

Test(instance_use, a_route_takes_messages_too)
{
    make("{path: /, module: hub_kinds, handler: all}");
    expect_chosen("all all - all");
    cr_expect_eq(instance->threads, RTN_THREADS_SERIAL);
    cr_expect_null(instance->use);
}

Test(instance_use, a_route_without_messages_runs_as_its_own_handlers)
{
    make("{path: /, module: hub_kinds, handler: plain}");
    expect_chosen("plain - - -");
    cr_expect_eq(instance->threads, RTN_THREADS_LOOP);
}

/* A line handler does not matter on a route, not even by its threads. */
Test(instance_use, names_of_lines_are_unknown_on_a_route)
{
    make("{path: /, module: hub_kinds, handler: lines}");
    expect_errors(1);
    expect_error("module \"hub_kinds\" has no handler \"lines\"; it has all, plain, socket\n");
}

Test(instance_use, names_for_a_route_are_those_of_requests)
{
    make("{path: /, module: hub_kinds}");
    expect_errors(1);
    expect_error("module \"hub_kinds\" has several handlers; add handler: with one of all, plain, socket\n");
}

Test(instance_use, a_name_of_messages_only_on_a_route)
{
    make("{path: /, module: hub_kinds, handler: jobs}");
    expect_errors(1);
    expect_error(":7:47: error: server \"get\": route \"/\": handler \"jobs\" of module \"hub_kinds\" takes messages "
                 "only; it belongs under \"modules\" of the server\n");
}

Test(instance_use, a_module_of_messages_only_on_a_route)
{
    make("{path: /, module: message_only}");
    expect_errors(1);
    expect_error(
        ":7:27: error: server \"get\": route \"/\": module \"message_only\" has no HTTP or WebSocket handler; it "
        "belongs under \"modules\" of the server\n");
}

Test(instance_use, a_module_of_hooks_only_on_a_route)
{
    make("{path: /, module: hook_only}");
    expect_errors(1);
    expect_error("module \"hook_only\" has no HTTP or WebSocket handler; it belongs under \"modules\" of the server\n");
}

Test(instance_use, a_module_of_lines_only_on_a_route)
{
    make("{path: /, module: line_only}");
    expect_errors(1);
    expect_error("route \"/\": module \"line_only\" has no HTTP or WebSocket handler\n");
}

Test(instance_use, a_message_handler_on_a_server_without_workers)
{
    make_on("    threads: 0\n", "{path: /, module: hub_kinds, handler: all}");
    expect_errors(1);
    expect_error("handler \"all\" of module \"hub_kinds\" runs on workers (serial), but this server has none");
}

Test(instance_use, a_client_takes_messages_too)
{
    make_client("{url: \"ws://h/\", module: hub_kinds, handler: all}");
    expect_chosen("- all - all");
}

Test(instance_use, a_client_needs_a_websocket_handler)
{
    make_client("{url: \"ws://h/\", module: hub_kinds, handler: jobs}");
    expect_errors(1);
    expect_error("handler \"jobs\" of module \"hub_kinds\" takes messages only; it belongs under \"modules\" of the "
                 "server\n");
}

Test(instance_use, names_for_a_client_are_those_of_websocket)
{
    make_client("{url: \"ws://h/\", module: hub_kinds}");
    expect_errors(1);
    expect_error("module \"hub_kinds\" has several WebSocket handlers; add handler: with one of all, socket\n");
}

Test(instance_use, a_module_of_messages_only_for_a_client)
{
    make_client("{url: \"ws://h/\", module: message_only}");
    expect_errors(1);
    expect_error("module \"message_only\" has no WebSocket handler; it belongs under \"modules\" of the server\n");
}
