/*
 * YAML text to node trees. A subset of YAML 1.1: one document of maps, lists and scalars; anchors and
 * aliases; no tags, no merge keys. Every scalar value is text until a schema gives it a type. [main]
 */
#ifndef RTN_CONFIG_YAML_TREE_H
#define RTN_CONFIG_YAML_TREE_H

#include "config/node.h"

/* Bytes of a file, levels of nesting, values of a file with its aliases replaced, bytes of a key. */
#define RTN_YAML_SIZE_MAX (1024 * 1024)
#define RTN_YAML_DEPTH_MAX 32
#define RTN_YAML_NODES_MAX 50000
#define RTN_YAML_KEY_MAX 128

/* The text without a byte order mark: columns count from there. */
struct rtn_str rtn_yaml_strip_bom(struct rtn_str text);

/*
 * Reads `source` (its text stripped of the byte order mark), which must live as long as the tree. Returns the tree;
 * NULL when there is nothing in the file, or when there are errors that leave no tree. A tree may come
 * with errors too (a key given twice): whoever needs a sound one looks at diags->errors.
 */
struct rtn_node *rtn_yaml_read(const struct rtn_source *source, struct rtn_arena *arena, struct rtn_diags *diags);

#endif
