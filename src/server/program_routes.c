/*
 * From the rows of the configuration to routes, clients and modules with instances, and to the router that finds the
 * routes.
 */
#include <errno.h>
#include <stdlib.h>

#include "app/policies.h"
#include "server/program_internal.h"

/* What is being made. */
struct making {
    struct rtn_program *program;
    struct rtn_instance_offer offer; /* of the program before */
    struct rtn_diags *diags;
};

static const struct rtn_config_route *route_config(const struct rtn_program *program, size_t index)
{
    return &((const struct rtn_config_route *) program->config->routes.items)[index];
}

/* False: there is none, after errors. One that was made now is of the generation of the program. */
static bool add_instance(struct rtn_program *program, struct rtn_instance *instance, const struct rtn_node *node)
{
    if (instance == NULL)
        return false;
    program->shared[program->instance_count] = instance->generation != program->generation;
    program->nodes[program->instance_count] = node;
    program->instances[program->instance_count++] = instance;
    return true;
}

static bool make_route(struct making *making, size_t index)
{
    struct rtn_program *program = making->program;
    struct rtn_diags *diags = making->diags;
    const struct rtn_config_route *config = route_config(program, index);
    struct rtn_route *route = &program->routes[index];
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
                        program->config->name, config->path, problem);
        return false;
    }
    if (config->module == NULL)
        return true;
    route->instance = rtn_instance_new(program->generation, program->config, config, &making->offer, diags);
    if (!add_instance(program, route->instance, config->node))
        return false;
    rtn_policies_route(route->instance, program->config, config, &route->policy);
    rtn_policies_ws_route(route->instance, program->config, config, &route->ws_policy);
    if (config->methods == 0) {
        route->methods = route->instance->methods;
        route->takes_options = route->instance->takes_options;
    }
    return true;
}

static bool make_outgoing(struct making *making, size_t index)
{
    struct rtn_program *program = making->program;
    struct rtn_outgoing *outgoing = &program->outgoing[index];
    outgoing->config = &((const struct rtn_config_client *) program->config->clients.items)[index];
    outgoing->instance =
        rtn_instance_new_client(program->generation, program->config, outgoing->config, &making->offer, making->diags);
    if (!add_instance(program, outgoing->instance, outgoing->config->node))
        return false;
    rtn_policies_ws_client(outgoing->instance, outgoing->config, &outgoing->policy);
    return true;
}

/* Whoever takes the lines: there is exactly one. */

void rtn_program_report_second_line(const struct rtn_instance *first, const struct rtn_node *first_node,
                                    const struct rtn_instance *second, const struct rtn_node *second_node,
                                    struct rtn_diags *diags)
{
    rtn_diags_error(diags, rtn_schema_mark(second_node, "module"),
                    "server \"%s\": module \"%s\" has a line handler, but \"%s\" takes the lines already",
                    second->server->name, second->loaded->module.name, first->loaded->module.name);
    rtn_diags_note(diags, rtn_schema_mark(first_node, "module"), "the first one is here");
}

static void report_no_line(const struct rtn_config_server *config, struct rtn_diags *diags)
{
    rtn_diags_error(diags, rtn_schema_mark(config->node, "modules"),
                    "server \"%s\": none of its modules has a line handler, which \"protocol: line\" needs",
                    config->name);
}

static const struct rtn_node *node_of(const struct rtn_program *program, const struct rtn_instance *instance)
{
    size_t i = 0;
    while (program->instances[i] != instance)
        i++;
    return program->nodes[i];
}

static bool make_use(struct making *making, size_t index)
{
    struct rtn_program *program = making->program;
    struct rtn_diags *diags = making->diags;
    const struct rtn_config_use *config = &((const struct rtn_config_use *) program->config->modules.items)[index];
    struct rtn_instance *instance =
        rtn_instance_new_use(program->generation, program->config, config, &making->offer, diags);
    if (!add_instance(program, instance, config->node))
        return false;
    if (instance->line == NULL)
        return true;
    if (program->line_instance != NULL) {
        rtn_program_report_second_line(program->line_instance, node_of(program, program->line_instance), instance,
                                       config->node, diags);
        return false;
    }
    program->line_instance = instance;
    return true;
}

/* When the rest is good: a module that could not be loaded might have been the one. */
static bool check_line(const struct rtn_program *program, struct rtn_diags *diags)
{
    if (program->config->protocol != RTN_PROTOCOL_LINE || program->line_instance != NULL)
        return true;
    report_no_line(program->config, diags);
    return false;
}

static int make_router(struct rtn_program *program)
{
    const struct rtn_route **routes = calloc(program->route_count + 1, sizeof(*routes));
    if (routes == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < program->route_count; i++)
        routes[i] = &program->routes[i];
    int r = rtn_router_new(routes, program->route_count, &program->router);
    free(routes);
    return r;
}

static int make_tables(struct rtn_program *program)
{
    size_t routes = program->config->routes.count;
    size_t clients = program->config->clients.count;
    program->routes = calloc(routes + 1, sizeof(*program->routes));
    program->outgoing = calloc(clients + 1, sizeof(*program->outgoing));
    size_t instances = routes + clients + program->config->modules.count;
    program->instances = calloc(instances + 1, sizeof(struct rtn_instance *));
    program->shared = calloc(instances + 1, sizeof(*program->shared));
    program->nodes = calloc(instances + 1, sizeof(struct rtn_node *));
    if (program->routes == NULL || program->outgoing == NULL || program->instances == NULL || program->shared == NULL ||
        program->nodes == NULL)
        return -ENOMEM;
    program->route_count = routes;
    program->outgoing_count = clients;
    return 0;
}

static int make_offer(struct rtn_instance_offer *offer, const struct rtn_program *old)
{
    if (old == NULL)
        return 0;
    offer->items = old->instances;
    offer->count = old->instance_count;
    offer->taken = calloc(old->instance_count + 1, sizeof(*offer->taken));
    return offer->taken != NULL ? 0 : -ENOMEM;
}

/* All of them, so that all errors are seen. */
static bool make_rows(struct making *making)
{
    const struct rtn_program *program = making->program;
    bool good = true;
    for (size_t i = 0; i < program->route_count; i++)
        good = make_route(making, i) && good;
    for (size_t i = 0; i < program->outgoing_count; i++)
        good = make_outgoing(making, i) && good;
    for (size_t i = 0; i < program->config->modules.count; i++)
        good = make_use(making, i) && good;
    return good;
}

int rtn_program_routes_make(struct rtn_program *program, const struct rtn_program *old, struct rtn_diags *diags)
{
    struct making making = { .program = program, .diags = diags };
    if (make_tables(program) < 0 || make_offer(&making.offer, old) < 0)
        return -ENOMEM;
    bool good = make_rows(&making) && check_line(program, diags);
    free(making.offer.taken);
    return good ? make_router(program) : -EINVAL;
}

void rtn_program_routes_free(struct rtn_program *program)
{
    rtn_router_free(program->router);
    for (size_t i = 0; i < program->instance_count; i++)
        rtn_instance_unref(program->instances[i]);
    free(program->routes);
    free(program->outgoing);
    free(program->instances);
    free(program->shared);
    free(program->nodes);
}
