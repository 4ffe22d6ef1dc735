/* What the schema_*.c files share; nobody else includes this. [main] */
#ifndef RTN_CONFIG_SCHEMA_INTERNAL_H
#define RTN_CONFIG_SCHEMA_INTERNAL_H

#include "config/memory.h"
#include "config/schema.h"

/* Any value; arrays and maps too. False after an error was reported. */
bool rtn_schema_read_value(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                           const struct rtn_schema_context *context);

/* A struct; `context` already says where it is. False when one of its own keys is wrong. */
bool rtn_schema_read_struct(const struct rtn_schema_table *table, const struct rtn_node *node, void *object,
                            const struct rtn_schema_context *context);

/* BOOL to ENUM. */
bool rtn_schema_parse(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                      const struct rtn_schema_context *context);

/* FLAGS to NAMED, but not MAP. */
bool rtn_schema_read_list(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                          const struct rtn_schema_context *context);

/* The `fallback` of a row as the node that it would be in a file. */
const struct rtn_node *rtn_schema_fallback_node(const struct rtn_schema_key *key, struct rtn_arena *arena);

/* The value of the choice `node` names, or NULL after an error was reported. */
const struct rtn_schema_choice *rtn_schema_choose(const struct rtn_schema_key *key, const struct rtn_node *node,
                                                  const struct rtn_schema_context *context);

/* Reports a number, size or duration outside the bounds of its row. */
bool rtn_schema_in_bounds(const struct rtn_schema_key *key, int64_t number, const struct rtn_node *node,
                          const struct rtn_schema_context *context);

/* Reports text that is no size or no duration, saying how it is written. `code`: of the parser. Always false. */
bool rtn_schema_unit_error(const struct rtn_schema_key *key, int code, const struct rtn_node *node,
                           const struct rtn_schema_context *context);

/* A number as its type is written: 16KiB, 10s, 8. Memory comes from `arena`. */
const char *rtn_schema_number(enum rtn_schema_type type, int64_t number, struct rtn_arena *arena);

bool rtn_schema_has_key(const struct rtn_schema_table *table, struct rtn_str name);

/* Reports a key that the table does not have. */
void rtn_schema_unknown_key(const struct rtn_schema_table *table, const struct rtn_node_pair *pair,
                            const struct rtn_schema_context *context);

/* ; did you mean "x"? of the choices of a key. */
const char *rtn_schema_suggest_choice(const struct rtn_schema_key *key, struct rtn_str given, struct rtn_arena *arena);

#endif
