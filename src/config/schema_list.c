/*
 * Values that repeat: lists of strings, paths and flags, lists of structs, maps of named structs.
 * Elements that are wrong stay in arrays with zero members, so that later checks see the others.
 */
#include "config/schema_internal.h"

static bool count_in_bounds(const struct rtn_schema_key *key, size_t count, const struct rtn_node *node,
                            const struct rtn_schema_context *context)
{
    if (key->max <= 0)
        return true;
    if (count == 0 && key->min > 0)
        return rtn_schema_error(context, node->mark, "\"%s\" is empty", key->name);
    if (count >= (size_t) key->min && count <= (size_t) key->max)
        return true;
    return rtn_schema_error(context, node->mark, "\"%s\" must have %lld to %lld entries, not %zu", key->name,
                            (long long) key->min, (long long) key->max, count);
}

/* One entry of a list of strings, paths or flags: a row of the single type reads it. */
static bool read_element(const struct rtn_schema_key *key, enum rtn_schema_type type, const struct rtn_node *node,
                         void *value, const struct rtn_schema_context *context)
{
    struct rtn_schema_key single = *key;

    if (node->broken)
        return false;
    if (rtn_node_is_null(node))
        return rtn_schema_error(context, node->mark, "an entry of \"%s\" has no value", key->name);
    single.type = type;
    single.max = 0;
    return rtn_schema_parse(&single, node, value, context);
}

static bool read_strings(const struct rtn_schema_key *key, struct rtn_node *const *items, size_t count, void *value,
                         const struct rtn_schema_context *context)
{
    enum rtn_schema_type type = key->type == RTN_SCHEMA_PATHS ? RTN_SCHEMA_PATH : RTN_SCHEMA_STRING;
    struct rtn_schema_strings strings = { .count = count };
    bool ok = true;

    strings.items = rtn_config_alloc(context->arena, count * sizeof(*strings.items));
    strings.nodes = rtn_config_alloc(context->arena, count * sizeof(*strings.nodes));
    for (size_t i = 0; i < count; i++) {
        strings.nodes[i] = items[i]->mark.source != NULL ? items[i] : NULL;
        ok = read_element(key, type, items[i], (void *) &strings.items[i], context) && ok;
    }
    if (ok)
        *(struct rtn_schema_strings *) value = strings;
    return ok;
}

static bool read_flags(const struct rtn_schema_key *key, struct rtn_node *const *items, size_t count, void *value,
                       const struct rtn_schema_context *context)
{
    unsigned flags = 0;
    bool ok = true;

    for (size_t i = 0; i < count; i++) {
        int flag = 0;
        if (!read_element(key, RTN_SCHEMA_ENUM, items[i], &flag, context))
            ok = false;
        else if (((unsigned) flag & flags) != 0)
            ok = rtn_schema_error(context, items[i]->mark, "\"%s\" holds %.*s twice", key->name,
                                  RTN_STR_ARG(items[i]->text));
        flags |= (unsigned) flag;
    }
    if (ok)
        *(unsigned *) value = flags;
    return ok;
}

/* route "/x", or route 3 when the label cannot be read. */
static const char *label(const struct rtn_schema_table *table, const struct rtn_node *node, size_t index,
                         const struct rtn_schema_context *context)
{
    const char *separator = context->where[0] != '\0' ? ": " : "";
    const struct rtn_node *name = table->label != NULL ? rtn_node_get(node, table->label) : NULL;

    if (table->shorthand != NULL && node->kind == RTN_NODE_SCALAR)
        name = node;
    if (name == NULL || name->kind != RTN_NODE_SCALAR || name->text.length == 0)
        return rtn_config_printf(context->arena, "%s%s%s %zu", context->where, separator, table->name, index + 1);
    return rtn_config_printf(context->arena, "%s%s%s %s", context->where, separator, table->name,
                             rtn_node_quote(name->text, context->arena));
}

static bool read_structs(const struct rtn_schema_key *key, struct rtn_node *const *items, size_t count, void *value,
                         const struct rtn_schema_context *context)
{
    struct rtn_schema_array array = { .count = count };
    struct rtn_schema_context inner = *context;

    array.items = rtn_config_alloc(context->arena, count * key->table->size);
    for (size_t i = 0; i < count; i++) {
        inner.where = label(key->table, items[i], i, context);
        inner.mark = items[i]->mark;
        if (items[i]->broken)
            continue;
        if (rtn_node_is_null(items[i]))
            rtn_schema_error(context, items[i]->mark, "an entry of \"%s\" has no value", key->name);
        else
            rtn_schema_read_struct(key->table, items[i], (char *) array.items + i * key->table->size, &inner);
    }
    *(struct rtn_schema_array *) value = array;
    return true;
}

static bool read_named(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                       const struct rtn_schema_context *context)
{
    const struct rtn_schema_table *table = key->table;
    struct rtn_schema_array array = { .count = node->count };
    struct rtn_schema_context inner = *context;

    array.items = rtn_config_alloc(context->arena, node->count * table->size);
    for (size_t i = 0; i < node->count; i++) {
        const struct rtn_node_pair *pair = &node->pairs[i];
        char *object = (char *) array.items + i * table->size;
        inner.where =
            rtn_config_printf(context->arena, "%s %s", table->name, rtn_node_quote(pair->name, context->arena));
        inner.mark = pair->name_mark;
        *(const char **) (void *) (object + table->name_offset) = pair->name.data;
        if (pair->value->broken)
            continue;
        if (rtn_node_is_null(pair->value))
            rtn_schema_error(&inner, pair->name_mark, "has no keys");
        else
            rtn_schema_read_struct(table, pair->value, object, &inner);
    }
    *(struct rtn_schema_array *) value = array;
    return true;
}

static bool must_be(const struct rtn_schema_key *key, const char *what, const struct rtn_node *node,
                    const struct rtn_schema_context *context)
{
    return rtn_schema_error(context, node->mark, "\"%s\" must be %s, not %s", key->name, what,
                            rtn_node_describe(node, context->arena));
}

static bool read_items(const struct rtn_schema_key *key, struct rtn_node *const *items, size_t count, void *value,
                       const struct rtn_schema_context *context)
{
    if (key->type == RTN_SCHEMA_FLAGS)
        return read_flags(key, items, count, value, context);
    if (key->type == RTN_SCHEMA_LIST)
        return read_structs(key, items, count, value, context);
    return read_strings(key, items, count, value, context);
}

static struct rtn_node *scalar_node(struct rtn_str text, struct rtn_arena *arena)
{
    struct rtn_node *node = rtn_config_alloc(arena, sizeof(*node));

    node->text = (struct rtn_str){ rtn_config_strdup(arena, text), text.length };
    return node;
}

const struct rtn_node *rtn_schema_fallback_node(const struct rtn_schema_key *key, struct rtn_arena *arena)
{
    struct rtn_str text = rtn_str_of(key->fallback), item;
    struct rtn_node *list;

    if (key->type < RTN_SCHEMA_FLAGS || text.data[0] != '[')
        return scalar_node(text, arena);
    list = rtn_config_alloc(arena, sizeof(*list));
    list->kind = RTN_NODE_LIST;
    list->items = rtn_config_alloc(arena, text.length * sizeof(*list->items));
    text = (struct rtn_str){ text.data + 1, text.length - 2 };
    while (rtn_str_next(&text, ',', &item))
        list->items[list->count++] = scalar_node(item, arena);
    return list;
}

bool rtn_schema_read_list(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                          const struct rtn_schema_context *context)
{
    bool single = key->type != RTN_SCHEMA_LIST || key->table->shorthand != NULL;

    if (key->type == RTN_SCHEMA_NAMED) {
        if (node->kind != RTN_NODE_MAP)
            return must_be(key, "a map of names", node, context);
        return count_in_bounds(key, node->count, node, context) && read_named(key, node, value, context);
    }
    if (node->kind == RTN_NODE_LIST)
        return count_in_bounds(key, node->count, node, context) &&
               read_items(key, node->items, node->count, value, context);
    if (!single || (node->kind == RTN_NODE_MAP && key->type != RTN_SCHEMA_LIST))
        return must_be(key, "a list, each entry after a \"- \"", node, context);

    struct rtn_node *copy = rtn_config_alloc(context->arena, sizeof(*copy));
    *copy = *node;
    return read_items(key, &copy, 1, value, context);
}
