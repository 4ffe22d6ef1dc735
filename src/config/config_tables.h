/* Tables and checks that the config_*.c files share; nobody else includes this. [main] */
#ifndef RTN_CONFIG_CONFIG_TABLES_H
#define RTN_CONFIG_CONFIG_TABLES_H

#include "config/config.h"

extern const struct rtn_schema_table rtn_config_root_table; /* struct rtn_config */
extern const struct rtn_schema_table rtn_config_daemon_table;
extern const struct rtn_schema_table rtn_config_log_table;
extern const struct rtn_schema_table rtn_config_server_table;
extern const struct rtn_schema_table rtn_config_listen_table;
extern const struct rtn_schema_table rtn_config_limits_table;
extern const struct rtn_schema_table rtn_config_timeouts_table;
extern const struct rtn_schema_table rtn_config_route_table;

extern const struct rtn_schema_choice rtn_config_levels[]; /* enum rtn_log_level */

/* Reports two listeners on one address, in one server or two. */
void rtn_config_check_listeners(const struct rtn_config *config, struct rtn_diags *diags);

/* Key check of `routes`: reports routes that take the same requests. */
bool rtn_config_check_routes(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);

/* Why `path` cannot be the path of a route; NULL when it can. Memory comes from `arena`. */
const char *rtn_config_path_problem(const char *path, struct rtn_arena *arena);

/* The path with the names of its {parameters} left out: equal for paths that match the same targets. */
const char *rtn_config_path_shape(const char *path, struct rtn_arena *arena);

#endif
