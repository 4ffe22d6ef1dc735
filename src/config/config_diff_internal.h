/* What the config_diff*.c files share; nobody else includes this. [main] */
#ifndef RTN_CONFIG_CONFIG_DIFF_INTERNAL_H
#define RTN_CONFIG_CONFIG_DIFF_INTERNAL_H

#include "config/config_diff.h"
#include "config/config_tables.h"

/* Two structs of a table, by their values, whatever made them; the nodes tell which switches are there. */
struct rtn_diff_pair {
    const struct rtn_schema_table *table;
    const char *before;
    const char *after;
    const struct rtn_node *before_node;
    const struct rtn_node *after_node;
};

/* The pair of an inner map. */
struct rtn_diff_pair rtn_diff_inner(const struct rtn_diff_pair *pair, const struct rtn_schema_key *key);

/* True when a switch is on one side only. */
bool rtn_diff_is_switched(const struct rtn_diff_pair *pair, const struct rtn_schema_key *key);

bool rtn_diff_is_same_value(const struct rtn_schema_key *key, const void *before, const void *after);

/* Keys that differ, with those of inner maps: "options, limits.body". Memory comes from `arena`; NULL: none. */
const char *rtn_diff_keys(const struct rtn_diff_pair *pair, struct rtn_arena *arena);

/* The entries of all lists of a server that has changed: into change->entries. */
void rtn_diff_entries(struct rtn_config_change *change, struct rtn_arena *arena);

#endif
