/* What a server must have to be of use, which differs by its protocol. */
#include "config/config_tables.h"

/* A list that holds something, or a value that is none by mistake; or a key that was meant to be this one. */
static bool has_list(const struct rtn_node *node, const char *name)
{
    const struct rtn_node *list = rtn_node_get(node, name);

    if (list == NULL)
        return rtn_schema_is_meant(&rtn_config_server_table, node, name);
    return list->kind != RTN_NODE_LIST || list->count > 0;
}

/* With an empty list of listeners somebody has said that there are to be none. */
static void check_http(const struct rtn_config_server *server, const struct rtn_node *node,
                       const struct rtn_schema_context *context)
{
    const struct rtn_node_pair *routes = rtn_node_pair(node, "routes");

    (void) server;
    if (rtn_node_get(node, "listen") != NULL || has_list(node, "listen"))
        return;
    if (routes != NULL && has_list(node, "routes"))
        rtn_schema_error(context, routes->name_mark,
                         "\"routes\" need \"listen\"; write \"listen: []\" for a server that only serves sockets which "
                         "modules adopt");
    else if (!has_list(node, "clients") && !has_list(node, "modules"))
        rtn_schema_error(context, context->mark,
                         "has nothing to do: give \"listen\", \"clients\" or \"modules\"; \"listen: []\" is for a "
                         "server that only serves sockets which modules adopt");
}

static void need_list(const struct rtn_node *node, const char *name, const char *why,
                      const struct rtn_schema_context *context)
{
    const struct rtn_node_pair *pair = rtn_node_pair(node, name);

    if (!has_list(node, name))
        rtn_schema_error(context, pair != NULL ? pair->name_mark : context->mark, "\"%s\" is %s: %s", name,
                         pair != NULL ? "empty" : "missing", why);
}

static void check_line(const struct rtn_config_server *server, const struct rtn_node *node,
                       const struct rtn_schema_context *context)
{
    need_list(node, "listen", "a line server needs an address, or stdio", context);
    need_list(node, "modules", "a line server gives its lines to the handler of a module", context);
    for (size_t i = 0; server->loops > 1 && i < server->listen.count; i++) {
        const struct rtn_config_listen *listen = (const struct rtn_config_listen *) server->listen.items + i;
        if (listen->address != NULL && rtn_config_is_stdio(listen->address))
            rtn_schema_error(context, rtn_schema_mark(node, "loops"), "\"loops\" must be 1 on a server with stdio");
    }
}

static void check_worker(const struct rtn_config_server *server, const struct rtn_node *node,
                         const struct rtn_schema_context *context)
{
    if (!has_list(node, "modules") && !has_list(node, "clients"))
        rtn_schema_error(context, context->mark, "has nothing to do: a worker needs \"modules\" or \"clients\"");
    if (server->loops > 1)
        rtn_schema_error(context, rtn_schema_mark(node, "loops"), "\"loops\" must be 1 on a worker, not %lld",
                         (long long) server->loops);
}

void rtn_config_check_purpose(const struct rtn_config_server *server, const struct rtn_node *node,
                              const struct rtn_schema_context *context)
{
    static void (*const checks[])(const struct rtn_config_server *, const struct rtn_node *,
                                  const struct rtn_schema_context *) = {
        [RTN_PROTOCOL_HTTP] = check_http,
        [RTN_PROTOCOL_LINE] = check_line,
        [RTN_PROTOCOL_WORKER] = check_worker,
    };

    checks[server->protocol](server, node, context);
}
