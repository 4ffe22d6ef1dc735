/* Scalars and keys written as YAML on one line. [main] */
#ifndef RTN_CONFIG_YAML_WRITE_H
#define RTN_CONFIG_YAML_WRITE_H

#include "config/node.h"

/* A value that is text, with its dollar signs doubled. */
void rtn_yaml_append_text(struct rtn_buf *out, const char *text);

/* A scalar that keeps its quotes, if it has some, or stays null. */
void rtn_yaml_append_scalar(struct rtn_buf *out, const struct rtn_node *node);

/* A key and its colon. */
void rtn_yaml_append_name(struct rtn_buf *out, struct rtn_str name);

#endif
