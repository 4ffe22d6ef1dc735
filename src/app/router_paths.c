/*
 * The routes of a host: a hash map of exact paths, and a trie of path segments for everything with {name} or a final
 * '*'. Each end in the trie holds a chain of routes in the order they were added; a lookup offers chains to the
 * search, which picks the route number `skip` among those that take the method.
 *
 * Order: the exact chain; patterns, at each segment the literal branch before the {name} branch; then prefixes,
 * the one with the most segments first: one descent for each depth, from that of the longest prefix up. A descent
 * goes only where the trie goes: neither the number of routes with other paths nor the number of segments a client
 * sends makes it longer.
 *
 * A {name} takes one segment that is not empty. A final '*' takes the rest, which may be empty but needs its
 * slash: "/files/" belongs to the prefix, "/files" does not. Literal text of a route is written percent-encoded and
 * kept decoded, as requests are; a {name} or '*' that is encoded is literal.
 */
#include "app/router_paths.h"

#include <errno.h>

#include "app/form.h"

struct rtn_router_entry {
    const struct rtn_route *route;
    unsigned methods; /* of the route, HEAD added where GET is */
    struct rtn_router_entry *next;
    unsigned name_count;
    struct rtn_str names[]; /* of the parameters, in the order of the path */
};

/* Takes the next "/segment" off *rest; false at the end. */
static bool next_segment(struct rtn_str *rest, struct rtn_str *segment)
{
    if (rest->length == 0 || rest->data[0] != '/')
        return false;
    const char *slash = memchr(rest->data + 1, '/', rest->length - 1);
    size_t length = slash != NULL ? (size_t) (slash - rest->data) : rest->length;
    *segment = (struct rtn_str){ rest->data + 1, length - 1 };
    rest->data += length;
    rest->length -= length;
    return true;
}

static bool is_parameter(struct rtn_str segment)
{
    return segment.length > 2 && segment.data[0] == '{' && segment.data[segment.length - 1] == '}';
}

static bool is_tail(struct rtn_str segment, struct rtn_str rest)
{
    return rest.length == 0 && rtn_str_equal(segment, RTN_STR("*"));
}

/* Building */

void rtn_router_paths_init(struct rtn_router_paths *paths, struct rtn_arena *arena)
{
    *paths = (struct rtn_router_paths){ .arena = arena, .exact.trusted = true, .root.literal.trusted = true };
}

/* A literal segment as it is in decoded paths. */
static int decode_segment(struct rtn_router_paths *paths, struct rtn_str segment, struct rtn_str *ret)
{
    struct rtn_str path;
    int error = rtn_path_decode((struct rtn_str){ segment.data - 1, segment.length + 1 }, paths->arena, &path);
    if (error < 0)
        return error;
    *ret = (struct rtn_str){ path.data + 1, path.length - 1 };
    return 0;
}

static int chain_add(struct rtn_router_paths *paths, struct rtn_router_chain *chain, const struct rtn_route *route,
                     const struct rtn_str *names, unsigned name_count)
{
    struct rtn_router_entry *entry =
        rtn_arena_alloc(paths->arena, sizeof(*entry) + name_count * sizeof(entry->names[0]));
    if (entry == NULL)
        return -ENOMEM;
    unsigned head = route->methods & RTN_METHOD_GET ? RTN_METHOD_HEAD : 0;
    *entry = (struct rtn_router_entry){ .route = route, .methods = route->methods | head, .name_count = name_count };
    for (unsigned i = 0; i < name_count; i++)
        entry->names[i] = names[i];
    *(chain->last != NULL ? chain->last : &chain->first) = entry;
    chain->last = &entry->next;
    paths->methods |= entry->methods;
    return 0;
}

static int add_exact(struct rtn_router_paths *paths, const struct rtn_route *route)
{
    struct rtn_str path;
    int error = rtn_path_decode(rtn_str_of(route->path), paths->arena, &path);
    if (error < 0)
        return error;
    struct rtn_router_chain *chain = rtn_map_get(&paths->exact, path);
    if (chain == NULL) {
        chain = rtn_arena_zalloc(paths->arena, sizeof(*chain));
        error = chain != NULL ? rtn_map_add(&paths->exact, path, chain) : -ENOMEM;
        if (error < 0)
            return error;
    }
    return chain_add(paths, chain, route, NULL, 0);
}

static struct rtn_router_node *node_new(struct rtn_router_paths *paths)
{
    struct rtn_router_node *node = rtn_arena_zalloc(paths->arena, sizeof(*node));
    if (node == NULL)
        return NULL;
    node->literal.trusted = true;
    node->next_made = paths->made;
    paths->made = node;
    return node;
}

static int parameter_child(struct rtn_router_paths *paths, struct rtn_router_node *node, struct rtn_router_node **ret)
{
    if (node->parameter == NULL)
        node->parameter = node_new(paths);
    if (node->parameter == NULL)
        return -ENOMEM;
    *ret = node->parameter;
    return 0;
}

static int literal_child(struct rtn_router_paths *paths, struct rtn_router_node *node, struct rtn_str segment,
                         struct rtn_router_node **ret)
{
    struct rtn_str key;
    int error = decode_segment(paths, segment, &key);
    if (error < 0)
        return error;
    struct rtn_router_node *child = rtn_map_get(&node->literal, key);
    if (child == NULL) {
        child = node_new(paths);
        error = child != NULL ? rtn_map_add(&node->literal, key, child) : -ENOMEM;
        if (error < 0)
            return error;
    }
    *ret = child;
    return 0;
}

static int add_pattern(struct rtn_router_paths *paths, const struct rtn_route *route)
{
    struct rtn_str names[RTN_ROUTE_PARAMS];
    unsigned name_count = 0;
    unsigned depth = 0;
    int error = 0;
    struct rtn_router_node *node = &paths->root;
    struct rtn_str rest = rtn_str_of(route->path);
    struct rtn_str segment;
    for (; error == 0 && next_segment(&rest, &segment); depth++) {
        bool tail = is_tail(segment, rest);
        bool parameter = is_parameter(segment);
        if ((tail || parameter) && name_count == RTN_ROUTE_PARAMS)
            return -E2BIG;
        if (tail) {
            names[name_count++] = segment;
            paths->tail_levels = RTN_MAX(paths->tail_levels, depth + 1);
            return chain_add(paths, &node->tail, route, names, name_count);
        }
        if (parameter)
            names[name_count++] = (struct rtn_str){ segment.data + 1, segment.length - 2 };
        error = parameter ? parameter_child(paths, node, &node) : literal_child(paths, node, segment, &node);
    }
    return error < 0 ? error : chain_add(paths, &node->end, route, names, name_count);
}

static bool is_exact(const char *path)
{
    struct rtn_str rest = rtn_str_of(path);
    struct rtn_str segment;
    while (next_segment(&rest, &segment)) {
        if (is_parameter(segment) || is_tail(segment, rest))
            return false;
    }
    return true;
}

int rtn_router_paths_add(struct rtn_router_paths *paths, const struct rtn_route *route)
{
    if (is_exact(route->path))
        return add_exact(paths, route);
    paths->has_patterns = true;
    return add_pattern(paths, route);
}

void rtn_router_paths_done(struct rtn_router_paths *paths)
{
    for (struct rtn_router_node *node = paths->made; node != NULL; node = node->next_made)
        rtn_map_done(&node->literal);
    rtn_map_done(&paths->root.literal);
    rtn_map_done(&paths->exact);
}

/* Matching */

static inline bool takes(const struct rtn_router_entry *entry, enum rtn_method method)
{
    if (method == RTN_METHOD_OPTIONS && !entry->route->takes_options)
        return false;
    return (entry->methods & (unsigned) method) != 0;
}

static inline void choose(struct rtn_router_search *search, const struct rtn_router_entry *entry)
{
    struct rtn_match *match = search->match;
    match->route = entry->route;
    match->param_count = entry->name_count;
    for (unsigned i = 0; i < entry->name_count; i++) {
        match->params[i].name = entry->names[i];
        match->params[i].value = search->values[i];
    }
}

/* Offers the routes of a chain; true when the one looked for is among them. */
static inline bool offer(struct rtn_router_search *search, const struct rtn_router_chain *chain)
{
    for (const struct rtn_router_entry *entry = chain->first; entry != NULL; entry = entry->next) {
        search->match->allowed |= entry->methods;
        if (!takes(entry, search->method) || search->skip-- > 0)
            continue;
        choose(search, entry);
        return true;
    }
    return false;
}

typedef bool visit_function(struct rtn_router_search *search, const struct rtn_router_node *node, struct rtn_str rest,
                            unsigned depth);

/* Visits the children that the next segment of `rest` leads to, literal first. */
static bool visit_children(struct rtn_router_search *search, const struct rtn_router_node *node, struct rtn_str rest,
                           unsigned depth, visit_function *visit)
{
    struct rtn_str segment;
    if (!next_segment(&rest, &segment))
        return false;
    const struct rtn_router_node *literal = rtn_map_get(&node->literal, segment);
    if (literal != NULL && visit(search, literal, rest, depth + 1))
        return true;
    if (node->parameter == NULL || segment.length == 0)
        return false;
    search->values[search->value_count++] = segment;
    bool found = visit(search, node->parameter, rest, depth + 1);
    search->value_count--;
    return found;
}

static bool visit_patterns(struct rtn_router_search *search, const struct rtn_router_node *node, struct rtn_str rest,
                           unsigned depth)
{
    if (rest.length == 0)
        return offer(search, &node->end);
    return visit_children(search, node, rest, depth, visit_patterns);
}

/* Only the tails at search->depth. */
static bool visit_tails(struct rtn_router_search *search, const struct rtn_router_node *node, struct rtn_str rest,
                        unsigned depth)
{
    if (depth < search->depth)
        return visit_children(search, node, rest, depth, visit_tails);
    if (rest.length == 0 || node->tail.first == NULL)
        return false;
    search->values[search->value_count++] = (struct rtn_str){ rest.data + 1, rest.length - 1 };
    bool found = offer(search, &node->tail);
    search->value_count--;
    return found;
}

/* Not inline: the usual path is exact, and found without all this. */
RTN_NOINLINE static bool search_patterns(const struct rtn_router_paths *paths, struct rtn_str path,
                                         struct rtn_router_search *search)
{
    if (visit_patterns(search, &paths->root, path, 0))
        return true;
    for (search->depth = paths->tail_levels; search->depth-- > 0;) {
        if (visit_tails(search, &paths->root, path, 0))
            return true;
    }
    return false;
}

bool rtn_router_paths_search(const struct rtn_router_paths *paths, struct rtn_str path,
                             struct rtn_router_search *search)
{
    const struct rtn_router_chain *exact = rtn_map_get(&paths->exact, path);
    if (exact != NULL && offer(search, exact))
        return true;
    return paths->has_patterns && search_patterns(paths, path, search);
}
