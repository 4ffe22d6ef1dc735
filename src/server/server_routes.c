/*
 * From the rows of the configuration to routes, clients and modules with instances, and to the router that finds the
 * routes.
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

/* Whoever takes the lines: there is exactly one. */

static void report_second_line(const struct rtn_instance *first, const struct rtn_instance *second,
                               struct rtn_diags *diags)
{
    rtn_diags_error(diags, rtn_schema_mark(second->place.node, "module"),
                    "server \"%s\": module \"%s\" has a line handler, but \"%s\" takes the lines already",
                    second->server->name, second->loaded->module.name, first->loaded->module.name);
    rtn_diags_note(diags, rtn_schema_mark(first->place.node, "module"), "the first one is here");
}

static void report_no_line(const struct rtn_config_server *config, struct rtn_diags *diags)
{
    rtn_diags_error(diags, rtn_schema_mark(config->node, "modules"),
                    "server \"%s\": none of its modules has a line handler, which \"protocol: line\" needs",
                    config->name);
}

static bool make_use(struct rtn_server *server, size_t index, struct rtn_diags *diags)
{
    const struct rtn_config_use *config = &((const struct rtn_config_use *) server->config->modules.items)[index];
    struct rtn_instance *instance = rtn_instance_new_use(server->host->modules, server->config, config, diags);
    if (instance == NULL)
        return false;
    server->instances[server->instance_count++] = instance;
    if (instance->line == NULL)
        return true;
    if (server->line_instance != NULL) {
        report_second_line(server->line_instance, instance, diags);
        return false;
    }
    server->line_instance = instance;
    return true;
}

/* When the rest is good: a module that could not be loaded might have been the one. */
static bool check_line(const struct rtn_server *server, struct rtn_diags *diags)
{
    if (server->config->protocol != RTN_PROTOCOL_LINE || server->line_instance != NULL)
        return true;
    report_no_line(server->config, diags);
    return false;
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
    server->instances = calloc(routes + clients + server->config->modules.count + 1, sizeof(struct rtn_instance *));
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
    for (size_t i = 0; i < server->config->modules.count; i++)
        good = make_use(server, i, diags) && good;
    good = good && check_line(server, diags);
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

/* For a configuration that is wrong anyway */

static void check_routes(const struct rtn_config_server *config, struct rtn_modules *modules, struct rtn_diags *diags)
{
    const struct rtn_config_route *routes = config->routes.items;
    for (size_t i = 0; i < config->routes.count; i++) {
        if (routes[i].path != NULL && routes[i].module != NULL)
            rtn_instance_free(rtn_instance_new(modules, config, &routes[i], diags));
    }
}

static void check_clients(const struct rtn_config_server *config, struct rtn_modules *modules, struct rtn_diags *diags)
{
    const struct rtn_config_client *clients = config->clients.items;
    for (size_t i = 0; i < config->clients.count; i++) {
        if (clients[i].url != NULL && clients[i].module != NULL)
            rtn_instance_free(rtn_instance_new_client(modules, config, &clients[i], diags));
    }
}

static void check_uses(const struct rtn_config_server *config, struct rtn_modules *modules, struct rtn_diags *diags)
{
    const struct rtn_config_use *uses = config->modules.items;
    struct rtn_instance *first = NULL; /* with a line handler */
    for (size_t i = 0; i < config->modules.count; i++) {
        if (uses[i].module == NULL)
            continue;
        struct rtn_instance *instance = rtn_instance_new_use(modules, config, &uses[i], diags);
        if (instance != NULL && instance->line != NULL && first != NULL)
            report_second_line(first, instance, diags);
        if (instance != NULL && instance->line != NULL && first == NULL)
            first = instance;
        else
            rtn_instance_free(instance);
    }
    rtn_instance_free(first);
}

void rtn_server_routes_check(const struct rtn_config_server *config, struct rtn_modules *modules,
                             struct rtn_diags *diags)
{
    /* Values that are wrong were left zero; do not complain about those again. */
    struct rtn_config_server copy = *config;
    copy.threads = RTN_MAX(copy.threads, 1);
    check_routes(&copy, modules, diags);
    check_clients(&copy, modules, diags);
    check_uses(&copy, modules, diags);
}
