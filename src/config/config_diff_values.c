/* Whether two values of a key are the same: by what they mean, not by where or how they are written. */
#include "config/config_diff_internal.h"
#include "config/memory.h"

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool is_same_strings(const struct rtn_schema_strings *a, const struct rtn_schema_strings *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    }
    return true;
}

/* The order of a map has no meaning. */
static bool is_same_node(const struct rtn_node *a, const struct rtn_node *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->kind != b->kind || a->count != b->count)
        return false;
    if (a->kind == RTN_NODE_SCALAR)
        return a->quoted == b->quoted && rtn_str_equal(a->text, b->text);
    for (size_t i = 0; i < a->count; i++) {
        bool same = a->kind == RTN_NODE_LIST ? is_same_node(a->items[i], b->items[i])
                                             : is_same_node(a->pairs[i].value, rtn_node_get(b, a->pairs[i].name.data));
        if (!same)
            return false;
    }
    return true;
}

static bool is_same_list(const struct rtn_schema_table *table, const struct rtn_schema_array *a,
                         const struct rtn_schema_array *b);

bool rtn_diff_is_same_value(const struct rtn_schema_key *key, const void *before, const void *after)
{
    switch (key->type) {
    case RTN_SCHEMA_BOOL:
        return *(const bool *) before == *(const bool *) after;
    case RTN_SCHEMA_INT:
    case RTN_SCHEMA_SIZE:
    case RTN_SCHEMA_DURATION:
        return *(const int64_t *) before == *(const int64_t *) after;
    case RTN_SCHEMA_ENUM:
    case RTN_SCHEMA_FLAGS:
        return *(const unsigned *) before == *(const unsigned *) after;
    case RTN_SCHEMA_STRING:
    case RTN_SCHEMA_PATH:
        return is_same_text(*(const char *const *) before, *(const char *const *) after);
    case RTN_SCHEMA_STRINGS:
    case RTN_SCHEMA_PATHS:
        return is_same_strings(before, after);
    case RTN_SCHEMA_FREE:
        return is_same_node(*(const struct rtn_node *const *) before, *(const struct rtn_node *const *) after);
    case RTN_SCHEMA_LIST:
    case RTN_SCHEMA_NAMED:
        return is_same_list(key->table, before, after);
    case RTN_SCHEMA_MAP:
        break;
    }
    return true; /* its keys are looked at one by one */
}

struct rtn_diff_pair rtn_diff_inner(const struct rtn_diff_pair *pair, const struct rtn_schema_key *key)
{
    return (struct rtn_diff_pair){ .table = key->table,
                                   .before = pair->before + key->offset,
                                   .after = pair->after + key->offset,
                                   .before_node = rtn_node_get(pair->before_node, key->name),
                                   .after_node = rtn_node_get(pair->after_node, key->name) };
}

bool rtn_diff_is_switched(const struct rtn_diff_pair *pair, const struct rtn_schema_key *key)
{
    return key->switches_on && (rtn_node_pair(pair->before_node, key->name) != NULL) !=
                                   (rtn_node_pair(pair->after_node, key->name) != NULL);
}

static void append_keys(const struct rtn_diff_pair *pair, const char *prefix, struct rtn_arena *arena,
                        struct rtn_buf *out)
{
    for (const struct rtn_schema_key *key = pair->table->keys; key->name != NULL; key++) {
        const struct rtn_diff_pair inner = rtn_diff_inner(pair, key);
        bool switched = rtn_diff_is_switched(pair, key);
        if (switched || !rtn_diff_is_same_value(key, inner.before, inner.after))
            rtn_buf_printf(out, "%s%s%s", out->length > 0 ? ", " : "", prefix, key->name);
        else if (key->type == RTN_SCHEMA_MAP)
            append_keys(&inner, rtn_config_printf(arena, "%s%s.", prefix, key->name), arena, out);
    }
}

const char *rtn_diff_keys(const struct rtn_diff_pair *pair, struct rtn_arena *arena)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf keys = { 0 };
    append_keys(pair, "", arena, &keys);
    return keys.length > 0 ? rtn_config_strdup(arena, rtn_buf_str(&keys)) : NULL;
}

static const struct rtn_node *node_of(const struct rtn_schema_table *table, const char *object)
{
    if (table->node_offset == SIZE_MAX)
        return NULL;
    return *(const struct rtn_node *const *) (const void *) (object + table->node_offset);
}

static bool is_same_list(const struct rtn_schema_table *table, const struct rtn_schema_array *a,
                         const struct rtn_schema_array *b)
{
    struct rtn_arena arena;
    bool same = a->count == b->count;
    rtn_arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < a->count && same; i++) {
        const char *before = (const char *) a->items + i * table->size;
        const char *after = (const char *) b->items + i * table->size;
        const struct rtn_diff_pair pair = { .table = table,
                                            .before = before,
                                            .after = after,
                                            .before_node = node_of(table, before),
                                            .after_node = node_of(table, after) };
        same = rtn_diff_keys(&pair, &arena) == NULL;
    }
    rtn_arena_done(&arena);
    return same;
}
