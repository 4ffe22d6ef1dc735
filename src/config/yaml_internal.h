/* What the yaml_*.c files share; nobody else includes this. [main] */
#ifndef RTN_CONFIG_YAML_INTERNAL_H
#define RTN_CONFIG_YAML_INTERNAL_H

#include <yaml.h>

#include "base/map.h"
#include "config/memory.h"
#include "config/yaml_tree.h"

struct rtn_yaml_reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    const struct rtn_source *source;
    struct rtn_arena *arena;
    struct rtn_diags *diags;
    struct rtn_map anchors; /* name -> struct anchor of yaml_tree.c */
    size_t nodes; /* read so far, aliases counted in full */
    size_t replaced; /* bytes that ${NAME} brought in */
    unsigned depth;
    unsigned found_line; /* cursor of rtn_yaml_find(): a line and the offset of its first byte */
    size_t found_offset;
};

/* From `start`, the underline up to `end` (at least one character). */
struct rtn_mark rtn_yaml_mark(const struct rtn_yaml_reader *reader, const yaml_mark_t *start, const yaml_mark_t *end);

/* Offset in the text of a place of libyaml's. Fast when places ascend. */
size_t rtn_yaml_find(struct rtn_yaml_reader *reader, const yaml_mark_t *place);

/* Reports bytes that no YAML file may hold. True when there are none. */
bool rtn_yaml_check_text(const struct rtn_source *source, struct rtn_diags *diags);

/* Reports why libyaml stopped, in plain words. */
void rtn_yaml_report(const struct rtn_yaml_reader *reader);

/* The text of the current scalar event with ${NAME} replaced, in the arena. False after an error was reported. */
bool rtn_yaml_expand(struct rtn_yaml_reader *reader, struct rtn_str *ret);

#endif
