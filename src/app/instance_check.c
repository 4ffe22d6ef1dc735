/*
 * What the configuration asks of the handlers of a route, client or entry of `modules`, against what they can do.
 * Called when handlers were found, or none are needed.
 */
#include "app/instance_internal.h"
#include "app/module_text.h"
#include "base/method.h"

static const char *handler_key(const struct rtn_instance *instance)
{
    return instance->place.handler != NULL ? "handler" : "module";
}

/* Workers */

bool rtn_instance_needs_workers(const struct rtn_instance *instance)
{
    return instance->threads != RTN_THREADS_LOOP || (instance->http != NULL && instance->http->worker);
}

/* The name of the handler because of which workers are needed; NULL: it is the module. */
static const char *name_of_worker(const struct rtn_instance *instance)
{
    struct rtn_instance_handler handlers[RTN_INSTANCE_HANDLERS_MAX];
    size_t count = rtn_instance_handlers(instance, handlers);
    if (instance->http != NULL && instance->http->worker)
        return instance->http->name;
    for (size_t i = 0; i < count; i++) {
        if (handlers[i].threads == instance->threads)
            return handlers[i].name;
    }
    return NULL;
}

static void check_threads(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf who = { 0 };
    if (!rtn_instance_needs_workers(instance) || instance->server->threads != 0)
        return;
    const char *handler = name_of_worker(instance);
    if (handler != NULL)
        rtn_buf_printf(&who, "handler \"%s\" of ", handler);
    rtn_setup_report(setup, rtn_schema_mark(instance->place.node, handler_key(instance)),
                     "%smodule \"%s\" runs on workers (%s), but this server has none (threads: 0)",
                     rtn_buf_str(&who).data, instance->loaded->module.name, rtn_threads_name(instance->threads));
}

/* Methods */

static void check_methods(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf refused = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf taken = { 0 };
    unsigned beyond = instance->route->methods & ~instance->methods;
    if (beyond == 0)
        return;
    rtn_method_list(beyond, &refused);
    rtn_method_list(instance->methods, &taken);
    rtn_setup_report(setup, rtn_schema_mark(instance->route->node, "methods"),
                     "handler \"%s\" of module \"%s\" does not take %s; it takes %s",
                     instance->http != NULL ? instance->http->name : instance->ws->name, instance->loaded->module.name,
                     rtn_buf_str(&refused).data, rtn_buf_str(&taken).data);
}

/* A WebSocket begins with GET. */
static void check_handshake(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    unsigned methods = instance->route->methods;
    if (instance->http != NULL || methods == 0 || (methods & RTN_METHOD_GET) != 0)
        return;
    rtn_setup_report(setup, rtn_schema_mark(instance->route->node, "methods"),
                     "handler \"%s\" of module \"%s\" is for WebSocket, which needs GET", instance->ws->name,
                     instance->loaded->module.name);
}

/* Bodies */

/* A handler that reads the body would take it for empty. */
static void check_no_body(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    const struct rtn_config_route *route = instance->route;
    bool by_route = route->request_body == RTN_BODY_NONE;
    bool by_server = route->request_body == RTN_BODY_INHERIT && instance->server->request_body == RTN_BODY_NONE;
    if (instance->http->body == NULL || (!by_route && !by_server))
        return;
    rtn_setup_report(setup, rtn_schema_mark(route->node, by_route ? "request_body" : handler_key(instance)),
                     "handler \"%s\" of module \"%s\" reads the body, but request_body is none%s", instance->http->name,
                     instance->loaded->module.name, by_server ? " on this server" : "");
}

static void check_body(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    if (instance->http->body != NULL || instance->route->request_body != RTN_BODY_STREAMED)
        return;
    rtn_setup_report(setup, rtn_schema_mark(instance->route->node, "request_body"),
                     "handler \"%s\" of module \"%s\" does not take the body in pieces (request_body: streamed)",
                     instance->http->name, instance->loaded->module.name);
}

/* Keys of a route that mean nothing without a handler of their kind. */
static const struct {
    const char *map; /* that holds the key; NULL: the route itself */
    const char *key;
    bool websocket; /* else of plain requests */
} keys_of_kinds[] = {
    { NULL, "origins", true },     { NULL, "backlog_policy", true }, { NULL, "deflate", true },
    { "limits", "message", true }, { "limits", "backlog", true },    { "timeouts", "ping", true },
    { "timeouts", "pong", true },  { "timeouts", "close", true },    { NULL, "request_body", false },
    { "limits", "body", false },   { "timeouts", "body", false },
};

static void check_keys(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(keys_of_kinds); i++) {
        bool websocket = keys_of_kinds[i].websocket;
        const char *map = keys_of_kinds[i].map;
        const char *key = keys_of_kinds[i].key;
        const struct rtn_node *route = instance->route->node;
        const struct rtn_node *node = map != NULL ? rtn_node_get(route, map) : route;
        if ((websocket ? instance->ws != NULL : instance->http != NULL) || rtn_node_get(node, key) == NULL)
            continue;
        rtn_setup_report(setup, rtn_schema_mark(node, key), "\"%s%s%s\" is for %s, but the route has no %s handler",
                         map != NULL ? map : "", map != NULL ? "." : "", key,
                         websocket ? "WebSocket" : "plain requests", websocket ? "WebSocket" : "HTTP");
    }
}

void rtn_instance_check(const struct rtn_instance *instance, const struct rtn_setup *setup)
{
    check_threads(instance, setup);
    if (instance->route == NULL)
        return;
    check_methods(instance, setup);
    check_handshake(instance, setup);
    check_keys(instance, setup);
    if (instance->http == NULL)
        return;
    check_body(instance, setup);
    check_no_body(instance, setup);
}
