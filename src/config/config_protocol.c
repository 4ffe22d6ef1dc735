/*
 * Which keys are for which protocol. One table says it, for the check of what is given and for the dump, which leaves
 * out what has no meaning; keys that are not in it are for all. Keys below one that is refused are not looked at.
 */
#include "config/config_tables.h"
#include "config/memory.h"

#define HTTP (1U << RTN_PROTOCOL_HTTP)
#define LINE (1U << RTN_PROTOCOL_LINE)
#define ALL (~0U)

const struct rtn_schema_choice rtn_config_protocols[] = {
    { "http", RTN_PROTOCOL_HTTP },
    { "line", RTN_PROTOCOL_LINE },
    { "worker", RTN_PROTOCOL_WORKER },
    { NULL, 0 },
};

static const struct {
    const struct rtn_schema_table *table;
    const char *name;
    unsigned protocols;
} rows[] = {
    { &rtn_config_server_table, "listen", HTTP | LINE },
    { &rtn_config_server_table, "access_log", HTTP },
    { &rtn_config_server_table, "header_fields", HTTP },
    { &rtn_config_server_table, "request_body", HTTP },
    { &rtn_config_server_table, "trusted_proxies", HTTP },
    { &rtn_config_server_table, "proxy_header", HTTP },
    { &rtn_config_server_table, "request_id", HTTP },
    { &rtn_config_server_table, "compression", HTTP },
    { &rtn_config_server_table, "limits", HTTP | LINE },
    { &rtn_config_server_table, "timeouts", HTTP | LINE },
    { &rtn_config_server_table, "backlog_policy", HTTP | LINE },
    { &rtn_config_server_table, "routes", HTTP },
    { &rtn_config_server_table, "greeting", LINE },
    { &rtn_config_server_table, "line_end", LINE },
    { &rtn_config_server_table, "long_lines", LINE },
    { &rtn_config_listen_table, "proxy_protocol", HTTP },
    { &rtn_config_limits_table, "requests_per_second", HTTP },
    { &rtn_config_limits_table, "request_burst", HTTP },
    { &rtn_config_limits_table, "requests_per_connection", HTTP },
    { &rtn_config_limits_table, "target", HTTP },
    { &rtn_config_limits_table, "header", HTTP },
    { &rtn_config_limits_table, "header_count", HTTP },
    { &rtn_config_limits_table, "body", HTTP },
    { &rtn_config_limits_table, "message", HTTP },
    { &rtn_config_limits_table, "line", LINE },
    { &rtn_config_timeouts_table, "header", HTTP },
    { &rtn_config_timeouts_table, "body", HTTP },
    { &rtn_config_timeouts_table, "linger", HTTP },
    { &rtn_config_timeouts_table, "handler", HTTP | LINE },
    { &rtn_config_timeouts_table, "ping", HTTP },
    { &rtn_config_timeouts_table, "pong", HTTP },
    { &rtn_config_timeouts_table, "close", HTTP },
};

static unsigned protocols_of(const struct rtn_schema_table *table, struct rtn_str name)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(rows); i++) {
        if (rows[i].table == table && rtn_str_equal(rtn_str_of(rows[i].name), name))
            return rows[i].protocols;
    }
    return ALL;
}

bool rtn_config_key_is_for(const struct rtn_schema_table *table, struct rtn_str name, int protocol)
{
    return (protocols_of(table, name) & 1U << protocol) != 0;
}

bool rtn_config_protocol_is_known(const struct rtn_node *server)
{
    const struct rtn_node *node = rtn_node_get(server, "protocol");
    const struct rtn_schema_choice *choice = rtn_config_protocols;

    if (node == NULL)
        return !rtn_schema_is_meant(&rtn_config_server_table, server, "protocol");
    while (choice->name != NULL && !rtn_str_equal(rtn_str_of(choice->name), node->text))
        choice++;
    return node->kind == RTN_NODE_SCALAR && choice->name != NULL;
}

/* http or line */
static const char *protocol_names(unsigned protocols, struct rtn_arena *arena)
{
    const char *names = "";

    for (const struct rtn_schema_choice *choice = rtn_config_protocols; choice->name != NULL; choice++) {
        if ((protocols & 1U << choice->value) != 0)
            names = rtn_config_printf(arena, "%s%s%s", names, *names != '\0' ? " or " : "", choice->name);
    }
    return names;
}

static bool misplaced(const char *what, struct rtn_mark mark, unsigned protocols, int protocol,
                      const struct rtn_schema_context *context)
{
    static const char *const kinds[] = {
        [RTN_PROTOCOL_HTTP] = "an HTTP server",
        [RTN_PROTOCOL_LINE] = "a line server",
        [RTN_PROTOCOL_WORKER] = "a worker",
    };

    return rtn_schema_error(context, mark, "\"%s\" is for protocol: %s; this server is %s", what,
                            protocol_names(protocols, context->arena), kinds[protocol]);
}

static void check_map(const struct rtn_schema_table *table, const struct rtn_node *map, int protocol,
                      const struct rtn_schema_context *context)
{
    for (size_t i = 0; map != NULL && map->kind == RTN_NODE_MAP && i < map->count; i++) {
        const struct rtn_node_pair *pair = &map->pairs[i];
        if (!rtn_config_key_is_for(table, pair->name, protocol))
            misplaced(pair->name.data, pair->name_mark, protocols_of(table, pair->name), protocol, context);
    }
}

static void check_inner_map(const struct rtn_schema_table *table, const struct rtn_node *server, const char *name,
                            int protocol, const struct rtn_schema_context *context)
{
    struct rtn_schema_context inner = *context;

    if (!rtn_config_key_is_for(&rtn_config_server_table, rtn_str_of(name), protocol))
        return;
    inner.where = rtn_config_printf(context->arena, "%s: %s", context->where, name);
    check_map(table, rtn_node_get(server, name), protocol, &inner);
}

static void check_listener(const struct rtn_config_listen *listen, int protocol,
                           const struct rtn_schema_context *context)
{
    struct rtn_schema_context inner = *context;
    const char *address = listen->address != NULL ? listen->address : "";

    inner.where = rtn_config_printf(context->arena, "%s: listen %s", context->where,
                                    rtn_node_quote(rtn_str_of(address), context->arena));
    check_map(&rtn_config_listen_table, listen->node, protocol, &inner);
    if (rtn_config_is_stdio(address) && protocol != RTN_PROTOCOL_LINE)
        misplaced(address, rtn_schema_mark(listen->node, "address"), LINE, protocol, &inner);
}

void rtn_config_check_keys(const struct rtn_config_server *server, const struct rtn_node *node,
                           const struct rtn_schema_context *context)
{
    bool listens = rtn_config_key_is_for(&rtn_config_server_table, RTN_STR("listen"), server->protocol);

    check_map(&rtn_config_server_table, node, server->protocol, context);
    check_inner_map(&rtn_config_limits_table, node, "limits", server->protocol, context);
    check_inner_map(&rtn_config_timeouts_table, node, "timeouts", server->protocol, context);
    for (size_t i = 0; listens && i < server->listen.count; i++)
        check_listener((const struct rtn_config_listen *) server->listen.items + i, server->protocol, context);
}
