/* What an unknown word may have meant: the nearest known word, or the map where the key belongs. */
#include "config/schema_internal.h"

/* Maps with more keys than this are not listed when nothing is near. */
#define LIST_MAX 16
#define NAMES_MAX 64
#define PREFIX_MIN 3

/* One word is the start of the other: warning, warn. */
static bool is_longer_form(struct rtn_str a, struct rtn_str b)
{
    size_t length = RTN_MIN(a.length, b.length);

    return length >= PREFIX_MIN &&
           rtn_str_equal_nocase((struct rtn_str){ a.data, length }, (struct rtn_str){ b.data, length });
}

/* NULL when nothing is near. */
static const char *nearest(struct rtn_str given, const char *const *names, size_t count)
{
    /* A long word may hold more slips; a short one would be near to everything. */
    unsigned limit = (unsigned) RTN_MIN(1 + given.length / 6, (size_t) 3);
    const char *best = NULL;

    for (size_t i = 0; i < count; i++) {
        unsigned distance = rtn_str_distance(given, rtn_str_of(names[i]), limit);
        if (distance > limit || distance >= strlen(names[i]))
            continue;
        best = names[i];
        if (distance == 0)
            break;
        limit = distance - 1;
    }
    for (size_t i = 0; best == NULL && i < count; i++)
        best = is_longer_form(given, rtn_str_of(names[i])) ? names[i] : NULL;
    return best;
}

const char *rtn_schema_suggest(struct rtn_str given, const char *const *names, size_t count, struct rtn_arena *arena)
{
    const char *best = nearest(given, names, count);

    return best != NULL ? rtn_config_printf(arena, "; did you mean \"%s\"?", best) : "";
}

const char *rtn_schema_suggest_choice(const struct rtn_schema_key *key, struct rtn_str given, struct rtn_arena *arena)
{
    const char *names[NAMES_MAX];
    size_t count = 0;

    for (const struct rtn_schema_choice *choice = key->choices; choice->name != NULL && count < NAMES_MAX; choice++)
        names[count++] = choice->name;
    return rtn_schema_suggest(given, names, count, arena);
}

/* ; it belongs under "limits" - when a map below has exactly this key. */
static const char *belongs_below(const struct rtn_schema_table *table, struct rtn_str given, struct rtn_arena *arena)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf places = { 0 };

    for (const struct rtn_schema_key *key = table->keys; key->name != NULL; key++) {
        if (key->type != RTN_SCHEMA_MAP)
            continue;
        for (const struct rtn_schema_key *inner = key->table->keys; inner->name != NULL; inner++) {
            if (rtn_str_equal(rtn_str_of(inner->name), given))
                rtn_buf_printf(&places, "%s\"%s\"", places.length > 0 ? " or " : "", key->name);
        }
    }
    return places.length > 0 ? rtn_config_printf(arena, "; it belongs under %s", places.data) : "";
}

static const char *list_keys(const char *const *names, size_t count, struct rtn_arena *arena)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };

    if (count > LIST_MAX)
        return "";
    for (size_t i = 0; i < count; i++)
        rtn_buf_printf(&all, "%s%s",
                       i > 0       ? ", "
                       : count > 1 ? "; the keys here are "
                                   : "; the only key here is ",
                       names[i]);
    return rtn_config_strdup(arena, rtn_buf_str(&all));
}

static size_t key_names(const struct rtn_schema_table *table, const char *names[NAMES_MAX])
{
    size_t count = 0;

    for (const struct rtn_schema_key *key = table->keys; key->name != NULL && count < NAMES_MAX; key++)
        names[count++] = key->name;
    return count;
}

bool rtn_schema_is_meant(const struct rtn_schema_table *table, const struct rtn_node *map, const char *name)
{
    const char *names[NAMES_MAX];
    size_t count = key_names(table, names);

    for (size_t i = 0; map != NULL && i < map->count; i++) {
        const char *near = nearest(map->pairs[i].name, names, count);
        if (near != NULL && strcmp(near, name) == 0)
            return true;
    }
    return false;
}

void rtn_schema_unknown_key(const struct rtn_schema_table *table, const struct rtn_node_pair *pair,
                            const struct rtn_schema_context *context)
{
    const char *names[NAMES_MAX];
    size_t count = key_names(table, names);
    const char *hint = belongs_below(table, pair->name, context->arena);
    if (hint[0] == '\0')
        hint = rtn_schema_suggest(pair->name, names, count, context->arena);
    if (hint[0] == '\0')
        hint = list_keys(names, count, context->arena);
    rtn_schema_error(context, pair->name_mark, "unknown key %s%s", rtn_node_quote(pair->name, context->arena), hint);
}
