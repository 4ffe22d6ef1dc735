/*
 * The servers of the daemon, all at once: each step is taken for every server before the next one begins, and all
 * problems of a step are reported together.
 */
#include <stdlib.h>

#include "app/media.h"
#include "base/clock.h"
#include "daemon/daemon_state.h"
#include "daemon/notify.h"
#include "net/resolver.h"

void rtn_daemon_servers_check_modules(struct rtn_daemon *daemon)
{
    const struct rtn_schema_array *servers = &daemon->config->servers;
    if (daemon->config->daemon.modules.count == 0 ||
        rtn_modules_new(&daemon->config->daemon.modules, &daemon->modules) < 0)
        return;
    for (size_t i = 0; i < servers->count; i++)
        rtn_server_routes_check(&((const struct rtn_config_server *) servers->items)[i], daemon->modules,
                                &daemon->diags);
}

static void on_server_closed(struct rtn_server *server, void *data)
{
    (void) data;
    rtn_log(RTN_LOG_INFO, "server \"%s\": accepts no more", server->config->name);
}

static void on_server_drained(struct rtn_server *server, void *data)
{
    struct rtn_daemon *daemon = data;
    rtn_log(RTN_LOG_INFO, "server \"%s\": all connections have ended", server->config->name);
    if (--daemon->undrained == 0)
        ev_break(daemon->ev, EVBREAK_ALL);
}

bool rtn_daemon_servers_make(struct rtn_daemon *daemon)
{
    const struct rtn_schema_array *configs = &daemon->config->servers;
    if (rtn_modules_new(&daemon->config->daemon.modules, &daemon->modules) < 0)
        return false;
    daemon->media = rtn_media_new(daemon->config->daemon.media_types);
    if (daemon->media == NULL || rtn_resolver_new(daemon->log, &daemon->log_level, &daemon->resolver) < 0)
        return false;
    daemon->host = (struct rtn_server_host){ .log = daemon->log,
                                             .log_level = &daemon->log_level,
                                             .writers = &daemon->writers,
                                             .modules = daemon->modules,
                                             .media = daemon->media,
                                             .activation = &daemon->activation,
                                             .resolver = daemon->resolver,
                                             .mailbox = &daemon->mailbox,
                                             .closed = on_server_closed,
                                             .drained = on_server_drained,
                                             .data = daemon };
    daemon->servers = calloc(configs->count, sizeof(struct rtn_server *));
    if (daemon->servers == NULL)
        return false;
    unsigned loops = 0;
    for (size_t i = 0; i < configs->count; i++) {
        const struct rtn_config_server *config = &((const struct rtn_config_server *) configs->items)[i];
        struct rtn_server *server = rtn_server_new(config, &daemon->host, &daemon->diags);
        if (server != NULL) {
            server->first_loop = loops;
            loops += (unsigned) config->loops;
            daemon->servers[daemon->server_count++] = server;
        } else if (daemon->diags.errors == 0)
            rtn_diags_error(&daemon->diags, rtn_schema_mark(config->node, NULL), "server \"%s\": memory is out",
                            config->name);
    }
    return rtn_daemon_report(daemon);
}

bool rtn_daemon_servers_listen(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++)
        (void) rtn_server_listen(daemon->servers[i], &daemon->diags);
    return rtn_daemon_report(daemon);
}

bool rtn_daemon_servers_check_listen(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_listen_check(daemon->servers[i], &daemon->diags);
    for (size_t i = 0; i < daemon->server_count && daemon->diags.count == 0; i++)
        rtn_server_listen_check_together(daemon->servers[i], &daemon->diags);
    return rtn_daemon_report(daemon);
}

bool rtn_daemon_servers_ready(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++)
        (void) rtn_server_ready(daemon->servers[i], &daemon->diags);
    return rtn_daemon_report(daemon);
}

bool rtn_daemon_servers_start(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++) {
        if (rtn_server_start(daemon->servers[i]) == 0)
            continue;
        while (i-- > 0)
            (void) rtn_server_stop(daemon->servers[i], rtn_clock_ms() + RTN_DAEMON_STOP_MS);
        return false;
    }
    return true;
}

void rtn_daemon_servers_announce(struct rtn_daemon *daemon)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf names = { 0 };
    for (size_t i = 0; i < daemon->server_count; i++) {
        const struct rtn_server *server = daemon->servers[i];
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf line = { 0 };
        rtn_server_describe(server, &line);
        rtn_log(RTN_LOG_NOTICE, "%s", line.data);
        rtn_buf_printf(&names, "%s%s", i > 0 ? ", " : "", server->config->name);
        for (size_t j = 0; j < server->listener_count; j++)
            rtn_buf_printf(&names, " %s", server->listeners[j]->text);
    }
    rtn_notify("READY=1\nSTATUS=serving %s", names.data);
    rtn_log(RTN_LOG_NOTICE, "retinued %s is ready", RTN_VERSION);
}

bool rtn_daemon_servers_stop(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_listen_stop(daemon->servers[i]);
    int64_t deadline_ms = rtn_clock_ms() + RTN_DAEMON_STOP_MS;
    bool clean = true;
    for (size_t i = 0; i < daemon->server_count; i++)
        clean = rtn_server_stop(daemon->servers[i], deadline_ms) && clean;
    return clean;
}

void rtn_daemon_servers_free(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_free(daemon->servers[i]);
    free(daemon->servers);
}
