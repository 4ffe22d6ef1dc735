/*
 * The servers of the daemon, all at once: each step is taken for every server before the next one begins, and all
 * problems of a step are reported together.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "config/config_address.h"
#include "daemon/control_socket.h"
#include "daemon/daemon_state.h"
#include "daemon/notify.h"
#include "net/resolver.h"

void rtn_daemon_servers_check_modules(struct rtn_daemon *daemon)
{
    const struct rtn_config *config = daemon->generation->config;
    const struct rtn_config_server *servers = config->servers.items;
    for (size_t i = 0; config->daemon.modules.count > 0 && i < config->servers.count; i++)
        rtn_program_check(&servers[i], daemon->generation, &daemon->diags);
}

static void on_server_closed(struct rtn_server *server, void *data)
{
    (void) data;
    rtn_log(RTN_LOG_INFO, "server \"%s\": accepts no more", server->config->name);
}

static void on_server_drained(struct rtn_server *server, void *data)
{
    rtn_log(RTN_LOG_INFO, "server \"%s\": all connections have ended", server->config->name);
    rtn_daemon_stop_drained(data, server);
}

static bool has_listener(const struct rtn_server *server, const struct rtn_listener *listener)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        if (server->listeners[i] == listener)
            return true;
    }
    return false;
}

/*
 * In a reload. No two servers of a configuration have the same address, so that whoever has it now gives it up. With
 * port 0 there may be several, of which a server is only given those that it had before it was restarted.
 */
static struct rtn_listener *find_listener(const struct rtn_server *server, const char *address, void *data)
{
    const struct rtn_daemon *daemon = data;
    for (size_t i = 0; i < daemon->run_count; i++) {
        const struct rtn_run *run = daemon->runs[i];
        if (run->state != RTN_RUN_SERVES || run->server == server)
            continue;
        if (!rtn_config_is_own_address(address) && strcmp(run->name, server->config->name) != 0)
            continue;
        for (size_t j = 0; j < run->server->listener_count; j++) {
            struct rtn_listener *listener = run->server->listeners[j];
            if (!has_listener(server, listener) && rtn_config_is_same_address(listener->address, address))
                return listener;
        }
    }
    return NULL;
}

/* What the modules of all servers send each other. */
static void wire(struct rtn_daemon *daemon)
{
    struct rtn_diags *diags = &daemon->diags;
    size_t errors = diags->errors;
    for (size_t i = 0; i < daemon->run_count; i++) {
        const struct rtn_server *server = daemon->runs[i]->server;
        rtn_program_wire(server->program, daemon->wiring, server->port, diags);
    }
    if (diags->errors == errors)
        rtn_wiring_check(daemon->wiring, diags);
    if (diags->errors == errors)
        rtn_wiring_commit(daemon->wiring);
}

bool rtn_daemon_servers_make(struct rtn_daemon *daemon)
{
    const struct rtn_schema_array *configs = &daemon->generation->config->servers;
    if (rtn_resolver_new(daemon->log, &daemon->log_level, &daemon->resolver) < 0 || rtn_hub_new(&daemon->hub) < 0 ||
        rtn_wiring_new(daemon->hub, &daemon->wiring) < 0)
        return false;
    daemon->host = (struct rtn_server_host){ .log = daemon->log,
                                             .log_level = &daemon->log_level,
                                             .writers = &daemon->writers,
                                             .hub = daemon->hub,
                                             .activation = &daemon->activation,
                                             .resolver = daemon->resolver,
                                             .mailbox = &daemon->mailbox,
                                             .find_listener = find_listener,
                                             .closed = on_server_closed,
                                             .drained = on_server_drained,
                                             .data = daemon };
    for (size_t i = 0; i < configs->count; i++) {
        const struct rtn_config_server *config = &((const struct rtn_config_server *) configs->items)[i];
        struct rtn_server *server = rtn_server_new(config, daemon->generation, &daemon->host, &daemon->diags);
        if (server != NULL) {
            daemon->runs[i]->server = server;
            (void) rtn_run_number_loops(daemon->runs[i], (unsigned) config->loops); /* the configuration was checked */
            server->first_loop = daemon->runs[i]->first_loop;
        } else if (daemon->diags.errors == 0)
            rtn_diags_error(&daemon->diags, rtn_schema_mark(config->node, NULL), "server \"%s\": memory is out",
                            config->name);
    }
    if (daemon->diags.errors == 0)
        wire(daemon);
    return rtn_daemon_report(daemon);
}

bool rtn_daemon_servers_listen(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        (void) rtn_server_open_log(daemon->runs[i]->server, &daemon->diags);
        (void) rtn_server_listen(daemon->runs[i]->server, &daemon->diags);
    }
    return rtn_daemon_report(daemon);
}

bool rtn_daemon_servers_check_listen(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->run_count; i++)
        rtn_server_listen_check(daemon->runs[i]->server, &daemon->diags);
    for (size_t i = 0; i < daemon->run_count && daemon->diags.count == 0; i++)
        rtn_server_listen_check_together(daemon->runs[i]->server, &daemon->diags);
    return rtn_daemon_report(daemon);
}

bool rtn_daemon_servers_ready(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->run_count; i++)
        (void) rtn_server_ready(daemon->runs[i]->server, &daemon->diags);
    return rtn_daemon_report(daemon);
}

/* First those that were not begun: messages wait for them, too. False when a thread does not come back. */
static bool end_all(struct rtn_daemon *daemon)
{
    bool clean = true;
    for (size_t i = daemon->run_count; i-- > 0;)
        clean = rtn_server_end(daemon->runs[i]->server, rtn_clock_ms() + RTN_DAEMON_STOP_MS) && clean;
    return clean;
}

bool rtn_daemon_servers_start(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->run_count; i++) /* all first: start hooks may send */
        rtn_hub_open(daemon->runs[i]->server->port);
    for (size_t i = 0; i < daemon->run_count; i++) {
        if (rtn_server_start(daemon->runs[i]->server) == 0)
            continue;
        daemon->left_behind = !end_all(daemon);
        return false;
    }
    return true;
}

void rtn_daemon_servers_open(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        daemon->runs[i]->state = RTN_RUN_SERVES;
        rtn_server_open(daemon->runs[i]->server);
    }
}

/* "a 127.0.0.1:80, b", of those in one of the states. */
static void name_servers(const struct rtn_daemon *daemon, enum rtn_run_state first, enum rtn_run_state last,
                         struct rtn_buf *out)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        const struct rtn_run *run = daemon->runs[i];
        if (run->state < first || run->state > last)
            continue;
        rtn_buf_printf(out, "%s%s", out->length > 0 ? ", " : "", run->name);
        for (size_t j = 0; j < run->server->listener_count; j++)
            rtn_buf_printf(out, " %s", run->server->listeners[j]->text);
    }
}

void rtn_daemon_servers_announce(struct rtn_daemon *daemon)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf names = { 0 };
    for (size_t i = 0; i < daemon->run_count; i++) {
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf line = { 0 };
        rtn_server_describe(daemon->runs[i]->server, &line);
        rtn_log(RTN_LOG_NOTICE, "%s", line.data);
    }
    name_servers(daemon, RTN_RUN_SERVES, RTN_RUN_SERVES, &names);
    rtn_notify("READY=1\nSTATUS=serving %s", names.data);
    rtn_log(RTN_LOG_NOTICE, "retinued %s is ready", RTN_VERSION);
}

void rtn_daemon_servers_tell(const struct rtn_daemon *daemon)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf serving = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf names = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf stopping = { 0 };
    name_servers(daemon, RTN_RUN_SERVES, RTN_RUN_SERVES, &serving);
    name_servers(daemon, RTN_RUN_DRAINS, RTN_RUN_LEFT, &names);
    if (names.length > 0)
        rtn_buf_printf(&stopping, "; stopping %s", names.data);
    if (daemon->generation->number > 1)
        rtn_buf_printf(&stopping, "; generation %u", daemon->generation->number);
    rtn_notify("STATUS=serving %s%s", serving.data, rtn_buf_str(&stopping).data);
}

void rtn_daemon_servers_listen_stop(struct rtn_daemon *daemon)
{
    rtn_control_socket_stop(daemon);
    for (size_t i = 0; i < daemon->run_count; i++) {
        if (daemon->runs[i]->server != NULL)
            rtn_server_listen_stop(daemon->runs[i]->server);
    }
}

void rtn_daemon_servers_free(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->run_count; i++)
        rtn_server_free(daemon->runs[i]->server);
}
