/* What main knows by itself: the process, and what servers are made of. */
#include "daemon/control_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/method.h"
#include "daemon/daemon_state.h"
#include "log/level.h"
#include "loop/stalls.h"
#include "stats/process.h"

const char *rtn_control_state(const struct rtn_run *run)
{
    static const char *const names[] = {
        [RTN_RUN_MADE] = "starting",   [RTN_RUN_SERVES] = "serving",  [RTN_RUN_DRAINS] = "draining",
        [RTN_RUN_ABORTED] = "closing", [RTN_RUN_DRAINED] = "drained", [RTN_RUN_FINISHES] = "finishing",
        [RTN_RUN_OVER] = "finishing",  [RTN_RUN_LEFT] = "stuck",      [RTN_RUN_ENDED] = "stopped",
    };
    return names[run->state];
}

bool rtn_control_find(struct rtn_control_call *call, struct rtn_run **ret)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf names = { 0 };
    const char *name = rtn_control_request_parameter(&call->request, "server");
    struct rtn_daemon *daemon = call->daemon;
    *ret = name != NULL ? rtn_daemon_find_run(daemon, name) : NULL;
    if (name == NULL || *ret != NULL)
        return true;
    for (size_t i = 0; i < daemon->run_count; i++)
        rtn_buf_printf(&names, "%s%s", i > 0 ? ", " : "", daemon->runs[i]->name);
    rtn_control_refuse(call, 404, "there is no server \"%s\"; there are: %s", name, rtn_buf_str(&names).data);
    return false;
}

static void answer(struct rtn_control_call *call, struct rtn_buf *text)
{
    rtn_buf_append_char(text, '\n');
    rtn_control_answer(call, 200, rtn_buf_str(text));
}

/* Status */

static void put_generation(struct rtn_json *json, const struct rtn_generation *generation)
{
    rtn_json_key(json, "generation");
    rtn_json_object(json);
    rtn_json_put_int(json, "current", generation->number);
    rtn_json_put_int(json, "alive", rtn_generation_count(generation));
    rtn_json_put_int(json, "oldest", rtn_generation_oldest(generation)->number);
    rtn_json_put_int(json, "loaded_ms", (int64_t) generation->made.tv_sec * 1000 + generation->made.tv_nsec / 1000000);
    rtn_json_end(json);
}

static void put_servers(struct rtn_json *json, const struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        rtn_json_object(json);
        rtn_json_put_text(json, "name", daemon->runs[i]->name);
        rtn_json_put_text(json, "state", rtn_control_state(daemon->runs[i]));
        rtn_json_end(json);
    }
}

void rtn_control_show_status(struct rtn_control_call *call)
{
    const struct rtn_daemon *daemon = call->daemon;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_json json = { .out = &text };
    struct rtn_stats_process process;
    rtn_stats_process_read(&process);
    rtn_json_object(&json);
    rtn_json_put_text(&json, "version", RTN_VERSION);
    rtn_json_put_int(&json, "pid", getpid());
    rtn_json_put_text(&json, "state", daemon->stopping ? "stopping" : "running");
    rtn_json_put_int(&json, "uptime_ms", rtn_clock_ms() - daemon->started_ms);
    rtn_json_put_int(&json, "cpu_ms", process.user_ms + process.system_ms);
    rtn_json_put_int(&json, "resident", process.resident);
    rtn_json_put_text(&json, "log_level", rtn_log_level_name((enum rtn_log_level) atomic_load(&daemon->log_level)));
    rtn_json_put_int(&json, "log_drops", (int64_t) rtn_log_drops(daemon->log));
    put_generation(&json, daemon->generation);
    rtn_json_key(&json, "servers");
    rtn_json_array(&json);
    put_servers(&json, daemon);
    rtn_json_end(&json);
    rtn_stalls_put(&json);
    rtn_json_end(&json);
    answer(call, &text);
}

/* Routes */

static const char *threads_name(enum rtn_threads threads)
{
    return threads == RTN_THREADS_LOOP ? "loop" : threads == RTN_THREADS_SERIAL ? "serial" : "parallel";
}

static void put_handler(struct rtn_json *json, const struct rtn_instance *instance)
{
    const char *name = instance->http != NULL   ? instance->http->name
                       : instance->ws != NULL   ? instance->ws->name
                       : instance->line != NULL ? instance->line->name
                                                : NULL;
    rtn_json_put_text(json, "module", instance->loaded->module.name);
    rtn_json_put_text(json, "handler", name);
    rtn_json_put_text(json, "kind",
                      instance->http != NULL && instance->ws != NULL ? "http, websocket"
                      : instance->http != NULL                       ? "http"
                      : instance->ws != NULL                         ? "websocket"
                      : instance->line != NULL                       ? "line"
                                                                     : NULL);
    rtn_json_put_text(json, "threads", threads_name(instance->threads));
}

static void put_route(struct rtn_json *json, const char *server, const struct rtn_route *route)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf methods = { 0 };
    rtn_method_list(route->methods, &methods);
    rtn_json_object(json);
    rtn_json_put_text(json, "server", server);
    rtn_json_put_text(json, "host", route->host);
    rtn_json_put_text(json, "path", route->path);
    rtn_json_key(json, "methods");
    rtn_json_str(json, rtn_buf_str(&methods));
    if (route->instance != NULL)
        put_handler(json, route->instance);
    if (route->status != 0)
        rtn_json_put_int(json, "status", route->status);
    if (route->redirect != NULL)
        rtn_json_put_text(json, "redirect", route->redirect);
    rtn_json_end(json);
}

static void put_routes(struct rtn_json *json, const struct rtn_run *run)
{
    const struct rtn_program *program = run->server != NULL ? run->server->program : NULL;
    for (size_t i = 0; program != NULL && i < program->route_count; i++)
        put_route(json, run->name, &program->routes[i]);
}

void rtn_control_show_routes(struct rtn_control_call *call)
{
    struct rtn_run *only;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_json json = { .out = &text };
    if (!rtn_control_find(call, &only))
        return;
    rtn_json_object(&json);
    rtn_json_key(&json, "routes");
    rtn_json_array(&json);
    for (size_t i = 0; i < call->daemon->run_count; i++) {
        if (only == NULL || only == call->daemon->runs[i])
            put_routes(&json, call->daemon->runs[i]);
    }
    rtn_json_end(&json);
    rtn_json_end(&json);
    answer(call, &text);
}

/* Modules */

/* Each loaded file, with the instances of it that are in force. */
struct listing {
    const struct rtn_daemon *daemon;
    struct rtn_json *json;
    const struct rtn_loaded **seen;
    size_t count;
};

static size_t count_instances(const struct rtn_daemon *daemon)
{
    size_t count = 0;
    for (size_t i = 0; i < daemon->run_count; i++)
        count += daemon->runs[i]->server != NULL ? daemon->runs[i]->server->program->instance_count : 0;
    return count;
}

static bool is_new(struct listing *listing, const struct rtn_loaded *loaded)
{
    for (size_t i = 0; i < listing->count; i++) {
        if (listing->seen[i] == loaded)
            return false;
    }
    listing->seen[listing->count++] = loaded;
    return true;
}

static void put_instances(const struct listing *listing, const struct rtn_loaded *loaded)
{
    rtn_json_key(listing->json, "instances");
    rtn_json_array(listing->json);
    for (size_t i = 0; i < listing->daemon->run_count; i++) {
        const struct rtn_run *run = listing->daemon->runs[i];
        const struct rtn_program *program = run->server != NULL ? run->server->program : NULL;
        for (size_t j = 0; program != NULL && j < program->instance_count; j++) {
            const struct rtn_instance *instance = program->instances[j];
            if (instance->loaded != loaded)
                continue;
            rtn_json_object(listing->json);
            rtn_json_put_text(listing->json, "server", run->name);
            rtn_json_put_text(listing->json, "place", instance->place.text);
            rtn_json_put_text(listing->json, "threads", threads_name(instance->threads));
            rtn_json_put_int(listing->json, "generation", instance->generation->number);
            rtn_json_end(listing->json);
        }
    }
    rtn_json_end(listing->json);
}

static void put_module(const struct listing *listing, const struct rtn_loaded *loaded)
{
    rtn_json_object(listing->json);
    rtn_json_put_text(listing->json, "name", loaded->module.name);
    rtn_json_put_text(listing->json, "version", loaded->module.version);
    rtn_json_put_text(listing->json, "summary", loaded->module.summary);
    rtn_json_put_text(listing->json, "path", loaded->path);
    rtn_json_put_int(listing->json, "api_level", loaded->api_level);
    put_instances(listing, loaded);
    rtn_json_end(listing->json);
}

static void put_modules(struct listing *listing)
{
    for (size_t i = 0; i < listing->daemon->run_count; i++) {
        const struct rtn_run *run = listing->daemon->runs[i];
        const struct rtn_program *program = run->server != NULL ? run->server->program : NULL;
        for (size_t j = 0; program != NULL && j < program->instance_count; j++) {
            const struct rtn_loaded *loaded = program->instances[j]->loaded;
            if (is_new(listing, loaded))
                put_module(listing, loaded);
        }
    }
}

void rtn_control_show_modules(struct rtn_control_call *call)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_json json = { .out = &text };
    struct listing listing = { .daemon = call->daemon, .json = &json };
    listing.seen = calloc(count_instances(call->daemon) + 1, sizeof(struct rtn_loaded *));
    if (listing.seen == NULL) {
        rtn_control_refuse(call, 500, "memory is out");
        return;
    }
    rtn_json_object(&json);
    rtn_json_key(&json, "modules");
    rtn_json_array(&json);
    put_modules(&listing);
    rtn_json_end(&json);
    rtn_json_end(&json);
    free(listing.seen);
    answer(call, &text);
}

/* Messages */

void rtn_control_show_messages(struct rtn_control_call *call)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_json json = { .out = &text };
    rtn_json_object(&json);
    rtn_json_key(&json, "messages");
    rtn_wiring_json(call->daemon->wiring, &json);
    rtn_json_end(&json);
    answer(call, &text);
}
