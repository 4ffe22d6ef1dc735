/*
 * Compares two configurations along the tables of the schema: each key by its value, defaults included, and by its row
 * what that takes. Servers belong together by their names.
 */
#include "config/config_diff.h"

#include "config/config_diff_internal.h"
#include "config/memory.h"

/* Where keys that differ are gathered. */
struct gathering {
    struct rtn_arena *arena;
    struct rtn_buf keys; /* struct rtn_config_key_change */
    int (*change_of)(const char *path);
};

/* A value as it is written, where it fits on a line; "none" for one that is not there. */
static const char *value_text(const struct rtn_schema_key *key, const void *value, struct rtn_arena *arena)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    if (key->type >= RTN_SCHEMA_MAP)
        return NULL;
    if ((key->type == RTN_SCHEMA_STRING || key->type == RTN_SCHEMA_PATH) && *(const char *const *) value == NULL)
        return "none";
    rtn_config_append_value(&text, key, value);
    return text.length > 0 ? rtn_config_strdup(arena, rtn_buf_str(&text)) : "none";
}

static void gather_key(struct gathering *gathering, const struct rtn_schema_key *key, const char *path,
                       const struct rtn_diff_pair *values)
{
    int change = gathering->change_of(path);
    const struct rtn_config_key_change found = { .key = path,
                                                 .change = change >= 0 ? (enum rtn_change) change : RTN_CHANGE_RESTART,
                                                 .before = value_text(key, values->before, gathering->arena),
                                                 .after = value_text(key, values->after, gathering->arena) };
    rtn_buf_append(&gathering->keys, &found, sizeof(found));
}

/* Defaults that are the value of another key, which then differs as well. */
static bool is_derived(const struct rtn_diff_pair *pair, const char *path)
{
    static const char *const derived[] = { "active_threads", "stuck_threads", "limits.request_burst" };
    const char *dot = strrchr(path, '.');
    const char *name = dot != NULL ? dot + 1 : path;
    bool found = false;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(derived) && !found; i++)
        found = strcmp(derived[i], path) == 0;
    return found && rtn_node_get(pair->before_node, name) == NULL && rtn_node_get(pair->after_node, name) == NULL;
}

static void gather(struct gathering *gathering, const struct rtn_diff_pair *pair, const char *prefix)
{
    for (const struct rtn_schema_key *key = pair->table->keys; key->name != NULL; key++) {
        const struct rtn_diff_pair inner = rtn_diff_inner(pair, key);
        const char *path = rtn_config_printf(gathering->arena, "%s%s", prefix, key->name);
        if (is_derived(pair, path))
            continue;
        if (!rtn_diff_is_same_value(key, inner.before, inner.after))
            gather_key(gathering, key, path, &inner);
        else if (key->type == RTN_SCHEMA_MAP)
            gather(gathering, &inner, rtn_config_printf(gathering->arena, "%s.", path));
    }
}

/* The keys of a struct that differ, as an array in the arena. */
static struct rtn_config_key_change *gather_all(const struct rtn_diff_pair *pair, int (*change_of)(const char *path),
                                                struct rtn_arena *arena, size_t *count)
{
    struct gathering gathering = { .arena = arena, .change_of = change_of };
    gather(&gathering, pair, "");
    struct rtn_config_key_change *keys = rtn_config_alloc(arena, gathering.keys.length);
    *count = gathering.keys.length / sizeof(*keys);
    if (*count > 0)
        memcpy(keys, gathering.keys.data, gathering.keys.length);
    rtn_buf_done(&gathering.keys);
    return keys;
}

/* A pool cannot come or go while loops run. */
static void weigh_threads(struct rtn_config_change *change)
{
    if ((change->before->threads == 0) == (change->after->threads == 0))
        return;
    for (size_t i = 0; i < change->key_count; i++) {
        if (strcmp(change->keys[i].key, "threads") == 0)
            change->keys[i].change = RTN_CHANGE_RESTART;
    }
}

static void weigh(struct rtn_config_change *change)
{
    for (size_t i = 0; i < change->key_count; i++) {
        change->kinds |= RTN_CHANGE_BIT(change->keys[i].change);
        change->change = RTN_MAX(change->change, change->keys[i].change);
    }
}

static void compare(struct rtn_config_change *change, struct rtn_arena *arena)
{
    const struct rtn_diff_pair pair = { .table = &rtn_config_server_table,
                                        .before = (const char *) change->before,
                                        .after = (const char *) change->after,
                                        .before_node = change->before->node,
                                        .after_node = change->after->node };
    change->keys = gather_all(&pair, rtn_config_change_of_server, arena, &change->key_count);
    weigh_threads(change);
    weigh(change);
    rtn_diff_entries(change, arena);
}

static const struct rtn_config_server *find_server(const struct rtn_config *config, const char *name)
{
    const struct rtn_config_server *servers = config->servers.items;
    for (size_t i = 0; i < config->servers.count; i++) {
        if (strcmp(servers[i].name, name) == 0)
            return &servers[i];
    }
    return NULL;
}

static void add_server(struct rtn_config_diff *diff, const char *name, const struct rtn_config_server *before,
                       const struct rtn_config_server *after)
{
    struct rtn_config_change *change = &diff->servers[diff->server_count++];
    *change = (struct rtn_config_change){ .server = name, .before = before, .after = after };
    if (before != NULL && after != NULL) {
        compare(change, &diff->arena);
        return;
    }
    change->change = before == NULL ? RTN_CHANGE_ADD : RTN_CHANGE_REMOVE;
    change->kinds = RTN_CHANGE_BIT(change->change);
}

void rtn_config_diff_daemon(const struct rtn_config_daemon *before, const struct rtn_config_daemon *after,
                            struct rtn_config_diff *diff)
{
    const struct rtn_diff_pair pair = { .table = &rtn_config_daemon_table,
                                        .before = (const char *) before,
                                        .after = (const char *) after,
                                        .before_node = before->node,
                                        .after_node = after->node };
    diff->daemon = gather_all(&pair, rtn_config_change_of_daemon, &diff->arena, &diff->daemon_count);
}

void rtn_config_diff(const struct rtn_config *before, const struct rtn_config *after, struct rtn_config_diff *ret)
{
    const struct rtn_config_server *old = before->servers.items;
    const struct rtn_config_server *new = after->servers.items;
    *ret = (struct rtn_config_diff){ 0 };
    rtn_arena_init(&ret->arena, NULL, 0);
    ret->servers =
        rtn_config_alloc(&ret->arena, (before->servers.count + after->servers.count) * sizeof(*ret->servers));
    rtn_config_diff_daemon(&before->daemon, &after->daemon, ret);
    for (size_t i = 0; i < after->servers.count; i++)
        add_server(ret, new[i].name, find_server(before, new[i].name), &new[i]);
    for (size_t i = 0; i < before->servers.count; i++) {
        if (find_server(after, old[i].name) == NULL)
            add_server(ret, old[i].name, &old[i], NULL);
    }
}

void rtn_config_diff_done(struct rtn_config_diff *diff)
{
    if (diff->servers == NULL)
        return;
    rtn_arena_done(&diff->arena);
    *diff = (struct rtn_config_diff){ 0 };
}
