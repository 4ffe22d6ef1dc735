/*
 * What a table says about itself: JSON Schema, explanations, chapters of a manual. Paths of keys are
 * written with dots; NAME stands for the name in a map of named structs: servers.NAME.limits.body. [main]
 */
#ifndef RTN_CONFIG_SCHEMA_DOC_H
#define RTN_CONFIG_SCHEMA_DOC_H

#include "config/schema.h"

/* A key with its whole path; `depth` counts the maps around it. */
typedef void rtn_schema_visit_fn(const struct rtn_schema_key *key, const char *path, unsigned depth, void *data);

/* Every key below `table`, parents first, in table order. */
void rtn_schema_visit(const struct rtn_schema_table *table, rtn_schema_visit_fn *visit, void *data);

/* "whole number, 0 to 1024". */
void rtn_schema_describe_type(const struct rtn_schema_key *key, struct rtn_buf *out);

/* "8", "none", "required"; as people read it. */
void rtn_schema_describe_default(const struct rtn_schema_key *key, struct rtn_buf *out);

/* Every key whose path is or ends in `wanted`, else the topic of that name. Returns 0, or -ENOENT with a suggestion in
 * `out`. */
int rtn_schema_explain(const struct rtn_schema_table *table, const char *wanted, struct rtn_buf *out);

/* mdoc. */
void rtn_schema_manual(const struct rtn_schema_table *table, struct rtn_buf *out);

/* JSON Schema, 2020-12. */
void rtn_schema_json(const struct rtn_schema_table *table, const char *title, struct rtn_buf *out);

#endif
