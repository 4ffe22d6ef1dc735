/*
 * Loading a configuration: files become one tree, the tree becomes structs by the tables, and what
 * concerns several of them is checked and filled in here. Each step reports all it finds.
 */
#include "config/config.h"

#include <errno.h>
#include <stdlib.h>

#include "config/config_include.h"
#include "config/config_tables.h"
#include "config/memory.h"

#define MOST_LOOPS 1000

static struct rtn_config *new_config(void)
{
    struct rtn_config *config = rtn_config_need(calloc(1, sizeof(*config)));

    rtn_arena_init(&config->arena, NULL, 0);
    return config;
}

void rtn_config_free(struct rtn_config *config)
{
    if (config == NULL)
        return;
    rtn_arena_done(&config->arena);
    free(config);
}

/* With an unknown key, servers may be there under a misspelled name. A problem with the servers themselves was reported
 * already when there are errors. */
static void check_servers_given(const struct rtn_node *root, struct rtn_diags *diags)
{
    const struct rtn_node_pair *pair = rtn_node_pair(root, "servers");
    struct rtn_mark start = { .source = root->mark.source, .line = 1, .column = 1 };

    if (diags->errors > 0 || rtn_schema_has_unknown_key(&rtn_config_root_table, root))
        return;
    if (pair == NULL)
        rtn_diags_error(diags, start, "there are no servers; add one under \"servers\"");
    else if (pair->value->kind == RTN_NODE_MAP && pair->value->count == 0)
        rtn_diags_error(diags, pair->name_mark, "\"servers\" is empty; add a server");
}

/* Defaults of servers that `daemon` holds. */
static void inherit(struct rtn_config *config)
{
    struct rtn_config_server *servers = config->servers.items;

    for (size_t i = 0; i < config->servers.count; i++) {
        if (rtn_node_get(servers[i].node, "log_level") == NULL)
            servers[i].log_level = config->daemon.log.level;
    }
}

/* Allowed, but hardly meant, unless the server is there for its clients or modules. In a file with errors it may follow
 * from one of them. */
static void warn_of_no_routes(const struct rtn_config *config, const struct rtn_node *root, struct rtn_diags *diags)
{
    const struct rtn_config_server *servers = config->servers.items;

    for (size_t i = 0; diags->errors == 0 && i < config->servers.count; i++) {
        const struct rtn_node_pair *pair = rtn_node_pair(rtn_node_get(root, "servers"), servers[i].name);
        bool works_alone = servers[i].listen.count == 0 && servers[i].clients.count + servers[i].modules.count > 0;
        bool http = servers[i].protocol == RTN_PROTOCOL_HTTP;
        if (http && servers[i].routes.count == 0 && !works_alone && pair != NULL)
            rtn_diags_warning(diags, pair->name_mark, "server \"%s\" has no routes: every request is answered with 404",
                              servers[i].name);
    }
}

/* Ids of requests have room for so many. */
static void check_loops(const struct rtn_config *config, struct rtn_diags *diags)
{
    const struct rtn_config_server *servers = config->servers.items;
    int64_t loops = 0;

    for (size_t i = 0; i < config->servers.count; i++) {
        loops += servers[i].loops;
        if (loops > MOST_LOOPS) {
            rtn_diags_error(diags, rtn_schema_mark(servers[i].node, "loops"),
                            "server \"%s\": more than %d loops in all servers together", servers[i].name, MOST_LOOPS);
            return;
        }
    }
}

static void fill(struct rtn_config *config, const struct rtn_node *root, struct rtn_diags *diags)
{
    check_servers_given(root, diags);
    rtn_schema_read(&rtn_config_root_table, root, "", config, &config->arena, diags);
    rtn_config_check_listeners(config, diags);
    rtn_config_check_control_alone(config, diags);
    check_loops(config, diags);
    inherit(config);
    warn_of_no_routes(config, root, diags);
}

int rtn_config_load(const char *path, struct rtn_config **ret, struct rtn_diags *diags)
{
    struct rtn_config *config = new_config();
    size_t errors = diags->errors;
    struct rtn_node *root = rtn_config_read_main(config, path, diags);

    if (root != NULL) {
        rtn_config_follow_includes(config, root, diags);
        fill(config, root, diags);
    }
    *ret = config;
    return diags->errors > errors ? -EINVAL : 0;
}

int rtn_config_load_text(const char *name, struct rtn_str text, struct rtn_config **ret, struct rtn_diags *diags)
{
    struct rtn_config *config = new_config();
    size_t errors = diags->errors;
    const struct rtn_node *root = rtn_config_read_text(config, name, text, diags);

    if (root != NULL)
        fill(config, root, diags);
    *ret = config;
    return diags->errors > errors ? -EINVAL : 0;
}
