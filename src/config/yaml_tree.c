/*
 * Turns libyaml's events into a tree. Each read_ function starts at the first event of its node and
 * leaves the last one current. Two kinds of errors: those that only spoil one node (a key given
 * twice) are reported and reading goes on; after the others (syntax, depth, size) a read_ function
 * returns NULL, and everything above it returns too.
 *
 * libyaml counts lines and columns from 0, we count from 1.
 */
#include "config/yaml_tree.h"

#include <stdint.h>

#include "base/utf8.h"
#include "config/yaml_internal.h"

struct anchor {
    struct rtn_node *node; /* NULL while it is being read */
    struct rtn_mark mark;
    size_t nodes; /* in it, aliases counted in full */
};

static struct rtn_node *read_node(struct rtn_yaml_reader *reader);

static bool next(struct rtn_yaml_reader *reader)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event))
        return true;
    rtn_yaml_report(reader);
    return false;
}

static struct rtn_mark here(const struct rtn_yaml_reader *reader)
{
    return rtn_yaml_mark(reader, &reader->event.start_mark, &reader->event.end_mark);
}

static bool count_nodes(struct rtn_yaml_reader *reader, size_t nodes)
{
    reader->nodes += nodes;
    if (reader->nodes <= RTN_YAML_NODES_MAX)
        return true;
    rtn_diags_error(reader->diags, here(reader), "the file holds more than %d values, counted with aliases replaced",
                    RTN_YAML_NODES_MAX);
    return false;
}

static bool enter(struct rtn_yaml_reader *reader)
{
    if (++reader->depth <= RTN_YAML_DEPTH_MAX)
        return true;
    rtn_diags_error(reader->diags, here(reader), "lists and maps are nested more than %d levels deep",
                    RTN_YAML_DEPTH_MAX);
    return false;
}

static struct rtn_node *new_node(const struct rtn_yaml_reader *reader, enum rtn_node_kind kind, struct rtn_mark mark)
{
    struct rtn_node *node = rtn_config_alloc(reader->arena, sizeof(*node));

    node->kind = kind;
    node->mark = mark;
    return node;
}

static struct rtn_node *read_scalar(struct rtn_yaml_reader *reader)
{
    struct rtn_node *node = new_node(reader, RTN_NODE_SCALAR, here(reader));

    node->quoted = reader->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    node->text = RTN_STR("");
    node->broken = !rtn_yaml_expand(reader, &node->text);
    return node;
}

static struct rtn_node *new_broken(const struct rtn_yaml_reader *reader)
{
    struct rtn_node *node = new_node(reader, RTN_NODE_SCALAR, here(reader));

    node->text = RTN_STR("");
    node->broken = true;
    return node;
}

static struct rtn_node *read_alias(struct rtn_yaml_reader *reader)
{
    const char *name = (const char *) reader->event.data.alias.anchor;
    struct anchor *anchor = rtn_map_get(&reader->anchors, rtn_str_of(name));

    if (anchor == NULL) {
        rtn_diags_error(reader->diags, here(reader), "alias *%s has no anchor &%s above it in this file", name, name);
        return new_broken(reader);
    }
    if (anchor->node == NULL) {
        rtn_diags_error(reader->diags, here(reader), "alias *%s stands inside its own anchor", name);
        rtn_diags_note(reader->diags, anchor->mark, "the anchor is here");
        return new_broken(reader);
    }
    return count_nodes(reader, anchor->nodes) ? anchor->node : NULL;
}

static struct rtn_node *read_list(struct rtn_yaml_reader *reader)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf items = { 0 };
    struct rtn_node *node = new_node(reader, RTN_NODE_LIST, here(reader));

    while (next(reader)) {
        if (reader->event.type == YAML_SEQUENCE_END_EVENT) {
            node->items = rtn_config_alloc(reader->arena, items.length);
            node->count = items.length / sizeof(*node->items);
            if (items.length > 0)
                memcpy((void *) node->items, items.data, items.length);
            return node;
        }
        struct rtn_node *item = read_node(reader);
        if (item == NULL)
            return NULL;
        rtn_buf_append(&items, (const void *) &item, sizeof(struct rtn_node *));
    }
    return NULL;
}

/* False when the key cannot stay; its value is read and dropped then. */
static bool check_key(struct rtn_yaml_reader *reader)
{
    const yaml_event_t *event = &reader->event;

    if (event->type != YAML_SCALAR_EVENT) {
        rtn_diags_error(reader->diags, here(reader), "a key must be plain text, not %s",
                        event->type == YAML_ALIAS_EVENT            ? "an alias"
                        : event->type == YAML_SEQUENCE_START_EVENT ? "a list"
                                                                   : "a map");
        return false;
    }
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct rtn_str name = { (const char *) event->data.scalar.value, event->data.scalar.length };
    if (plain && rtn_str_equal(name, RTN_STR("<<"))) {
        rtn_diags_error(reader->diags, here(reader), "merge keys (<<) are not supported; repeat the keys here");
        return false;
    }
    const char *problem = name.length == 0                               ? "a key is empty"
                          : memchr(name.data, '\0', name.length) != NULL ? "a key holds a NUL character"
                          : name.length > RTN_YAML_KEY_MAX               ? "a key is longer than 128 bytes"
                                                                         : NULL;
    if (problem != NULL) {
        rtn_diags_error(reader->diags, here(reader), "%s", problem);
        return false;
    }
    return true;
}

/* What a map under construction knows: its pairs, and where each name is among them. */
struct pairs {
    struct rtn_buf buf; /* struct rtn_node_pair */
    struct rtn_map index; /* name -> number from 1 */
};

static void pairs_done(struct pairs *pairs)
{
    rtn_buf_done(&pairs->buf);
    rtn_map_done(&pairs->index);
}

static void add_pair(const struct rtn_yaml_reader *reader, struct pairs *pairs, const struct rtn_node_pair *pair)
{
    uintptr_t number = pairs->buf.length / sizeof(*pair) + 1;

    if (rtn_map_add(&pairs->index, pair->name, (void *) number) == 0) {
        rtn_buf_append(&pairs->buf, pair, sizeof(*pair));
        return;
    }
    const struct rtn_node_pair *all = (const void *) pairs->buf.data;
    number = (uintptr_t) rtn_map_get(&pairs->index, pair->name);
    rtn_diags_error(reader->diags, pair->name_mark, "key %s is given twice", rtn_node_quote(pair->name, reader->arena));
    if (number > 0)
        rtn_diags_note(reader->diags, all[number - 1].name_mark, "the first one is here");
}

/* The current event is that of the key. */
static bool read_pair(struct rtn_yaml_reader *reader, struct pairs *pairs)
{
    struct rtn_node_pair pair = { .name_mark = here(reader) };
    bool keep = check_key(reader);

    if (keep)
        pair.name = (struct rtn_str){ rtn_config_strdup(reader->arena,
                                                        rtn_str_of((const char *) reader->event.data.scalar.value)),
                                      reader->event.data.scalar.length };
    else if (read_node(reader) == NULL)
        return false;
    if (!next(reader))
        return false;
    pair.value = read_node(reader);
    if (pair.value == NULL)
        return false;
    if (keep)
        add_pair(reader, pairs, &pair);
    return true;
}

static struct rtn_node *read_map(struct rtn_yaml_reader *reader)
{
    RTN_CLEANUP(pairs_done) struct pairs pairs = { 0 };
    struct rtn_node *node = new_node(reader, RTN_NODE_MAP, here(reader));
    bool block = reader->event.data.mapping_start.style == YAML_BLOCK_MAPPING_STYLE;

    while (next(reader)) {
        if (reader->event.type == YAML_MAPPING_END_EVENT) {
            node->pairs = rtn_config_alloc(reader->arena, pairs.buf.length);
            node->count = pairs.buf.length / sizeof(*node->pairs);
            if (node->count > 0)
                memcpy(node->pairs, pairs.buf.data, pairs.buf.length);
            return node;
        }
        if (block && pairs.buf.length == 0)
            node->mark = here(reader);
        if (!read_pair(reader, &pairs))
            return NULL;
    }
    return NULL;
}

static struct rtn_node *read_content(struct rtn_yaml_reader *reader)
{
    if (reader->event.type == YAML_SCALAR_EVENT)
        return read_scalar(reader);
    if (reader->event.type == YAML_ALIAS_EVENT)
        return read_alias(reader);
    if (!enter(reader))
        return NULL;
    struct rtn_node *node = reader->event.type == YAML_SEQUENCE_START_EVENT ? read_list(reader) : read_map(reader);
    reader->depth--;
    return node;
}

/* The anchor and tag of the current event; either is NULL when there is none. */
static const char *properties(const yaml_event_t *event, const char **tag)
{
    *tag = NULL;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        *tag = (const char *) event->data.scalar.tag;
        return (const char *) event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        *tag = (const char *) event->data.sequence_start.tag;
        return (const char *) event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        *tag = (const char *) event->data.mapping_start.tag;
        return (const char *) event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

/* A name may be used again: the aliases below mean the newest one. */
static struct anchor *open_anchor(struct rtn_yaml_reader *reader, const char *name)
{
    struct anchor *anchor = rtn_map_get(&reader->anchors, rtn_str_of(name));

    if (anchor == NULL) {
        anchor = rtn_config_alloc(reader->arena, sizeof(*anchor));
        if (rtn_map_add(&reader->anchors, rtn_str_of(rtn_config_strdup(reader->arena, rtn_str_of(name))), anchor) != 0)
            abort();
    }
    anchor->node = NULL;
    anchor->mark = here(reader);
    return anchor;
}

/* libyaml gives !!int as its full name. */
static void report_tag(const struct rtn_yaml_reader *reader, const char *tag)
{
    static const char core[] = "tag:yaml.org,2002:";
    bool is_core = strncmp(tag, core, strlen(core)) == 0;
    const char *shown =
        rtn_config_printf(reader->arena, "%s%s", is_core ? "!!" : "", tag + (is_core ? strlen(core) : 0));

    rtn_diags_error(reader->diags, here(reader), "tags are not supported; leave out %s",
                    rtn_node_quote(rtn_str_of(shown), reader->arena));
}

static struct rtn_node *read_node(struct rtn_yaml_reader *reader)
{
    const char *tag;
    const char *name = properties(&reader->event, &tag);
    struct anchor *anchor = name != NULL ? open_anchor(reader, name) : NULL;
    size_t before = reader->nodes;

    if (tag != NULL)
        report_tag(reader, tag);
    if (!count_nodes(reader, 1))
        return NULL;
    struct rtn_node *node = read_content(reader);
    if (anchor != NULL) {
        anchor->node = node;
        anchor->nodes = reader->nodes - before;
    }
    return node;
}

/* Nothing may follow the first document. */
static struct rtn_node *read_document(struct rtn_yaml_reader *reader)
{
    struct rtn_node *node;

    if (!next(reader) || (node = read_node(reader)) == NULL)
        return NULL;
    if (!next(reader) || !next(reader))
        return NULL;
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return rtn_node_is_null(node) ? NULL : node;
    rtn_diags_error(reader->diags, here(reader), "a second document starts here; a file holds one");
    return NULL;
}

static struct rtn_node *read_stream(struct rtn_yaml_reader *reader)
{
    if (!next(reader) || !next(reader) || reader->event.type == YAML_STREAM_END_EVENT)
        return NULL;
    return read_document(reader);
}

struct rtn_node *rtn_yaml_read(const struct rtn_source *source, struct rtn_arena *arena, struct rtn_diags *diags)
{
    struct rtn_yaml_reader reader = { .source = source, .arena = arena, .diags = diags };

    if (!rtn_yaml_check_text(source, diags))
        return NULL;
    if (!yaml_parser_initialize(&reader.parser))
        abort();
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *) source->text.data, source->text.length);
    struct rtn_node *node = read_stream(&reader);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    rtn_map_done(&reader.anchors);
    return node;
}
