/*
 * The addresses of a server, and the access log: what has to be there before the daemon is ready, and what -n tries.
 * Problems are told at the line of the configuration that names the address.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/server_loop.h"

static const struct rtn_config_listen *listen_config(const struct rtn_server *server, size_t index)
{
    return &((const struct rtn_config_listen *) server->config->listen.items)[index];
}

mode_t rtn_server_listen_mode(const struct rtn_config_listen *listen)
{
    return listen->mode != NULL ? (mode_t) strtoul(listen->mode, NULL, 8) : RTN_LISTENER_DEFAULT_MODE;
}

static void add_listen_diag(const struct rtn_server *server, size_t index, enum rtn_severity severity,
                            const struct rtn_buf *reason, struct rtn_diags *diags)
{
    rtn_diags_add(diags, severity, rtn_schema_mark(listen_config(server, index)->node, "address"), "server \"%s\": %s",
                  server->config->name, reason->data);
}

int rtn_server_open_log(struct rtn_server *server, struct rtn_diags *diags)
{
    const struct rtn_server_host *host = server->host;
    return rtn_program_open(server->program, host->writers, host->log, host->log_level, diags);
}

/* One without a socket: the connection is made when the server opens. */
static int open_stdio(struct rtn_listener **ret)
{
    struct rtn_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL)
        return -ENOMEM;
    listener->references = 1;
    listener->text = strdup("stdio");
    listener->address = strdup("stdio");
    if (listener->text == NULL || listener->address == NULL) {
        rtn_listener_close(listener);
        return -ENOMEM;
    }
    *ret = listener;
    return 0;
}

static int open_listener(const struct rtn_config_listen *listen, unsigned loops, struct rtn_activation *activation,
                         struct rtn_listener **ret, struct rtn_buf *error)
{
    int r;
    if (!rtn_server_is_stdio(listen))
        return rtn_listener_open(listen->address, rtn_server_listen_mode(listen), loops, activation, ret, error);
    r = open_stdio(ret);
    if (r < 0)
        rtn_buf_append_text(error, "cannot listen on stdio: memory is out");
    return r;
}

static struct rtn_listener *find_other(const struct rtn_server *server, const char *address)
{
    const struct rtn_server_host *host = server->host;
    return host->find_listener != NULL ? host->find_listener(server, address, host->data) : NULL;
}

struct rtn_listener *rtn_server_open_listener(const struct rtn_server *server, const struct rtn_config_server *config,
                                              size_t index, struct rtn_diags *diags)
{
    const struct rtn_config_listen *listen = &((const struct rtn_config_listen *) config->listen.items)[index];
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf error = { 0 };
    struct rtn_listener *listener = find_other(server, listen->address);
    if (listener != NULL)
        return rtn_listener_ref(listener);
    int r = open_listener(listen, (unsigned) config->loops, server->host->activation, &listener, &error);
    if (r == 0)
        return listener;
    rtn_diags_error(diags, rtn_schema_mark(listen->node, "address"), "server \"%s\": %s", config->name, error.data);
    return NULL;
}

int rtn_server_listen(struct rtn_server *server, struct rtn_diags *diags)
{
    int result = 0;
    for (size_t i = 0; i < server->config->listen.count; i++) {
        struct rtn_listener *listener = rtn_server_open_listener(server, server->config, i, diags);
        if (listener != NULL)
            server->listeners[server->listener_count++] = listener;
        else
            result = -EINVAL;
    }
    return result;
}

void rtn_server_listen_check(const struct rtn_server *server, struct rtn_diags *diags)
{
    (void) rtn_program_open_check(server->program, diags);
    for (size_t i = 0; i < server->config->listen.count; i++) {
        const struct rtn_config_listen *listen = listen_config(server, i);
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf error = { 0 };
        int r = rtn_server_is_stdio(listen) ? 0 : rtn_listener_check(listen->address, &error);
        if (r < 0)
            add_listen_diag(server, i, r == -EADDRINUSE ? RTN_SEVERITY_WARNING : RTN_SEVERITY_ERROR, &error, diags);
    }
}

static bool comes_from_service_manager(const char *address)
{
    struct rtn_addr addr;
    return rtn_addr_parse(address, &addr) == 0 && addr.kind == RTN_ADDR_SYSTEMD;
}

void rtn_server_listen_check_together(struct rtn_server *server, struct rtn_diags *diags)
{
    for (size_t i = 0; i < server->config->listen.count; i++) {
        const struct rtn_config_listen *listen = listen_config(server, i);
        RTN_CLEANUP(rtn_buf_done) struct rtn_buf error = { 0 };
        if (comes_from_service_manager(listen->address))
            continue;
        int r = open_listener(listen, 1, NULL, &server->listeners[server->listener_count], &error);
        if (r == 0)
            server->listener_count++;
        else
            add_listen_diag(server, i, RTN_SEVERITY_ERROR, &error, diags);
    }
}

void rtn_server_listen_stop(struct rtn_server *server)
{
    for (size_t i = 0; i < server->listener_count; i++)
        rtn_listener_stop(server->listeners[i]);
}
