/*
 * Which instances stay when the configuration changes: those that a module could not tell from what would be made in
 * their place.
 */
#include <string.h>

#include "app/instance.h"

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Relative paths start there. */
static struct rtn_str folder_of(const struct rtn_node *node)
{
    const char *path = node->mark.source != NULL ? node->mark.source->path : "";
    const char *slash = strrchr(path, '/');
    return (struct rtn_str){ path, slash != NULL ? (size_t) (slash - path) : 0 };
}

static bool is_same_scalar(const struct rtn_node *a, const struct rtn_node *b)
{
    return a->quoted == b->quoted && rtn_str_equal(a->text, b->text) && rtn_str_equal(folder_of(a), folder_of(b));
}

static bool is_same_node(const struct rtn_node *a, const struct rtn_node *b);

static bool is_same_list(const struct rtn_node *a, const struct rtn_node *b)
{
    for (size_t i = 0; i < a->count; i++) {
        if (!is_same_node(a->items[i], b->items[i]))
            return false;
    }
    return true;
}

/* In any order: names are unique. */
static bool is_same_map(const struct rtn_node *a, const struct rtn_node *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct rtn_node_pair *pair = rtn_node_pair(b, a->pairs[i].name.data);
        if (pair == NULL || !is_same_node(a->pairs[i].value, pair->value))
            return false;
    }
    return true;
}

/* The tree has no circles, and is as deep as the parser allows. NOLINTNEXTLINE(misc-no-recursion) */
static bool is_same_node(const struct rtn_node *a, const struct rtn_node *b)
{
    if (a->kind != b->kind || (a->kind != RTN_NODE_SCALAR && a->count != b->count))
        return false;
    if (a->kind == RTN_NODE_SCALAR)
        return is_same_scalar(a, b);
    return a->kind == RTN_NODE_LIST ? is_same_list(a, b) : is_same_map(a, b);
}

static bool is_empty(const struct rtn_node *options)
{
    return options == NULL || (options->kind == RTN_NODE_MAP && options->count == 0) || rtn_node_is_null(options);
}

static bool are_same_options(const struct rtn_node *a, const struct rtn_node *b)
{
    if (is_empty(a) || is_empty(b))
        return is_empty(a) && is_empty(b);
    return is_same_node(a, b);
}

static bool is_same_place(const struct rtn_instance *a, const struct rtn_instance *b)
{
    if (strcmp(a->place.kind, b->place.kind) != 0 || !is_same_text(a->place.path, b->place.path))
        return false;
    if (a->route == NULL || b->route == NULL)
        return a->route == b->route;
    return is_same_text(a->route->host, b->route->host) && a->route->methods == b->route->methods;
}

/* What a server says to all its instances. */
static bool is_same_server(const struct rtn_config_server *a, const struct rtn_config_server *b)
{
    return strcmp(a->name, b->name) == 0 && a->protocol == b->protocol && (a->threads == 0) == (b->threads == 0);
}

bool rtn_instance_is_same(const struct rtn_instance *instance, const struct rtn_instance *other)
{
    return instance->loaded == other->loaded && is_same_server(instance->server, other->server) &&
           is_same_place(instance, other) && instance->http == other->http && instance->ws == other->ws &&
           instance->line == other->line && instance->messages == other->messages &&
           are_same_options(instance->place.options, other->place.options);
}
