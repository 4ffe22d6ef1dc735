/* Programs: what is derived from the keys of a server, around its routes and instances, which are in program_routes.c.
 */
#include "server/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/program_internal.h"

static int make_header_fields(struct rtn_program *program)
{
    const struct rtn_schema_strings *fields = &program->config->header_fields;
    for (size_t i = 0; i < fields->count; i++) {
        int r =
            rtn_map_add(&program->header_fields, rtn_str_of(fields->items[i]), (void *) (uintptr_t) fields->items[i]);
        if (r < 0 && r != -EEXIST)
            return r;
    }
    return 0;
}

/* The configuration was checked: each of them can be read. */
static int make_trusted(struct rtn_program *program)
{
    const struct rtn_schema_strings *proxies = &program->config->trusted_proxies;
    program->trusted = calloc(proxies->count + 1, sizeof(*program->trusted));
    if (program->trusted == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < proxies->count; i++) {
        struct rtn_str text = rtn_str_of(proxies->items[i]);
        if (rtn_str_equal(text, RTN_STR("unix")))
            program->trust_unix = true;
        else if (rtn_cidr_parse(text, &program->trusted[program->trusted_count]) == NULL)
            program->trusted_count++;
    }
    return 0;
}

static bool needs_workers(const struct rtn_program *program)
{
    for (size_t i = 0; i < program->instance_count; i++) {
        if (rtn_instance_needs_workers(program->instances[i]))
            return true;
    }
    return false;
}

static int make(struct rtn_program *program, const struct rtn_program *old, struct rtn_diags *diags)
{
    rtn_line_policy_init(&program->line_policy, program->config);
    int r = rtn_program_routes_make(program, old, diags);
    if (r == 0)
        r = make_header_fields(program);
    if (r == 0)
        r = make_trusted(program);
    program->needs_workers = r == 0 && needs_workers(program);
    return r;
}

struct rtn_program *rtn_program_new(const struct rtn_config_server *config, struct rtn_generation *generation,
                                    const struct rtn_program *old, struct rtn_diags *diags)
{
    struct rtn_program *program = calloc(1, sizeof(*program));
    if (program == NULL)
        return NULL;
    rtn_generation_ref(generation);
    program->generation = generation;
    program->config = config;
    rtn_access_init(&program->access, config);
    if (make(program, old, diags) == 0)
        return program;
    rtn_program_free(program);
    return NULL;
}

void rtn_program_wire(const struct rtn_program *program, struct rtn_wiring *wiring, struct rtn_hub_port *port,
                      struct rtn_diags *diags)
{
    for (size_t i = 0; i < program->instance_count; i++) {
        const struct rtn_wiring_party party = { program->instances[i], program->config, program->nodes[i] };
        rtn_wiring_add(wiring, &party, port, diags);
    }
}

static int report_access(const struct rtn_program *program, int r, struct rtn_diags *diags)
{
    const struct rtn_config_access_log *config = &program->config->access_log;
    if (r == 0)
        return 0;
    rtn_diags_error(diags, rtn_schema_mark(config->node, "to"), "server \"%s\": cannot write the access log to %s: %s",
                    program->config->name, config->path, strerror(-r));
    return -EINVAL;
}

int rtn_program_open(struct rtn_program *program, struct rtn_log_writers *writers, struct rtn_log *log,
                     const _Atomic int *log_level, struct rtn_diags *diags)
{
    return report_access(program, rtn_access_open(&program->access, writers, log, log_level), diags);
}

int rtn_program_open_check(const struct rtn_program *program, struct rtn_diags *diags)
{
    return report_access(program, rtn_access_check(&program->access), diags);
}

/* Those of a program that does not come in force are not to be seen. */
static void count_routes(struct rtn_program *program)
{
    for (size_t i = 0; i < program->route_count; i++) {
        struct rtn_route *route = &program->routes[i];
        route->stats = rtn_stats_route(program->config->name, route->host, route->path);
    }
}

int rtn_program_ready(struct rtn_program *program, struct rtn_diags *diags)
{
    int result = 0;
    for (size_t i = 0; i < program->instance_count; i++) {
        if (!program->shared[i] && rtn_instance_ready(program->instances[i], diags) < 0)
            result = -EINVAL;
    }
    if (result == 0)
        count_routes(program);
    return result;
}

void rtn_program_free(struct rtn_program *program)
{
    if (program == NULL)
        return;
    rtn_program_routes_free(program);
    rtn_map_done(&program->header_fields);
    free(program->trusted);
    rtn_access_done(&program->access);
    rtn_generation_unref(program->generation);
    free(program);
}
