/* The files of a configuration: reading them, following includes, merging their servers. [main] */
#ifndef RTN_CONFIG_CONFIG_INCLUDE_H
#define RTN_CONFIG_CONFIG_INCLUDE_H

#include "config/config.h"

/* The tree of text in memory; NULL as rtn_yaml_read(). An empty file is reported. */
struct rtn_node *rtn_config_read_text(struct rtn_config *config, const char *name, struct rtn_str text,
                                      struct rtn_diags *diags);

/* The tree of the main file. */
struct rtn_node *rtn_config_read_main(struct rtn_config *config, const char *path, struct rtn_diags *diags);

/* Reads what daemon.include of `root` names, and puts the servers found there behind those of `root`. */
void rtn_config_follow_includes(struct rtn_config *config, struct rtn_node *root, struct rtn_diags *diags);

#endif
