/*
 * The tree that YAML files become: scalars, lists and maps, each with its place. Frozen after
 * loading; owned by the arena of the configuration. An alias shares the node of its anchor, so the
 * tree may have several ways to one node, but never a circle. [main, then frozen]
 */
#ifndef RTN_CONFIG_NODE_H
#define RTN_CONFIG_NODE_H

#include "base/arena.h"
#include "base/diag.h"

enum rtn_node_kind { RTN_NODE_SCALAR, RTN_NODE_LIST, RTN_NODE_MAP };

struct rtn_node;

struct rtn_node_pair {
    struct rtn_str name; /* also NUL-terminated; may hold any character but NUL */
    struct rtn_mark name_mark;
    struct rtn_node *value;
};

struct rtn_node {
    enum rtn_node_kind kind;
    struct rtn_mark mark; /* of the whole scalar; of the first word of a list or map */
    bool broken; /* scalar whose problem was reported already: nothing more to say about it */
    bool quoted; /* scalar in quotes: never null, a number or a boolean */
    struct rtn_str text; /* scalar, after ${NAME} was replaced; also NUL-terminated */
    struct rtn_node **items; /* list */
    struct rtn_node_pair *pairs; /* map; names are unique */
    size_t count; /* of items or pairs */
};

/* The pair or value of `name` in a map; NULL when absent or when node is NULL or no map. */
const struct rtn_node_pair *rtn_node_pair(const struct rtn_node *node, const char *name);
const struct rtn_node *rtn_node_get(const struct rtn_node *node, const char *name);

/* An empty plain scalar, or ~ or null. */
bool rtn_node_is_null(const struct rtn_node *node);

/* For messages: the scalar in quotes, "a list" or "a map". Memory comes from `arena`. */
const char *rtn_node_describe(const struct rtn_node *node, struct rtn_arena *arena);

/* For messages: in double quotes, without control characters, cut when long. Memory comes from `arena`. */
const char *rtn_node_quote(struct rtn_str text, struct rtn_arena *arena);

#endif
