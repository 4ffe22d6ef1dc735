/* What an unknown word may have meant: the nearest known word, the place where the key belongs, or a topic. */
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

const struct rtn_schema_topic *rtn_schema_topic(const struct rtn_schema_table *root, struct rtn_str name)
{
    for (const struct rtn_schema_topic *topic = root->topics; topic != NULL && topic->name != NULL; topic++) {
        if (rtn_str_equal_nocase(rtn_str_of(topic->name), name))
            return topic;
    }
    return NULL;
}

enum scope {
    MAPS_HERE, /* right below */
    ALL_BELOW,
    REPEATED_BELOW /* what a file has many of: servers, routes. Of a map elsewhere only its name would be known */
};

/* Where a key of that name is looked for, and the places that were found. */
struct search {
    struct rtn_str name;
    enum scope scope;
    struct rtn_buf places; /* under "limits" or "timeouts" or to a route */
    const char *preposition; /* of the last of them */
};

/* Once, however many maps of that name there are. */
static void add_place(struct search *search, const char *preposition, const char *place)
{
    bool first = search->places.length == 0;
    if (!first && strstr(search->places.data, place) != NULL)
        return;
    rtn_buf_append_text(&search->places, first ? "" : " or ");
    if (search->preposition != preposition)
        rtn_buf_printf(&search->places, "%s ", preposition);
    rtn_buf_append_text(&search->places, place);
    search->preposition = preposition;
}

static void add_owner(struct search *search, const struct rtn_schema_key *key, struct rtn_arena *arena)
{
    static const char under[] = "under", to[] = "to";

    if (key->type == RTN_SCHEMA_MAP)
        add_place(search, under, rtn_config_printf(arena, "\"%s\"", key->name));
    else if (key->table->shorthand != NULL)
        add_place(search, to, rtn_config_printf(arena, "an entry of \"%s\"", key->name));
    else
        add_place(search, to, rtn_config_printf(arena, "a %s", key->table->name));
}

static void look_below(const struct rtn_schema_table *table, struct search *search, struct rtn_arena *arena)
{
    for (const struct rtn_schema_key *key = table->keys; key->name != NULL; key++) {
        bool map = key->type == RTN_SCHEMA_MAP;
        if (key->table == NULL || (search->scope == MAPS_HERE && !map))
            continue;
        if (rtn_schema_has_key(key->table, search->name) && !(search->scope == REPEATED_BELOW && map))
            add_owner(search, key, arena);
        if (search->scope != MAPS_HERE)
            look_below(key->table, search, arena);
    }
}

/* ; it belongs under "limits" or "timeouts" or to a route */
static const char *belongs(const struct rtn_schema_table *table, struct rtn_str name, enum scope scope,
                           struct rtn_arena *arena)
{
    struct search search = { .name = name, .scope = scope };
    const char *hint = "";

    look_below(table, &search, arena);
    if (search.places.length > 0)
        hint = rtn_config_printf(arena, "; it belongs %s", search.places.data);
    rtn_buf_done(&search.places);
    return hint;
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

/* From the nearest guess to the farthest; the keys of the place itself come with all that are far. */
static const char *find_hint(const struct rtn_schema_table *table, struct rtn_str name,
                             const struct rtn_schema_context *context)
{
    const struct rtn_schema_topic *topic = rtn_schema_topic(context->root, name);
    const char *names[NAMES_MAX];
    size_t count = key_names(table, names);

    if (topic != NULL)
        return rtn_config_printf(context->arena, "; %.*s", (int) strlen(topic->help) - 1, topic->help); /* no period */
    const char *hint = belongs(table, name, MAPS_HERE, context->arena);
    if (hint[0] == '\0')
        hint = rtn_schema_suggest(name, names, count, context->arena);
    if (hint[0] == '\0')
        hint = belongs(table, name, ALL_BELOW, context->arena);
    if (hint[0] != '\0')
        return hint;
    return rtn_config_printf(context->arena, "%s%s", belongs(context->root, name, REPEATED_BELOW, context->arena),
                             list_keys(names, count, context->arena));
}

void rtn_schema_unknown_key(const struct rtn_schema_table *table, const struct rtn_node_pair *pair,
                            const struct rtn_schema_context *context)
{
    rtn_schema_error(context, pair->name_mark, "unknown key %s%s", rtn_node_quote(pair->name, context->arena),
                     find_hint(table, pair->name, context));
}
