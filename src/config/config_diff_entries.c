/*
 * Entries of the lists of a server: routes by host, path and methods, clients by URL, modules by name and handler,
 * addresses by what is written. What has the same name on both sides is kept or changed; of several with one name the
 * first ones belong together.
 */
#include "config/config_address.h"
#include "config/config_diff_internal.h"
#include "config/memory.h"

static const char *route_text(const void *entry, struct rtn_arena *arena)
{
    const struct rtn_config_route *route = entry;
    return rtn_config_printf(arena, "%s%s", route->host != NULL ? route->host : "", route->path);
}

/* The query may hold secrets. */
static const char *client_text(const void *entry, struct rtn_arena *arena)
{
    const struct rtn_config_client *client = entry;
    return rtn_config_printf(arena, "%.*s", (int) strcspn(client->url, "?"), client->url);
}

static const char *use_text(const void *entry, struct rtn_arena *arena)
{
    (void) arena;
    return ((const struct rtn_config_use *) entry)->module;
}

static const char *listen_text(const void *entry, struct rtn_arena *arena)
{
    (void) arena;
    return ((const struct rtn_config_listen *) entry)->address;
}

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Routes of one path may differ by their methods. */
static bool is_same_route(const void *a, const void *b)
{
    const struct rtn_config_route *one = a;
    const struct rtn_config_route *other = b;
    return is_same_text(one->host, other->host) && strcmp(one->path, other->path) == 0 &&
           one->methods == other->methods;
}

static bool is_same_client(const void *a, const void *b)
{
    return strcmp(((const struct rtn_config_client *) a)->url, ((const struct rtn_config_client *) b)->url) == 0;
}

static bool is_same_use(const void *a, const void *b)
{
    const struct rtn_config_use *one = a;
    const struct rtn_config_use *other = b;
    return strcmp(one->module, other->module) == 0 && is_same_text(one->handler, other->handler);
}

static bool is_same_listen(const void *a, const void *b)
{
    return rtn_config_is_same_address(((const struct rtn_config_listen *) a)->address,
                                      ((const struct rtn_config_listen *) b)->address);
}

static const struct list {
    const char *key;
    size_t offset; /* in struct rtn_config_server */
    const struct rtn_schema_table *table;
    const char *(*text)(const void *entry, struct rtn_arena *arena);
    bool (*is_same)(const void *a, const void *b);
} lists[] = {
    { "routes", offsetof(struct rtn_config_server, routes), &rtn_config_route_table, route_text, is_same_route },
    { "clients", offsetof(struct rtn_config_server, clients), &rtn_config_client_table, client_text, is_same_client },
    { "modules", offsetof(struct rtn_config_server, modules), &rtn_config_use_table, use_text, is_same_use },
    { "listen", offsetof(struct rtn_config_server, listen), &rtn_config_listen_table, listen_text, is_same_listen },
};

static const struct rtn_schema_array *array_of(const struct rtn_config_server *server, const struct list *list)
{
    return (const struct rtn_schema_array *) (const void *) ((const char *) server + list->offset);
}

static const char *item(const struct rtn_schema_array *array, const struct list *list, size_t index)
{
    return (const char *) array->items + index * list->table->size;
}

static const struct rtn_node *node_of(const struct list *list, const char *object)
{
    return *(const struct rtn_node *const *) (const void *) (object + list->table->node_offset);
}

/* The first entry of `before` that is `wanted` and not taken yet, which it then is; NULL: none. */
static const char *take_same(const struct rtn_schema_array *before, const struct list *list, const char *wanted,
                             bool *taken)
{
    for (size_t i = 0; i < before->count; i++) {
        if (taken[i] || !list->is_same(item(before, list, i), wanted))
            continue;
        taken[i] = true;
        return item(before, list, i);
    }
    return NULL;
}

static void add(struct rtn_config_change *change, const struct list *list, const char *before, const char *after,
                struct rtn_arena *arena)
{
    struct rtn_config_entry_change *entry = &change->entries[change->entry_count++];
    *entry = (struct rtn_config_entry_change){
        .list = list->key, .text = list->text(after != NULL ? after : before, arena), .before = before, .after = after
    };
    entry->change = before == NULL ? RTN_ENTRY_ADDED : RTN_ENTRY_REMOVED;
    if (before == NULL || after == NULL)
        return;
    const struct rtn_diff_pair pair = { .table = list->table,
                                        .before = before,
                                        .after = after,
                                        .before_node = node_of(list, before),
                                        .after_node = node_of(list, after) };
    entry->keys = rtn_diff_keys(&pair, arena);
    entry->change = entry->keys != NULL ? RTN_ENTRY_CHANGED : RTN_ENTRY_KEPT;
}

static void add_list(struct rtn_config_change *change, const struct list *list, struct rtn_arena *arena)
{
    const struct rtn_schema_array *before = array_of(change->before, list);
    const struct rtn_schema_array *after = array_of(change->after, list);
    bool *taken = rtn_config_alloc(arena, before->count * sizeof(*taken));
    for (size_t i = 0; i < after->count; i++)
        add(change, list, take_same(before, list, item(after, list, i), taken), item(after, list, i), arena);
    for (size_t i = 0; i < before->count; i++) {
        if (!taken[i])
            add(change, list, item(before, list, i), NULL, arena);
    }
}

void rtn_diff_entries(struct rtn_config_change *change, struct rtn_arena *arena)
{
    size_t most = 0;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(lists); i++)
        most += array_of(change->before, &lists[i])->count + array_of(change->after, &lists[i])->count;
    change->entries = rtn_config_alloc(arena, most * sizeof(*change->entries));
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(lists); i++)
        add_list(change, &lists[i], arena);
}
