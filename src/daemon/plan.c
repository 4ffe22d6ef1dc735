/*
 * The plan adds to the differences of two configurations what only the running daemon knows: which servers serve, what
 * the modules are whose files have changed, and who is connected. A server that was stopped stays so until its keys
 * change; then it is made anew.
 */
#include "daemon/plan.h"

#include "config/memory.h"
#include "daemon/daemon_state.h"
#include "proto/session_send.h"
#include "server/server_loop.h"

/* Modules */

/* What instances of routes, clients and modules have in common. */
static const char *module_of(const struct rtn_config_entry_change *entry, const void *row, const struct rtn_node **node)
{
    static const struct {
        const char *list;
        size_t module;
        size_t node;
    } members[] = {
        { "routes", offsetof(struct rtn_config_route, module), offsetof(struct rtn_config_route, node) },
        { "clients", offsetof(struct rtn_config_client, module), offsetof(struct rtn_config_client, node) },
        { "modules", offsetof(struct rtn_config_use, module), offsetof(struct rtn_config_use, node) },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(members); i++) {
        if (strcmp(entry->list, members[i].list) != 0)
            continue;
        const char *object = row;
        *node = *(const struct rtn_node *const *) (const void *) (object + members[i].node);
        return *(const char *const *) (const void *) (object + members[i].module);
    }
    return NULL;
}

/* The module that the running server has under that name; NULL: none. */
static const struct rtn_loaded *loaded_before(const struct rtn_program *program, const char *module)
{
    for (size_t i = 0; i < program->instance_count; i++) {
        if (strcmp(program->instances[i]->place.module, module) == 0)
            return program->instances[i]->loaded;
    }
    return NULL;
}

/* The name of the module of an entry that stays when its file is another one now; NULL: it is the same. */
static const char *new_content(const struct rtn_plan_server *server, const struct rtn_config_entry_change *entry,
                               struct rtn_generation *generation, struct rtn_diags *diags)
{
    const struct rtn_node *node = NULL;
    if (entry->before == NULL || entry->after == NULL)
        return NULL;
    const char *name = module_of(entry, entry->after, &node);
    const struct rtn_loaded *before = name != NULL ? loaded_before(server->run->server->program, name) : NULL;
    if (before == NULL)
        return NULL;
    const struct rtn_loaded *now = rtn_modules_get(generation->modules, name, rtn_schema_mark(node, "module"), diags);
    return now != NULL && now != before ? now->module.name : NULL;
}

static void look_at_modules(struct rtn_plan_server *server, struct rtn_generation *generation, struct rtn_plan *plan,
                            struct rtn_diags *diags)
{
    const struct rtn_config_change *change = server->change;
    server->contents = rtn_config_alloc(&plan->diff.arena, change->entry_count * sizeof(*server->contents));
    for (size_t i = 0; i < change->entry_count; i++) {
        server->contents[i] = new_content(server, &change->entries[i], generation, diags);
        if (server->contents[i] != NULL)
            server->kinds |= RTN_CHANGE_BIT(RTN_CHANGE_ROUTES);
    }
}

/* Servers */

static bool media_change(const struct rtn_config_diff *diff)
{
    for (size_t i = 0; i < diff->daemon_count; i++) {
        if (strcmp(diff->daemon[i].key, "media_types") == 0)
            return true;
    }
    return false;
}

static size_t count_connections(const struct rtn_server *server)
{
    size_t count = 0;
    for (unsigned i = 0; i < server->loop_count; i++)
        count += rtn_directory_used(&server->loops[i].http.directory);
    return count;
}

static enum rtn_change weightiest(unsigned kinds)
{
    enum rtn_change found = RTN_CHANGE_NONE;
    for (enum rtn_change change = RTN_CHANGE_NONE; change <= RTN_CHANGE_REMOVE; change++) {
        if (kinds & RTN_CHANGE_BIT(change))
            found = change;
    }
    return found;
}

/* One that does not serve is made when it has changed, and is nothing to take away. */
static void plan_stopped(struct rtn_plan_server *server)
{
    const struct rtn_config_change *change = server->change;
    server->stopped = change->before != NULL;
    server->run = NULL;
    server->kinds = change->after != NULL && change->kinds != 0 ? RTN_CHANGE_BIT(RTN_CHANGE_ADD) : 0;
}

static void plan_server(const struct rtn_daemon *daemon, struct rtn_generation *generation, struct rtn_plan *plan,
                        struct rtn_plan_server *server, struct rtn_diags *diags)
{
    const struct rtn_config_change *change = server->change;
    server->run = change->before != NULL ? rtn_daemon_find_run(daemon, change->server) : NULL;
    server->kinds = change->kinds;
    if (server->run == NULL || server->run->state != RTN_RUN_SERVES) {
        plan_stopped(server);
    } else {
        server->generation = server->run->server->program->generation->number;
        look_at_modules(server, generation, plan, diags);
        server->media = media_change(&plan->diff);
        if (server->media && change->after != NULL)
            server->kinds |= RTN_CHANGE_BIT(RTN_CHANGE_TUNE);
    }
    server->weightiest = weightiest(server->kinds);
    if (server->run != NULL && server->weightiest >= RTN_CHANGE_RESTART)
        server->ends = count_connections(server->run->server);
}

/* What only a restart of the daemon changes is still what the daemon was started with. */
static void compare_in_use(const struct rtn_daemon *daemon, const struct rtn_generation *generation,
                           struct rtn_plan *plan)
{
    const struct rtn_config_daemon *started = &daemon->reloads.started;
    struct rtn_config_daemon in_use = daemon->generation->config->daemon;
    in_use.log = started->log;
    in_use.log.level = daemon->generation->config->daemon.log.level;
    in_use.control = started->control;
    plan->daemon_differs = plan->diff.daemon_count > 0;
    rtn_config_diff_daemon(&in_use, &generation->config->daemon, &plan->diff);
}

void rtn_plan_make(const struct rtn_daemon *daemon, struct rtn_generation *generation, struct rtn_plan *ret,
                   struct rtn_diags *diags)
{
    *ret = (struct rtn_plan){ .generation = generation->number };
    rtn_config_diff(daemon->generation->config, generation->config, &ret->diff);
    compare_in_use(daemon, generation, ret);
    ret->count = ret->diff.server_count;
    ret->servers = rtn_config_alloc(&ret->diff.arena, ret->count * sizeof(*ret->servers));
    for (size_t i = 0; i < ret->count; i++) {
        ret->servers[i].change = &ret->diff.servers[i];
        plan_server(daemon, generation, ret, &ret->servers[i], diags);
    }
}

void rtn_plan_done(struct rtn_plan *plan)
{
    rtn_config_diff_done(&plan->diff);
    *plan = (struct rtn_plan){ 0 };
}

/* Sessions */

static bool has_instance(const struct rtn_program *program, const struct rtn_instance *instance)
{
    for (size_t i = 0; i < program->instance_count; i++) {
        if (program->instances[i] == instance)
            return true;
    }
    return false;
}

void rtn_plan_count(struct rtn_plan_server *server, const struct rtn_program *next)
{
    const struct rtn_server *running = server->run->server;
    for (size_t i = 0; i < running->program->instance_count; i++) {
        const struct rtn_instance *instance = running->program->instances[i];
        if (has_instance(next, instance))
            continue;
        for (unsigned j = 0; j < running->loop_count; j++) {
            server->websockets += rtn_session_count_of(&running->loops[j].http, RTN_SESSION_WS, instance);
            server->lines += rtn_session_count_of(&running->loops[j].http, RTN_SESSION_LINE, instance);
        }
    }
}

bool rtn_plan_is_empty(const struct rtn_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->servers[i].kinds != 0)
            return false;
    }
    return !plan->daemon_differs;
}
