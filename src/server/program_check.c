/* What modules have to say about a configuration that is wrong anyway: instances are made, and not kept. */
#include "server/program_internal.h"

static void check_routes(const struct rtn_config_server *config, struct rtn_generation *generation,
                         struct rtn_diags *diags)
{
    const struct rtn_config_route *routes = config->routes.items;
    for (size_t i = 0; i < config->routes.count; i++) {
        if (routes[i].path != NULL && routes[i].module != NULL)
            rtn_instance_free(rtn_instance_new(generation, config, &routes[i], NULL, diags));
    }
}

static void check_clients(const struct rtn_config_server *config, struct rtn_generation *generation,
                          struct rtn_diags *diags)
{
    const struct rtn_config_client *clients = config->clients.items;
    for (size_t i = 0; i < config->clients.count; i++) {
        if (clients[i].url != NULL && clients[i].module != NULL)
            rtn_instance_free(rtn_instance_new_client(generation, config, &clients[i], NULL, diags));
    }
}

static void check_uses(const struct rtn_config_server *config, struct rtn_generation *generation,
                       struct rtn_diags *diags)
{
    const struct rtn_config_use *uses = config->modules.items;
    struct rtn_instance *first = NULL; /* with a line handler */
    for (size_t i = 0; i < config->modules.count; i++) {
        if (uses[i].module == NULL)
            continue;
        struct rtn_instance *instance = rtn_instance_new_use(generation, config, &uses[i], NULL, diags);
        if (instance != NULL && instance->line != NULL && first != NULL)
            rtn_program_report_second_line(first, first->place.node, instance, uses[i].node, diags);
        if (instance != NULL && instance->line != NULL && first == NULL)
            first = instance;
        else
            rtn_instance_free(instance);
    }
    rtn_instance_free(first);
}

void rtn_program_check(const struct rtn_config_server *config, struct rtn_generation *generation,
                       struct rtn_diags *diags)
{
    /* Values that are wrong were left zero; do not complain about those again. */
    struct rtn_config_server copy = *config;
    copy.threads = RTN_MAX(copy.threads, 1);
    check_routes(&copy, generation, diags);
    check_clients(&copy, generation, diags);
    check_uses(&copy, generation, diags);
}
