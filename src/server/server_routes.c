/* From the rows of the configuration to routes with instances, and to the router that finds them. */
#include "server/server_routes.h"

#include <errno.h>
#include <stdlib.h>

static const struct rtn_config_route *route_config(const struct rtn_server *server, size_t index)
{
    return &((const struct rtn_config_route *) server->config->routes.items)[index];
}

static bool make_route(struct rtn_server *server, size_t index, struct rtn_diags *diags)
{
    const struct rtn_config_route *config = route_config(server, index);
    struct rtn_route *route = &server->routes[index];
    *route = (struct rtn_route){
        .host = config->host,
        .path = config->path,
        .methods = config->methods != 0 ? config->methods : RTN_METHOD_ALL & ~(unsigned) RTN_METHOD_OPTIONS,
        .takes_options = (config->methods & RTN_METHOD_OPTIONS) != 0,
        .status = (int) config->status,
        .redirect = config->redirect,
    };
    const char *problem = rtn_router_problem(config->path);
    if (problem != NULL) {
        rtn_diags_error(diags, rtn_schema_mark(config->node, "path"), "server \"%s\": route \"%s\": %s",
                        server->config->name, config->path, problem);
        return false;
    }
    if (config->module == NULL)
        return true;
    route->instance = rtn_instance_new(server->host->modules, server->config, config, diags);
    if (route->instance == NULL)
        return false;
    rtn_instance_policy(route->instance, &route->policy);
    if (config->methods == 0) {
        route->methods = route->instance->methods;
        route->takes_options = route->instance->takes_options;
    }
    return true;
}

static int make_router(struct rtn_server *server)
{
    const struct rtn_route **routes = calloc(server->route_count + 1, sizeof(*routes));
    if (routes == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < server->route_count; i++)
        routes[i] = &server->routes[i];
    int r = rtn_router_new(routes, server->route_count, &server->router);
    free(routes);
    return r;
}

int rtn_server_routes_make(struct rtn_server *server, struct rtn_diags *diags)
{
    size_t count = server->config->routes.count;
    bool good = true;
    server->routes = calloc(count + 1, sizeof(*server->routes));
    if (server->routes == NULL)
        return -ENOMEM;
    server->route_count = count;
    for (size_t i = 0; i < count; i++)
        good = make_route(server, i, diags) && good;
    return good ? make_router(server) : -EINVAL;
}

void rtn_server_routes_free(struct rtn_server *server)
{
    rtn_router_free(server->router);
    for (size_t i = 0; i < server->route_count; i++)
        rtn_instance_free(server->routes[i].instance);
    free(server->routes);
}

void rtn_server_routes_check(const struct rtn_config_server *config, struct rtn_modules *modules,
                             struct rtn_diags *diags)
{
    /* Values that are wrong were left zero; do not complain about those again. */
    struct rtn_config_server copy = *config;
    copy.threads = RTN_MAX(copy.threads, 1);
    const struct rtn_config_route *routes = config->routes.items;
    for (size_t i = 0; i < config->routes.count; i++) {
        if (routes[i].path != NULL && routes[i].module != NULL)
            rtn_instance_free(rtn_instance_new(modules, &copy, &routes[i], diags));
    }
}
