/*
 * From the rows of the configuration to routes and clients with instances, and to the router that finds the routes.
 */
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
    server->instances[server->instance_count++] = route->instance;
    rtn_instance_policy(route->instance, &route->policy);
    if (config->methods == 0) {
        route->methods = route->instance->methods;
        route->takes_options = route->instance->takes_options;
    }
    return true;
}

static bool make_outgoing(struct rtn_server *server, size_t index, struct rtn_diags *diags)
{
    struct rtn_outgoing *outgoing = &server->outgoing[index];
    outgoing->config = &((const struct rtn_config_client *) server->config->clients.items)[index];
    outgoing->instance = rtn_instance_new_client(server->host->modules, server->config, outgoing->config, diags);
    if (outgoing->instance == NULL)
        return false;
    server->instances[server->instance_count++] = outgoing->instance;
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

static int make_tables(struct rtn_server *server)
{
    size_t routes = server->config->routes.count;
    size_t clients = server->config->clients.count;
    server->routes = calloc(routes + 1, sizeof(*server->routes));
    server->outgoing = calloc(clients + 1, sizeof(*server->outgoing));
    server->instances = calloc(routes + clients + 1, sizeof(struct rtn_instance *));
    if (server->routes == NULL || server->outgoing == NULL || server->instances == NULL)
        return -ENOMEM;
    server->route_count = routes;
    server->outgoing_count = clients;
    return 0;
}

int rtn_server_routes_make(struct rtn_server *server, struct rtn_diags *diags)
{
    bool good = true;
    if (make_tables(server) < 0)
        return -ENOMEM;
    for (size_t i = 0; i < server->route_count; i++)
        good = make_route(server, i, diags) && good;
    for (size_t i = 0; i < server->outgoing_count; i++)
        good = make_outgoing(server, i, diags) && good;
    return good ? make_router(server) : -EINVAL;
}

void rtn_server_routes_free(struct rtn_server *server)
{
    rtn_router_free(server->router);
    for (size_t i = 0; i < server->instance_count; i++)
        rtn_instance_free(server->instances[i]);
    free(server->routes);
    free(server->outgoing);
    free(server->instances);
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
    const struct rtn_config_client *clients = config->clients.items;
    for (size_t i = 0; i < config->clients.count; i++) {
        if (clients[i].url != NULL && clients[i].module != NULL)
            rtn_instance_free(rtn_instance_new_client(modules, &copy, &clients[i], diags));
    }
}
