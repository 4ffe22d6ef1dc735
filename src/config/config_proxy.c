/* Who is believed about the clients behind it: trusted proxies, and what needs them. */
#include "base/cidr.h"
#include "config/config_tables.h"
#include "config/memory.h"

bool rtn_config_check_proxies(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const struct rtn_schema_strings *proxies = value;
    bool ok = true;

    (void) node;
    for (size_t i = 0; i < proxies->count; i++) {
        struct rtn_str text = rtn_str_of(proxies->items[i]);
        struct rtn_cidr range;
        const char *problem = rtn_str_equal(text, RTN_STR("unix")) ? NULL : rtn_cidr_parse(text, &range);
        if (problem != NULL)
            ok = rtn_schema_error(context, proxies->nodes[i]->mark,
                                  "\"trusted_proxies\": %s: %s; write an address, a range such as 10.0.0.0/8, or unix",
                                  rtn_node_quote(text, context->arena), problem);
    }
    return ok;
}

void rtn_config_check_proxy_protocol(const struct rtn_config_server *server, const struct rtn_schema_context *context)
{
    for (size_t i = 0; server->trusted_proxies.count == 0 && i < server->listen.count; i++) {
        const struct rtn_config_listen *listen = (const struct rtn_config_listen *) server->listen.items + i;
        if (listen->proxy_protocol)
            rtn_schema_error(
                context, rtn_schema_mark(listen->node, "proxy_protocol"),
                "\"proxy_protocol\" needs \"trusted_proxies\" on the server: only they may send the header");
    }
}

/* The default says nothing: a dump holds it, too. */
void rtn_config_check_proxy_header(const struct rtn_config_server *server, const struct rtn_node *node,
                                   const struct rtn_schema_context *context)
{
    if (server->trusted_proxies.count == 0 && server->proxy_header != RTN_PROXY_HEADER_AUTO)
        rtn_schema_error(context, rtn_schema_mark(node, "proxy_header"),
                         "\"proxy_header\" has no effect without \"trusted_proxies\": only they are believed");
}
