/*
 * The life of a named server, as main drives it. Everything that can fail because of the configuration happens
 * before the first thread is started; from start on, only the system or a module's hook can fail.
 */
#include "server/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/inbox.h"
#include "app/step.h"
#include "app/stopping.h"
#include "server/server_swap_internal.h"

#define WORKER_RETIRE_MS 30000

struct rtn_clients_limits rtn_server_clients_limits(const struct rtn_config_server *config)
{
    return (struct rtn_clients_limits){ .connections = (unsigned) config->limits.connections_per_client,
                                        .rate = (unsigned) config->limits.requests_per_second,
                                        .burst = (unsigned) config->limits.request_burst };
}

/* There without limits, too, since they may come. */
static int make_clients(struct rtn_server *server)
{
    const struct rtn_clients_limits limits = rtn_server_clients_limits(server->config);
    return rtn_clients_new(&limits, &server->clients);
}

static int start_worker_thread(void *data)
{
    struct rtn_server *server = data;
    rtn_stopping_enter(&server->stopping);
    int r = rtn_step_worker_begin();
    if (r < 0)
        return r;
    r = rtn_cast_follow(&server->swap->cast);
    if (r < 0)
        rtn_step_worker_end();
    return r;
}

static void stop_worker_thread(void *data)
{
    struct rtn_server *server = data;
    rtn_cast_leave(&server->swap->cast);
    rtn_step_worker_end();
}

static int refresh_worker_thread(void *data)
{
    struct rtn_server *server = data;
    return rtn_cast_follow(&server->swap->cast);
}

/* Where no handler needs it, its first thread is made when a module gives it something to do. */
static int make_pool(struct rtn_server *server)
{
    if (server->config->threads == 0)
        return 0;
    const struct rtn_pool_options options = { .server = server->name,
                                              .threads = (unsigned) server->config->threads,
                                              .active = (unsigned) server->config->active_threads,
                                              .queue = (unsigned) server->config->queue,
                                              .stuck = (unsigned) server->config->stuck_threads,
                                              .watched = &server->stalls.watched,
                                              .retire_ms = WORKER_RETIRE_MS,
                                              .log = server->host->log,
                                              .log_level = &server->log_level,
                                              .thread_start = start_worker_thread,
                                              .thread_stop = stop_worker_thread,
                                              .thread_refresh = refresh_worker_thread,
                                              .refreshed = rtn_server_worker_refreshed,
                                              .data = server };
    return rtn_pool_new(&options, &server->pool);
}

static void on_closed(struct rtn_mail *mail)
{
    struct rtn_server *server = RTN_CONTAINER_OF(mail, struct rtn_server, closed_mail);
    rtn_server_listen_stop(server);
    server->host->closed(server, server->host->data);
}

static void on_drained(struct rtn_mail *mail)
{
    struct rtn_server *server = RTN_CONTAINER_OF(mail, struct rtn_server, drained_mail);
    server->host->drained(server, server->host->data);
}

/* To have main look: see rtn_server_is_finished(). */
static void on_finished(struct rtn_mail *mail)
{
    (void) mail;
}

static struct rtn_server *server_alloc(const struct rtn_config_server *config)
{
    struct rtn_server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        return NULL;
    server->loops = calloc((size_t) config->loops, sizeof(*server->loops));
    server->listeners = calloc(config->listen.count + 1, sizeof(struct rtn_listener *));
    if (server->loops != NULL && server->listeners != NULL)
        return server;
    free(server->loops);
    free(server->listeners);
    free(server);
    return NULL;
}

static void register_instances(struct rtn_server *server)
{
    for (size_t i = 0; i < server->program->instance_count; i++)
        rtn_instances_add(&server->instances, server->program->instances[i]);
}

struct rtn_server *rtn_server_new(const struct rtn_config_server *config, struct rtn_generation *generation,
                                  const struct rtn_server_host *host, struct rtn_diags *diags)
{
    struct rtn_server *server = server_alloc(config);
    if (server == NULL)
        return NULL;
    server->config = config;
    server->host = host;
    atomic_init(&server->log_level, config->log_level);
    server->closed_mail.deliver = on_closed;
    server->drained_mail.deliver = on_drained;
    server->finished_mail.deliver = on_finished;
    sem_init(&server->finished, 0, 0);
    rtn_instances_init(&server->instances);
    rtn_list_init(&server->terms);
    server->program = rtn_program_new(config, generation, NULL, diags);
    server->port =
        rtn_hub_add_port(host->hub, config->name, (unsigned) config->hub_capacity, rtn_inbox_deliver, rtn_inbox_drop);
    server->name = server->port != NULL ? server->port->server : config->name;
    if (server->port != NULL && server->program != NULL && rtn_server_swap_new(server) == 0 &&
        rtn_server_media_set(server, generation->media) == 0 && make_clients(server) == 0 && make_pool(server) == 0) {
        register_instances(server);
        rtn_server_stall_tune(server);
        return server;
    }
    rtn_server_free(server);
    return NULL;
}

int rtn_server_ready(struct rtn_server *server, struct rtn_diags *diags)
{
    return rtn_program_ready(server->program, diags);
}

int rtn_server_start(struct rtn_server *server)
{
    int r = rtn_server_stats_begin(server);
    if (r == 0)
        r = rtn_server_swap_start(server);
    for (unsigned i = 0; i < (unsigned) server->config->loops && r == 0; i++) {
        r = rtn_server_loop_start(&server->loops[i], server, i);
        if (r == 0)
            server->loop_count = i + 1;
    }
    if (r == 0 && server->program->needs_workers)
        r = rtn_pool_start(server->pool);
    if (r == 0)
        return 0;
    rtn_log(RTN_LOG_ERROR, "server \"%s\" cannot start: %s", server->config->name, strerror(-r));
    return r;
}

void rtn_server_open(struct rtn_server *server)
{
    atomic_store(&server->accepting, server->loop_count);
    atomic_store(&server->undrained, server->loop_count);
    for (unsigned i = 0; i < server->loop_count; i++)
        rtn_loop_post(&server->loops[i].loop, &server->loops[i].open_mail);
}

void rtn_server_drain(struct rtn_server *server)
{
    rtn_stopping_begin_server(&server->stopping);
    rtn_loop_post(&server->loops[0].loop, &server->loops[0].drain_mail);
}

void rtn_server_abort(struct rtn_server *server)
{
    for (unsigned i = 0; i < server->loop_count; i++)
        rtn_loop_post(&server->loops[i].loop, &server->loops[i].abort_mail);
}

void rtn_server_free(struct rtn_server *server)
{
    if (server == NULL)
        return;
    for (size_t i = 0; i < server->listener_count; i++)
        rtn_listener_close(server->listeners[i]);
    rtn_server_stats_end(server);
    rtn_pool_free(server->pool);
    rtn_server_swap_free(server);
    rtn_program_free(server->program);
    rtn_instances_done(&server->instances);
    rtn_server_media_done(server);
    if (server->port != NULL)
        rtn_hub_end(server->port); /* one that did not start */
    rtn_clients_free(server->clients);
    sem_destroy(&server->finished);
    free(server->loops);
    free(server->listeners);
    free(server);
}

/* Each module once, in the order of the instances. */
static void describe_modules(const struct rtn_program *program, struct rtn_buf *out)
{
    for (size_t i = 0; i < program->instance_count; i++) {
        const struct rtn_loaded *loaded = program->instances[i]->loaded;
        bool seen = false;
        for (size_t j = 0; j < i && !seen; j++)
            seen = program->instances[j]->loaded == loaded;
        if (!seen)
            rtn_buf_printf(out, "%s %s", i > 0 ? "" : ", modules", loaded->module.name);
    }
}

/* http on 127.0.0.1:80, http without listeners, worker */
static void describe_protocol(const struct rtn_server *server, struct rtn_buf *out)
{
    static const char *const names[] = {
        [RTN_PROTOCOL_HTTP] = "http", [RTN_PROTOCOL_LINE] = "line", [RTN_PROTOCOL_WORKER] = "worker"
    };
    rtn_buf_append_text(out, names[server->config->protocol]);
    if (server->config->protocol == RTN_PROTOCOL_WORKER)
        return;
    rtn_buf_append_text(out, server->listener_count > 0 ? " on" : " without listeners");
    for (size_t i = 0; i < server->listener_count; i++)
        rtn_buf_printf(out, " %s", server->listeners[i]->text);
}

void rtn_server_describe(const struct rtn_server *server, struct rtn_buf *out)
{
    rtn_buf_printf(out, "server \"%s\": ", server->config->name);
    describe_protocol(server, out);
    rtn_buf_printf(out, ", loops %d, threads %d", (int) server->config->loops, (int) server->config->threads);
    if (server->config->protocol == RTN_PROTOCOL_HTTP)
        rtn_buf_printf(out, ", routes %zu", server->program->route_count);
    if (server->program->outgoing_count > 0)
        rtn_buf_printf(out, ", clients %zu", server->program->outgoing_count);
    describe_modules(server->program, out);
}

const char *rtn_server_name(const rtn_server *server)
{
    return server->name;
}
