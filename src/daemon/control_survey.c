/*
 * What loops are asked for: their connections. Main does not wait for them; the answer is made when all have been
 * heard, or without those that are stuck, which it names.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/json.h"
#include "daemon/control_show.h"
#include "daemon/daemon_state.h"
#include "log/level.h"
#include "server/server_survey.h"

#define PATIENCE_MS 1000 /* with loops */
#define LISTED 1000 /* connections, unless the client says otherwise */
#define MOST_LISTED 100000

/* -1: not known */
static void put_known(struct rtn_json *json, const char *key, int64_t value)
{
    rtn_json_key(json, key);
    if (value < 0)
        rtn_json_null(json);
    else
        rtn_json_int(json, value);
}

/* Names of the loops that have said nothing. */
static void put_silent(struct rtn_json *json, const struct rtn_survey_answer *answers, size_t count)
{
    rtn_json_key(json, "silent");
    rtn_json_array(json);
    for (size_t i = 0; i < count; i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf name = { 0 };
        if (answers[i].heard)
            continue;
        rtn_buf_printf(&name, "%s/loop-%u", answers[i].server, answers[i].loop);
        rtn_json_str(json, rtn_buf_str(&name));
    }
    rtn_json_end(json);
}

static void answer(struct rtn_control_call *call, struct rtn_json *json, const struct rtn_survey_answer *answers,
                   size_t count)
{
    put_silent(json, answers, count);
    rtn_json_end(json);
    rtn_buf_append_char(json->out, '\n');
    rtn_control_answer(call, 200, rtn_buf_str(json->out));
}

/* Asks the loops of one server, or of all that have some. */
static void ask(struct rtn_control_call *call, const struct rtn_run *only, unsigned most, rtn_survey_done done)
{
    struct rtn_daemon *daemon = call->daemon;
    struct rtn_server **servers = calloc(daemon->run_count + 1, sizeof(struct rtn_server *));
    size_t count = 0;
    int r = servers == NULL ? -ENOMEM : 0;
    for (size_t i = 0; r == 0 && i < daemon->run_count; i++) {
        const struct rtn_run *run = daemon->runs[i];
        if (run->server != NULL && (only == NULL || only == run))
            servers[count++] = run->server;
    }
    if (r == 0)
        r = rtn_server_survey(servers, count, most, daemon->ev, PATIENCE_MS, done, call);
    free(servers);
    if (r < 0)
        rtn_control_refuse(call, 500, "memory is out");
}

/* Servers */

static void put_pool(struct rtn_json *json, const struct rtn_server *server)
{
    struct rtn_pool_stats stats = { 0 };
    rtn_json_key(json, "workers");
    if (server->pool == NULL) {
        rtn_json_null(json);
        return;
    }
    rtn_pool_stats(server->pool, &stats);
    rtn_json_object(json);
    rtn_json_put_int(json, "threads", stats.threads);
    rtn_json_put_int(json, "most", server->config->threads);
    rtn_json_put_int(json, "running", stats.running);
    rtn_json_put_int(json, "stuck", stats.stuck); /* of those running; others work in their place */
    rtn_json_put_int(json, "blocked", stats.blocked);
    rtn_json_put_int(json, "queued", stats.queued);
    rtn_json_put_int(json, "queue", server->config->queue);
    rtn_json_end(json);
}

static void put_hub(struct rtn_json *json, const struct rtn_hub_port *port)
{
    rtn_json_key(json, "hub");
    rtn_json_object(json);
    rtn_json_put_int(json, "waiting", rtn_hub_waiting(port));
    rtn_json_put_int(json, "capacity", port->capacity);
    rtn_json_put_int(json, "refused", (int64_t) atomic_load(&port->refused));
    rtn_json_end(json);
}

static void put_listeners(struct rtn_json *json, const struct rtn_server *server)
{
    rtn_json_key(json, "listen");
    rtn_json_array(json);
    for (size_t i = 0; i < server->listener_count; i++)
        rtn_json_text(json, server->listeners[i]->text);
    rtn_json_end(json);
}

static void put_loops(struct rtn_json *json, const struct rtn_server *server, const struct rtn_survey_answer *answers,
                      size_t count)
{
    int64_t connections = 0;
    rtn_json_key(json, "loops");
    rtn_json_array(json);
    for (size_t i = 0; i < count; i++) {
        if (answers[i].of != server)
            continue;
        connections += answers[i].accepted + answers[i].outgoing;
        rtn_json_object(json);
        rtn_json_put_int(json, "loop", answers[i].loop);
        put_known(json, "accepted", answers[i].heard ? (int64_t) answers[i].accepted : -1);
        put_known(json, "outgoing", answers[i].heard ? (int64_t) answers[i].outgoing : -1);
        rtn_json_end(json);
    }
    rtn_json_end(json);
    rtn_json_put_int(json, "connections", connections); /* of loops that were heard */
}

static void put_details(struct rtn_json *json, const struct rtn_server *server)
{
    static const char *const protocols[] = {
        [RTN_PROTOCOL_HTTP] = "http", [RTN_PROTOCOL_LINE] = "line", [RTN_PROTOCOL_WORKER] = "worker"
    };
    rtn_json_put_text(json, "protocol", protocols[server->config->protocol]);
    put_listeners(json, server);
    rtn_json_put_text(json, "log_level", rtn_log_level_name((enum rtn_log_level) atomic_load(&server->log_level)));
    rtn_json_put_int(json, "generation", server->program->generation->number);
    rtn_json_put_int(json, "routes", (int64_t) server->program->route_count);
    put_pool(json, server);
    put_hub(json, server->port);
}

static void on_servers(const struct rtn_survey_answer *answers, size_t count, void *data)
{
    struct rtn_control_call *call = data;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_json json = { .out = &text };
    rtn_json_object(&json);
    rtn_json_key(&json, "servers");
    rtn_json_array(&json);
    for (size_t i = 0; i < call->daemon->run_count; i++) {
        const struct rtn_run *run = call->daemon->runs[i];
        rtn_json_object(&json);
        rtn_json_put_text(&json, "name", run->name);
        rtn_json_put_text(&json, "state", rtn_control_state(run));
        if (run->server != NULL)
            put_details(&json, run->server);
        put_loops(&json, run->server, answers, count);
        rtn_json_end(&json);
    }
    rtn_json_end(&json);
    answer(call, &json, answers, count);
}

void rtn_control_show_servers(struct rtn_control_call *call)
{
    ask(call, NULL, 0, on_servers);
}

/* Connections */

static void put_row(struct rtn_json *json, const char *server, unsigned loop, const struct rtn_survey_row *row)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf id = { 0 };
    rtn_buf_printf(&id, "%016llx", (unsigned long long) row->id); /* numbers in JSON end before it does */
    rtn_json_object(json);
    rtn_json_key(json, "id");
    rtn_json_str(json, rtn_buf_str(&id));
    rtn_json_put_text(json, "server", server);
    rtn_json_put_int(json, "loop", loop);
    rtn_json_put_text(json, "peer", row->peer);
    rtn_json_put_bool(json, "outgoing", row->outgoing);
    rtn_json_put_text(json, "protocol", row->protocol);
    rtn_json_put_text(json, "state", row->state);
    rtn_json_put_int(json, "age_ms", row->age_ms);
    rtn_json_put_text(json, "route", row->route[0] != '\0' ? row->route : NULL);
    put_known(json, "requests", row->requests);
    put_known(json, "backlog", row->backlog);
    put_known(json, "generation", row->generation);
    rtn_json_end(json);
}

static void on_connections(const struct rtn_survey_answer *answers, size_t count, void *data)
{
    struct rtn_control_call *call = data;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_json json = { .out = &text };
    int64_t total = 0;
    int64_t listed = 0;
    rtn_json_object(&json);
    rtn_json_key(&json, "connections");
    rtn_json_array(&json);
    for (size_t i = 0; i < count; i++) {
        total += answers[i].accepted + answers[i].outgoing;
        listed += (int64_t) answers[i].row_count;
        for (size_t j = 0; j < answers[i].row_count; j++)
            put_row(&json, answers[i].server, answers[i].loop, &answers[i].rows[j]);
    }
    rtn_json_end(&json);
    rtn_json_put_int(&json, "total", total);
    rtn_json_put_int(&json, "listed", listed);
    answer(call, &json, answers, count);
}

void rtn_control_show_connections(struct rtn_control_call *call)
{
    const char *text = rtn_control_request_parameter(&call->request, "limit");
    struct rtn_run *only;
    int64_t most = LISTED;
    if (!rtn_control_find(call, &only))
        return;
    if (text != NULL && (rtn_parse_int(rtn_str_of(text), &most) < 0 || most < 0 || most > MOST_LISTED))
        rtn_control_refuse(call, 400, "limit must be a number from 0 to %d", MOST_LISTED);
    else
        ask(call, only, (unsigned) most, on_connections);
}
