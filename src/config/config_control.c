/*
 * `control` of the daemon: the unix socket that retinuectl talks to. Read like any other path, but `none` is a word;
 * and what no socket can have is found before there is one.
 */
#include <sys/un.h>

#include "config/config_address.h"
#include "config/config_tables.h"
#include "config/memory.h"

static const char none[] = "none";

bool rtn_config_check_control(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const size_t most = sizeof(((struct sockaddr_un *) NULL)->sun_path) - 1;
    const char **path = value;

    if (strcmp(*path, none) == 0)
        return true;
    if ((*path)[0] == '\0')
        return rtn_schema_error(context, node->mark, "\"control\" must not be an empty path; write none for no socket");
    if (rtn_str_starts_with(rtn_str_of(*path), RTN_STR("unix:")))
        return rtn_schema_error(context, node->mark, "\"control\" is a path; leave out unix:");
    const char *absolute = rtn_schema_absolute(*path, &node->mark, context->arena);
    if (absolute == NULL)
        return rtn_schema_error(context, node->mark,
                                "\"control\" is a relative path, but the working folder cannot be read; write it "
                                "absolute");
    if (strlen(absolute) > most)
        return rtn_schema_error(context, node->mark, "\"control\" is a path of %zu bytes; sockets may have %zu",
                                strlen(absolute), most);
    *path = absolute;
    return true;
}

const char *rtn_config_control_path(const struct rtn_config *config)
{
    const char *path = config->daemon.control;

    if (path == NULL)
        return RTN_CONFIG_CONTROL;
    return strcmp(path, none) != 0 ? path : NULL;
}

void rtn_config_check_control_alone(const struct rtn_config *config, struct rtn_diags *diags)
{
    const char *path = config->daemon.control;
    struct rtn_arena arena;

    if (path == NULL || strcmp(path, none) == 0)
        return;
    rtn_arena_init(&arena, NULL, 0);
    const char *claim = rtn_config_printf(&arena, "unix:%s", path);
    for (size_t i = 0; i < config->servers.count; i++) {
        const struct rtn_config_server *server = (const struct rtn_config_server *) config->servers.items + i;
        for (size_t j = 0; j < server->listen.count; j++) {
            const struct rtn_config_listen *listen = (const struct rtn_config_listen *) server->listen.items + j;
            struct rtn_config_address address = { 0 };
            if (listen->address == NULL || rtn_config_address_read(listen->address, &arena, &address) != NULL ||
                address.claims[0] == NULL || strcmp(address.claims[0], claim) != 0)
                continue;
            rtn_diags_error(diags, rtn_schema_mark(listen->node, "address"),
                            "server \"%s\": listen \"%s\": that is the control socket of the daemon", server->name,
                            listen->address);
            rtn_diags_note(diags, rtn_schema_mark(config->daemon.node, "control"), "which is named here");
        }
    }
    rtn_arena_done(&arena);
}
