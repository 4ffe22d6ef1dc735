/*
 * Walks a node tree along a table. A struct is read key by key in table order; each key goes to the
 * reader of its type (schema_parse.c for single values, schema_list.c for what repeats). A key that
 * is wrong is reported and left zero, and reading goes on: one run finds every problem.
 */
#include "config/schema.h"

#include <stdarg.h>
#include <stdint.h>

#include "config/schema_internal.h"

bool rtn_schema_error(const struct rtn_schema_context *context, struct rtn_mark mark, const char *format, ...)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    va_list arguments;

    va_start(arguments, format);
    rtn_buf_vprintf(&text, format, arguments);
    va_end(arguments);
    rtn_diags_error(context->diags, mark, "%s%s%s", context->where, context->where[0] != '\0' ? ": " : "", text.data);
    return false;
}

struct rtn_mark rtn_schema_mark(const struct rtn_node *node, const char *name)
{
    const struct rtn_node_pair *pair = rtn_node_pair(node, name);

    if (pair == NULL)
        return node != NULL ? node->mark : (struct rtn_mark){ 0 };
    return pair->value->kind == RTN_NODE_SCALAR ? pair->value->mark : pair->name_mark;
}

/* The one to mention when a map is missing altogether. */
static const char *typical_key(const struct rtn_schema_table *table)
{
    if (table->typical != NULL)
        return table->typical;
    for (const struct rtn_schema_key *key = table->keys; key->name != NULL; key++) {
        if (key->required)
            return key->name;
    }
    return table->keys[0].name;
}

static bool read_map(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                     const struct rtn_schema_context *context)
{
    const char *separator = context->where[0] != '\0' ? ": " : "";
    struct rtn_schema_context inner = *context;

    inner.where = rtn_config_printf(context->arena, "%s%s%s", context->where, separator, key->name);
    inner.mark = node != NULL ? node->mark : context->mark;
    if (node != NULL && node->kind != RTN_NODE_MAP && key->table->shorthand == NULL)
        return rtn_schema_error(context, node->mark, "\"%s\" must be a map with keys such as \"%s\"%s, not %s",
                                key->name, typical_key(key->table), key->switches_on ? ", or {}" : "",
                                rtn_node_describe(node, context->arena));
    rtn_schema_read_struct(key->table, node, value, &inner);
    return true;
}

static bool read_free(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                      const struct rtn_schema_context *context)
{
    if (node->kind != RTN_NODE_MAP)
        return rtn_schema_error(context, node->mark, "\"%s\" must be a map, not %s", key->name,
                                rtn_node_describe(node, context->arena));
    *(const struct rtn_node **) value = node;
    return true;
}

bool rtn_schema_read_value(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                           const struct rtn_schema_context *context)
{
    switch (key->type) {
    case RTN_SCHEMA_MAP:
        return read_map(key, node, value, context);
    case RTN_SCHEMA_FLAGS:
    case RTN_SCHEMA_STRINGS:
    case RTN_SCHEMA_PATHS:
    case RTN_SCHEMA_LIST:
    case RTN_SCHEMA_NAMED:
        return rtn_schema_read_list(key, node, value, context);
    case RTN_SCHEMA_FREE:
        return read_free(key, node, value, context);
    default:
        return rtn_schema_parse(key, node, value, context);
    }
}

/* Defaults go through the same readers; one that is refused is a mistake in a table and has no place to show. */
static bool read_default(const struct rtn_schema_key *key, const struct rtn_schema_table *table,
                         const struct rtn_node *map, void *value, const struct rtn_schema_context *context)
{
    if (key->required && rtn_schema_is_meant(table, map, key->name))
        return false;
    if (key->required)
        return rtn_schema_error(context, context->mark, "\"%s\" is missing", key->name);
    if (key->type == RTN_SCHEMA_MAP)
        return read_map(key, NULL, value, context);
    if (key->fallback == NULL)
        return true;
    const struct rtn_node *node = rtn_schema_fallback_node(key, context->arena);
    return rtn_schema_read_value(key, node, value, context) && (key->check == NULL || key->check(value, node, context));
}

static bool read_key(const struct rtn_schema_key *key, const struct rtn_schema_table *table, const struct rtn_node *map,
                     void *object, const struct rtn_schema_context *context)
{
    const struct rtn_node_pair *pair = rtn_node_pair(map, key->name);
    void *value = (char *) object + key->offset;

    if (pair == NULL)
        return read_default(key, table, map, value, context);
    if (pair->value->broken)
        return false;
    if (rtn_node_is_null(pair->value))
        return rtn_schema_error(context, pair->name_mark, "\"%s\" has no value%s", key->name,
                                key->switches_on ? "; write {}" : "");
    if (!rtn_schema_read_value(key, pair->value, value, context))
        return false;
    return key->check == NULL || key->check(value, pair->value, context);
}

bool rtn_schema_has_key(const struct rtn_schema_table *table, struct rtn_str name)
{
    for (const struct rtn_schema_key *key = table->keys; key->name != NULL; key++) {
        if (rtn_str_equal(rtn_str_of(key->name), name))
            return true;
    }
    return false;
}

bool rtn_schema_has_unknown_key(const struct rtn_schema_table *table, const struct rtn_node *map)
{
    for (size_t i = 0; map != NULL && i < map->count; i++) {
        if (!rtn_schema_has_key(table, map->pairs[i].name))
            return true;
    }
    return false;
}

static bool report_unknown_keys(const struct rtn_schema_table *table, const struct rtn_node *map,
                                const struct rtn_schema_context *context)
{
    bool ok = true;

    for (size_t i = 0; map != NULL && i < map->count; i++) {
        if (rtn_schema_has_key(table, map->pairs[i].name))
            continue;
        rtn_schema_unknown_key(table, &map->pairs[i], context);
        ok = false;
    }
    return ok;
}

/* The map a scalar stands for. */
static const struct rtn_node *long_form(const struct rtn_schema_table *table, const struct rtn_node *scalar,
                                        struct rtn_arena *arena)
{
    struct rtn_node *map = rtn_config_alloc(arena, sizeof(*map));

    map->kind = RTN_NODE_MAP;
    map->mark = scalar->mark;
    map->pairs = rtn_config_alloc(arena, sizeof(*map->pairs));
    map->count = 1;
    map->pairs[0].name = rtn_str_of(table->shorthand);
    map->pairs[0].name_mark = scalar->mark;
    map->pairs[0].value = rtn_config_alloc(arena, sizeof(*scalar));
    *map->pairs[0].value = *scalar;
    return map;
}

bool rtn_schema_read_struct(const struct rtn_schema_table *table, const struct rtn_node *node, void *object,
                            const struct rtn_schema_context *context)
{
    if (node != NULL && node->kind == RTN_NODE_SCALAR && table->shorthand != NULL)
        node = long_form(table, node, context->arena);
    if (node != NULL && node->kind != RTN_NODE_MAP)
        return rtn_schema_error(context, node->mark, "must be a map with keys such as \"%s\", not %s",
                                typical_key(table), rtn_node_describe(node, context->arena));
    if (table->node_offset != SIZE_MAX)
        *(const struct rtn_node **) (void *) ((char *) object + table->node_offset) = node;

    bool ok = report_unknown_keys(table, node, context);
    for (const struct rtn_schema_key *key = table->keys; key->name != NULL; key++)
        ok = read_key(key, table, node, object, context) && ok;
    if (table->check != NULL) {
        struct rtn_schema_context inner = *context;
        inner.sound = ok;
        table->check(object, node, &inner);
    }
    return ok;
}

void rtn_schema_read(const struct rtn_schema_table *table, const struct rtn_node *node, const char *where, void *object,
                     struct rtn_arena *arena, struct rtn_diags *diags)
{
    struct rtn_schema_context context = {
        .where = where,
        .root = table,
        .mark = node != NULL ? node->mark : (struct rtn_mark){ 0 },
        .arena = arena,
        .diags = diags,
    };

    rtn_schema_read_struct(table, node, object, &context);
}
