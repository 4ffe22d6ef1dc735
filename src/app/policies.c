/* Policies: a key of the place holds when it is there, else that of the server. */
#include "app/policies.h"

static int64_t either(int64_t of_route, int64_t of_server)
{
    return of_route >= 0 ? of_route : of_server;
}

static int body_mode(const struct rtn_instance *instance, const struct rtn_config_server *server,
                     const struct rtn_config_route *route)
{
    int mode = route->request_body;
    if (instance->http == NULL)
        return RTN_BODY_NONE;
    if (mode == RTN_BODY_INHERIT)
        mode = server->request_body;
    if (mode == RTN_BODY_INHERIT || mode == RTN_BODY_STREAMED)
        mode = instance->http->body != NULL ? RTN_BODY_STREAMED : RTN_BODY_BUFFERED;
    return mode;
}

void rtn_policies_route(const struct rtn_instance *instance, const struct rtn_config_server *server,
                        const struct rtn_config_route *route, struct rtn_policy *ret)
{
    *ret = (struct rtn_policy){
        .request_body = body_mode(instance, server, route),
        .body_limit = either(route->limits.body, server->limits.body),
        .body_timeout = either(route->timeouts.body, server->timeouts.body),
        .write_timeout = either(route->timeouts.write, server->timeouts.write),
        .handler_timeout = either(route->timeouts.handler, server->timeouts.handler),
    };
}

void rtn_policies_ws_route(const struct rtn_instance *instance, const struct rtn_config_server *server,
                           const struct rtn_config_route *route, struct rtn_ws_policy *ret)
{
    int backlog = route->backlog_policy != RTN_BACKLOG_INHERIT ? route->backlog_policy : server->backlog_policy;
    *ret = (struct rtn_ws_policy){ 0 };
    if (instance->ws == NULL)
        return;
    *ret = (struct rtn_ws_policy){
        .session = { .message_limit = either(route->limits.message, server->limits.message),
                     .backlog_limit = either(route->limits.backlog, server->limits.backlog),
                     .drop = backlog == RTN_BACKLOG_DROP,
                     .write_timeout = either(route->timeouts.write, server->timeouts.write) },
        .streamed = instance->ws->fragment != NULL,
        .ping_timeout = either(route->timeouts.ping, server->timeouts.ping),
        .pong_timeout = either(route->timeouts.pong, server->timeouts.pong),
        .close_timeout = either(route->timeouts.close, server->timeouts.close),
        .origins = route->origins,
        .deflate = &route->deflate,
    };
}

void rtn_policies_ws_client(const struct rtn_instance *instance, const struct rtn_config_client *client,
                            struct rtn_ws_policy *ret)
{
    *ret = (struct rtn_ws_policy){ 0 };
    if (instance->ws == NULL)
        return;
    *ret = (struct rtn_ws_policy){
        .session = { .message_limit = client->limits.message,
                     .backlog_limit = client->limits.backlog,
                     .drop = client->backlog_policy == RTN_BACKLOG_DROP,
                     .write_timeout = client->timeouts.write },
        .streamed = instance->ws->fragment != NULL,
        .ping_timeout = client->timeouts.ping,
        .pong_timeout = client->timeouts.pong,
        .close_timeout = client->timeouts.close,
        .deflate = &client->deflate,
    };
}
