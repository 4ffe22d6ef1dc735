/* Tables and checks that the config_*.c files share; nobody else includes this. [main] */
#ifndef RTN_CONFIG_CONFIG_TABLES_H
#define RTN_CONFIG_CONFIG_TABLES_H

#include "config/config.h"

extern const struct rtn_schema_table rtn_config_root_table; /* struct rtn_config */
extern const struct rtn_schema_table rtn_config_daemon_table;
extern const struct rtn_schema_table rtn_config_log_table;
extern const struct rtn_schema_table rtn_config_server_table;
extern const struct rtn_schema_table rtn_config_listen_table;
extern const struct rtn_schema_table rtn_config_access_log_table;
extern const struct rtn_schema_table rtn_config_compression_table;
extern const struct rtn_schema_table rtn_config_limits_table;
extern const struct rtn_schema_table rtn_config_timeouts_table;
extern const struct rtn_schema_table rtn_config_route_table;
extern const struct rtn_schema_table rtn_config_route_limits_table;
extern const struct rtn_schema_table rtn_config_route_timeouts_table;
extern const struct rtn_schema_table rtn_config_client_table;
extern const struct rtn_schema_table rtn_config_use_table;
extern const struct rtn_schema_table rtn_config_deflate_table;

extern const struct rtn_schema_topic rtn_config_topics[]; /* of the whole file */

extern const struct rtn_schema_choice rtn_config_protocols[]; /* enum rtn_config_protocol */
extern const struct rtn_schema_choice rtn_config_line_ends[]; /* enum rtn_config_line_end */
extern const struct rtn_schema_choice rtn_config_long_lines[]; /* enum rtn_config_long_lines */
extern const struct rtn_schema_choice rtn_config_levels[]; /* enum rtn_log_level */
extern const struct rtn_schema_choice rtn_config_methods[]; /* enum rtn_method */
extern const struct rtn_schema_choice rtn_config_bodies[]; /* enum rtn_config_body, without INHERIT */
extern const struct rtn_schema_choice rtn_config_efforts[]; /* enum rtn_config_effort */
extern const struct rtn_schema_choice rtn_config_backlogs[]; /* enum rtn_config_backlog, without INHERIT */

/* False for a key of the server, its listeners, limits or timeouts that servers of this protocol do not have. */
bool rtn_config_key_is_for(const struct rtn_schema_table *table, struct rtn_str name, int protocol);

/* False when the protocol of a server is not what it was meant to be: the key is misspelled, or its value. */
bool rtn_config_protocol_is_known(const struct rtn_node *server);

/* Reports keys that are for other protocols; a server that has not what one of its protocol needs. */
void rtn_config_check_keys(const struct rtn_config_server *server, const struct rtn_node *node,
                           const struct rtn_schema_context *context);
void rtn_config_check_purpose(const struct rtn_config_server *server, const struct rtn_node *node,
                              const struct rtn_schema_context *context);

/* Reports an idle timeout too short for the protocol; fills in the default of line servers. */
void rtn_config_check_idle(struct rtn_config_server *server, const struct rtn_node *node,
                           const struct rtn_schema_context *context);

/* Key check of the greeting of line servers. */
bool rtn_config_check_greeting(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);

/* config_diff_rows.c: when a change of the key at a path takes hold; NULL: it only holds others. */
const char *rtn_config_when_changed(const char *path);

/* A value that fits on one line, as it is written; of any type but maps, lists of maps and free ones. */
void rtn_config_append_value(struct rtn_buf *out, const struct rtn_schema_key *key, const void *value);

/* True for the address that stands for standard input and output. */
bool rtn_config_is_stdio(const char *address);

/* What the key "to" of a log says: whether that is a file (file:PATH), and its path made absolute, in *target too; NULL
 * after an error was reported. */
bool rtn_config_is_file(const char *target);
const char *rtn_config_log_file(const char **target, const struct rtn_node *node,
                                const struct rtn_schema_context *context);

/* Reports a target that is neither a file nor one of `names`. */
void rtn_config_log_unknown(const char *target, const char *const *names, size_t count, const struct rtn_node *node,
                            const struct rtn_schema_context *context);

/* Key checks: media types by file name extension; addresses of proxies. */
bool rtn_config_check_media_types(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);
bool rtn_config_check_proxies(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);

/* Key check of `control`; and reports listeners of servers that are at its place. */
bool rtn_config_check_control(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);
void rtn_config_check_control_alone(const struct rtn_config *config, struct rtn_diags *diags);

/* Reports listeners that need trusted proxies on a server without. */
void rtn_config_check_proxy_protocol(const struct rtn_config_server *server, const struct rtn_schema_context *context);

/* Reports a choice of fields on a server that believes none of them. */
void rtn_config_check_proxy_header(const struct rtn_config_server *server, const struct rtn_node *node,
                                   const struct rtn_schema_context *context);

/* Key check of a module, on a route, a client or a server. Its handlers are known when it is loaded. */
bool rtn_config_check_module(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);

#define RTN_CONFIG_MODULE_PATTERN "^([A-Za-z0-9_-]+|.+\\.so|.*\\$\\{.*)$"

/* Key check of `origins`, which puts them in lower case; and what they are by default. */
bool rtn_config_check_origins(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);
void rtn_config_default_origins(struct rtn_schema_strings *origins, struct rtn_arena *arena);

/* Key checks of what a client says in its handshake. */
bool rtn_config_check_url(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);
bool rtn_config_check_headers(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);
bool rtn_config_check_protocols(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);

/* Reports two listeners on one address, in one server or two. */
void rtn_config_check_listeners(const struct rtn_config *config, struct rtn_diags *diags);

/* Key check of `routes`: reports routes that take the same requests. */
bool rtn_config_check_routes(void *value, const struct rtn_node *node, const struct rtn_schema_context *context);

/* "type/subtype", also with "; name=value" behind. */
bool rtn_config_is_media_type(struct rtn_str text);

/* The host of a route, *ret in lower case and without a final dot, or why `text` cannot be one. Memory comes from
 * `arena`. */
const char *rtn_config_host_read(const char *text, struct rtn_arena *arena, const char **ret);

/* HOST[:PORT] of a URL, *ret in the same form, or why `text` cannot be that. Memory comes from `arena`. */
const char *rtn_config_authority_read(struct rtn_str text, struct rtn_arena *arena, const char **ret);

/* Why `path` cannot be the path of a route; NULL when it can. Memory comes from `arena`. */
const char *rtn_config_path_problem(const char *path, struct rtn_arena *arena);

/* The path with the names of its {parameters} left out: equal for paths that match the same targets. */
const char *rtn_config_path_shape(const char *path, struct rtn_arena *arena);

#endif
