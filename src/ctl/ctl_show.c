/* The commands that show what the daemon is made of: each asks once, and prints a table, or what the daemon has said.
 */
#include "base/macros.h"
#include "ctl/ctl.h"
#include "ctl/ctl_answer.h"
#include "ctl/ctl_format.h"

#define METHODS_MOST 6 /* with more, only the first */
#define METHODS_SHOWN 3

/* Status */

static void append_generation(const json_t *generation, const json_t *status, struct rtn_buf *out)
{
    (void) status;
    long long alive = rtn_ctl_int(generation, "alive");
    rtn_buf_printf(out, "generation  %lld", (long long) rtn_ctl_int(generation, "current"));
    if (alive > 1)
        rtn_buf_printf(out, "; %lld are in use, the oldest is %lld", alive,
                       (long long) rtn_ctl_int(generation, "oldest"));
    rtn_buf_append_char(out, '\n');
}

static void append_servers(const json_t *servers, struct rtn_buf *out)
{
    const json_t *server;
    rtn_buf_append_text(out, "servers     ");
    for (size_t i = 0; (server = json_array_get(servers, i)) != NULL; i++)
        rtn_buf_printf(out, "%s%s %s", i > 0 ? ", " : "", rtn_ctl_text(server, "name"), rtn_ctl_text(server, "state"));
    rtn_buf_append_char(out, '\n');
}

static void append_stuck(const json_t *stuck, struct rtn_buf *out)
{
    const json_t *row;
    char time[RTN_CTL_FORMAT_MAX];
    for (size_t i = 0; (row = json_array_get(stuck, i)) != NULL; i++)
        rtn_buf_printf(out, "%-12s%s: %s, for %s\n", i == 0 ? "stuck" : "", rtn_ctl_text(row, "thread"),
                       rtn_ctl_text(row, "handler"), rtn_ctl_age(time, rtn_ctl_int(row, "ms")));
}

int rtn_ctl_status(const struct rtn_ctl *ctl)
{
    struct rtn_ctl_reply reply;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    char age[RTN_CTL_FORMAT_MAX];
    char memory[RTN_CTL_FORMAT_MAX];
    char cpu[RTN_CTL_FORMAT_MAX];
    int status;
    if (!rtn_ctl_answer_get(ctl, "/status", &reply, &status))
        return status;
    const json_t *answer = reply.json;
    const char *state = rtn_ctl_text(answer, "state");
    rtn_buf_printf(&text, "retinued %s, process %lld, %s%s for %s\n", rtn_ctl_text(answer, "version"),
                   (long long) rtn_ctl_int(answer, "pid"), state, strcmp(state, "running") == 0 ? "" : ", up",
                   rtn_ctl_age(age, rtn_ctl_int(answer, "uptime_ms")));
    append_generation(json_object_get(answer, "generation"), answer, &text);
    append_servers(rtn_ctl_array(answer, "servers"), &text);
    rtn_buf_printf(&text, "memory      %s; processor time %s\n", rtn_ctl_bytes(memory, rtn_ctl_int(answer, "resident")),
                   rtn_ctl_age(cpu, rtn_ctl_int(answer, "cpu_ms")));
    rtn_buf_printf(&text, "log         %s; %lld lines lost\n", rtn_ctl_text(answer, "log_level"),
                   (long long) rtn_ctl_int(answer, "log_drops"));
    append_stuck(rtn_ctl_array(answer, "stuck"), &text);
    rtn_ctl_reply_done(&reply);
    return rtn_ctl_answer_print(&text);
}

/* Servers */

static int print_names(struct rtn_ctl_reply *reply)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    const json_t *server;
    for (size_t i = 0; (server = json_array_get(rtn_ctl_array(reply->json, "servers"), i)) != NULL; i++)
        rtn_buf_printf(&text, "%s\n", rtn_ctl_text(server, "name"));
    rtn_ctl_reply_done(reply);
    return rtn_ctl_answer_print(&text);
}

/* Those that run now, of those there may be; beside them those that others work in place of: "2/2+1 stuck". */
static void add_workers(struct rtn_ctl_table *table, const json_t *workers)
{
    if (!json_is_object(workers)) {
        rtn_ctl_table_add(table, "-");
        rtn_ctl_table_add(table, "-");
        return;
    }
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf busy = { 0 };
    const int64_t stuck = rtn_ctl_int(workers, "stuck");
    rtn_buf_printf(&busy, "%lld/%lld", (long long) (rtn_ctl_int(workers, "running") - stuck),
                   (long long) rtn_ctl_int(workers, "most"));
    if (stuck > 0)
        rtn_buf_printf(&busy, "+%lld stuck", (long long) stuck);
    rtn_ctl_table_add(table, "%s", rtn_buf_str(&busy).data);
    rtn_ctl_table_add(table, "%lld", (long long) rtn_ctl_int(workers, "queued"));
}

static void add_server(struct rtn_ctl_table *table, const json_t *server)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf listen = { 0 };
    rtn_ctl_append_joined(rtn_ctl_array(server, "listen"), " ", &listen);
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(server, "name"));
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(server, "state"));
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(server, "protocol"));
    rtn_ctl_table_add(table, "%s", rtn_buf_str(&listen).data);
    rtn_ctl_table_add(table, "%lld", (long long) rtn_ctl_int(server, "connections"));
    add_workers(table, json_object_get(server, "workers"));
    rtn_ctl_table_add(table, "%lld", (long long) rtn_ctl_int(json_object_get(server, "hub"), "waiting"));
    rtn_ctl_table_add(table, "%lld", (long long) rtn_ctl_int(server, "generation"));
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(server, "log_level"));
}

int rtn_ctl_servers(const struct rtn_ctl *ctl)
{
    static const struct rtn_ctl_column columns[] = {
        { .title = "SERVER", .cut = true },
        { .title = "STATE", .paint = rtn_ctl_paint_state },
        { .title = "PROTOCOL" },
        { .title = "LISTEN", .cut = true },
        { .title = "CONN", .right = true },
        { .title = "BUSY", .right = true },
        { .title = "QUEUE", .right = true, .paint = rtn_ctl_paint_count },
        { .title = "HUB", .right = true, .paint = rtn_ctl_paint_count },
        { .title = "GEN", .right = true },
        { .title = "LOG", .paint = rtn_ctl_paint_state },
    };
    struct rtn_ctl_table table = RTN_CTL_TABLE(columns);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf behind = { 0 };
    struct rtn_ctl_reply reply;
    const json_t *server;
    int status;
    if (ctl->names) {
        status = rtn_ctl_ask(ctl, false, "/status", &reply);
        return status == RTN_CTL_OK ? print_names(&reply) : status;
    }
    if (!rtn_ctl_answer_get(ctl, "/servers", &reply, &status))
        return status;
    for (size_t i = 0; (server = json_array_get(rtn_ctl_array(reply.json, "servers"), i)) != NULL; i++)
        add_server(&table, server);
    rtn_ctl_append_silent(reply.json, "connections", &behind);
    return rtn_ctl_answer_finish(ctl, &table, &reply, rtn_buf_str(&behind).data);
}

/* Routes */

static void append_answer(const json_t *route, struct rtn_buf *out)
{
    const char *module = rtn_ctl_text(route, "module");
    const char *handler = rtn_ctl_text(route, "handler");
    const char *redirect = rtn_ctl_text(route, "redirect");
    if (module[0] == '\0' && redirect[0] == '\0')
        rtn_buf_printf(out, "status %lld", (long long) rtn_ctl_int(route, "status"));
    else if (module[0] == '\0')
        rtn_buf_printf(out, "%lld to %s", (long long) rtn_ctl_int(route, "status"), redirect);
    else if (strcmp(module, handler) == 0 || handler[0] == '\0')
        rtn_buf_append_text(out, module);
    else
        rtn_buf_printf(out, "%s: %s", module, handler);
}

/* Many handlers take all methods that there are: that would be most of the table. */
static void add_methods(struct rtn_ctl_table *table, const char *methods)
{
    const char *shown = NULL;
    size_t count = 1;
    for (const char *comma = strchr(methods, ','); comma != NULL; comma = strchr(comma + 1, ',')) {
        if (count == METHODS_SHOWN)
            shown = comma;
        count++;
    }
    if (count > METHODS_MOST)
        rtn_ctl_table_add(table, "%.*s, %zu more", (int) (shown - methods), methods, count - METHODS_SHOWN);
    else
        rtn_ctl_table_add(table, "%s", methods);
}

static void add_route(struct rtn_ctl_table *table, const json_t *route)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf answer = { 0 };
    append_answer(route, &answer);
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(route, "server"));
    rtn_ctl_table_add(table, "%s%s", rtn_ctl_text(route, "host"), rtn_ctl_text(route, "path"));
    add_methods(table, rtn_ctl_text(route, "methods"));
    rtn_ctl_table_add(table, "%s", answer.data);
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(route, "kind"));
    rtn_ctl_table_add(table, "%s", rtn_ctl_text(route, "threads"));
}

int rtn_ctl_routes(const struct rtn_ctl *ctl)
{
    static const struct rtn_ctl_column columns[] = {
        { .title = "SERVER", .cut = true },      { .title = "ROUTE", .cut = true }, { .title = "METHODS", .cut = true },
        { .title = "ANSWERED BY", .cut = true }, { .title = "KIND", .cut = true },  { .title = "THREADS" },
    };
    struct rtn_ctl_table table = RTN_CTL_TABLE(columns);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf target = { 0 };
    struct rtn_ctl_reply reply;
    const json_t *route;
    int status;
    rtn_ctl_answer_target(ctl, "/routes", &target);
    if (!rtn_ctl_answer_get(ctl, target.data, &reply, &status))
        return status;
    for (size_t i = 0; (route = json_array_get(rtn_ctl_array(reply.json, "routes"), i)) != NULL; i++)
        add_route(&table, route);
    return rtn_ctl_answer_finish(ctl, &table, &reply, "");
}

/* Modules */

static void add_module(struct rtn_ctl_table *table, const json_t *module)
{
    const json_t *instance;
    for (size_t i = 0; (instance = json_array_get(rtn_ctl_array(module, "instances"), i)) != NULL; i++) {
        rtn_ctl_table_add(table, "%s", rtn_ctl_text(module, "name"));
        rtn_ctl_table_add(table, "%s", rtn_ctl_text(module, "version"));
        rtn_ctl_table_add(table, "%lld", (long long) rtn_ctl_int(module, "api_level"));
        rtn_ctl_table_add(table, "%lld", (long long) rtn_ctl_int(instance, "generation"));
        rtn_ctl_table_add(table, "%s", rtn_ctl_text(instance, "server"));
        rtn_ctl_table_add(table, "%s", rtn_ctl_text(instance, "place"));
        rtn_ctl_table_add(table, "%s", rtn_ctl_text(module, "path"));
    }
}

int rtn_ctl_modules(const struct rtn_ctl *ctl)
{
    static const struct rtn_ctl_column columns[] = {
        { .title = "MODULE", .cut = true },
        { .title = "VERSION" },
        { .title = "API", .right = true },
        { .title = "GEN", .right = true },
        { .title = "SERVER", .cut = true },
        { .title = "PLACE", .cut = true },
        { .title = "FILE", .cut = true, .front = true },
    };
    struct rtn_ctl_table table = RTN_CTL_TABLE(columns);
    struct rtn_ctl_reply reply;
    const json_t *module;
    int status;
    if (!rtn_ctl_answer_get(ctl, "/modules", &reply, &status))
        return status;
    for (size_t i = 0; (module = json_array_get(rtn_ctl_array(reply.json, "modules"), i)) != NULL; i++)
        add_module(&table, module);
    return rtn_ctl_answer_finish(ctl, &table, &reply, "");
}
