/*
 * The route table: a hash map of exact paths, and a trie of path segments for everything with {name} or a final
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
#include "app/router.h"

#include <errno.h>
#include <stdlib.h>

#include "app/form.h"
#include "base/map.h"

struct entry {
    const struct rtn_route *route;
    unsigned methods; /* of the route, HEAD added where GET is */
    struct entry *next;
    unsigned name_count;
    struct rtn_str names[]; /* of the parameters, in the order of the path */
};

struct chain {
    struct entry *first;
    struct entry **last; /* NULL while empty */
};

struct node {
    struct rtn_map literal; /* segment -> struct node */
    struct node *parameter; /* any segment */
    struct chain end; /* patterns that end here */
    struct chain tail; /* prefixes: "*" follows */
    struct node *next_made;
};

struct rtn_router {
    struct rtn_arena arena;
    struct rtn_map exact; /* path -> struct chain */
    struct node root;
    struct node *made; /* every node but the root */
    unsigned methods;
    unsigned tail_levels; /* prefixes end at depths below this; 0: there are none */
};

/* What one lookup carries down the trie. */
struct search {
    enum rtn_method method;
    unsigned skip;
    unsigned depth; /* of the tails looked for */
    struct rtn_match *match;
    struct rtn_str values[RTN_ROUTE_PARAMS];
    unsigned value_count;
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

/* A literal segment as it is in decoded paths. */
static int decode_segment(struct rtn_router *router, struct rtn_str segment, struct rtn_str *ret)
{
    struct rtn_str path;
    int error = rtn_path_decode((struct rtn_str){ segment.data - 1, segment.length + 1 }, &router->arena, &path);
    if (error < 0)
        return error;
    *ret = (struct rtn_str){ path.data + 1, path.length - 1 };
    return 0;
}

static int chain_add(struct rtn_router *router, struct chain *chain, const struct rtn_route *route,
                     const struct rtn_str *names, unsigned name_count)
{
    struct entry *entry = rtn_arena_alloc(&router->arena, sizeof(*entry) + name_count * sizeof(entry->names[0]));
    if (entry == NULL)
        return -ENOMEM;
    unsigned head = route->methods & RTN_METHOD_GET ? RTN_METHOD_HEAD : 0;
    *entry = (struct entry){ .route = route, .methods = route->methods | head, .name_count = name_count };
    for (unsigned i = 0; i < name_count; i++)
        entry->names[i] = names[i];
    *(chain->last != NULL ? chain->last : &chain->first) = entry;
    chain->last = &entry->next;
    router->methods |= entry->methods;
    return 0;
}

static int add_exact(struct rtn_router *router, const struct rtn_route *route)
{
    struct rtn_str path;
    int error = rtn_path_decode(rtn_str_of(route->path), &router->arena, &path);
    if (error < 0)
        return error;
    struct chain *chain = rtn_map_get(&router->exact, path);
    if (chain == NULL) {
        chain = rtn_arena_zalloc(&router->arena, sizeof(*chain));
        error = chain != NULL ? rtn_map_add(&router->exact, path, chain) : -ENOMEM;
        if (error < 0)
            return error;
    }
    return chain_add(router, chain, route, NULL, 0);
}

static struct node *node_new(struct rtn_router *router)
{
    struct node *node = rtn_arena_zalloc(&router->arena, sizeof(*node));
    if (node == NULL)
        return NULL;
    node->next_made = router->made;
    router->made = node;
    return node;
}

static int parameter_child(struct rtn_router *router, struct node *node, struct node **ret)
{
    if (node->parameter == NULL)
        node->parameter = node_new(router);
    if (node->parameter == NULL)
        return -ENOMEM;
    *ret = node->parameter;
    return 0;
}

static int literal_child(struct rtn_router *router, struct node *node, struct rtn_str segment, struct node **ret)
{
    struct rtn_str key;
    int error = decode_segment(router, segment, &key);
    if (error < 0)
        return error;
    struct node *child = rtn_map_get(&node->literal, key);
    if (child == NULL) {
        child = node_new(router);
        error = child != NULL ? rtn_map_add(&node->literal, key, child) : -ENOMEM;
        if (error < 0)
            return error;
    }
    *ret = child;
    return 0;
}

static int add_pattern(struct rtn_router *router, const struct rtn_route *route)
{
    struct rtn_str names[RTN_ROUTE_PARAMS];
    unsigned name_count = 0;
    unsigned depth = 0;
    int error = 0;
    struct node *node = &router->root;
    struct rtn_str rest = rtn_str_of(route->path);
    struct rtn_str segment;
    for (; error == 0 && next_segment(&rest, &segment); depth++) {
        bool tail = is_tail(segment, rest);
        bool parameter = is_parameter(segment);
        if ((tail || parameter) && name_count == RTN_ROUTE_PARAMS)
            return -E2BIG;
        if (tail) {
            names[name_count++] = segment;
            router->tail_levels = RTN_MAX(router->tail_levels, depth + 1);
            return chain_add(router, &node->tail, route, names, name_count);
        }
        if (parameter)
            names[name_count++] = (struct rtn_str){ segment.data + 1, segment.length - 2 };
        error = parameter ? parameter_child(router, node, &node) : literal_child(router, node, segment, &node);
    }
    return error < 0 ? error : chain_add(router, &node->end, route, names, name_count);
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

int rtn_router_new(const struct rtn_route *const *routes, size_t count, struct rtn_router **ret)
{
    struct rtn_router *router = calloc(1, sizeof(*router));
    if (router == NULL)
        return -ENOMEM;
    rtn_arena_init(&router->arena, NULL, 0);
    for (size_t i = 0; i < count; i++) {
        int error = is_exact(routes[i]->path) ? add_exact(router, routes[i]) : add_pattern(router, routes[i]);
        if (error < 0) {
            rtn_router_free(router);
            return error;
        }
    }
    *ret = router;
    return 0;
}

void rtn_router_free(struct rtn_router *router)
{
    if (router == NULL)
        return;
    for (struct node *node = router->made; node != NULL; node = node->next_made)
        rtn_map_done(&node->literal);
    rtn_map_done(&router->root.literal);
    rtn_map_done(&router->exact);
    rtn_arena_done(&router->arena);
    free(router);
}

/* Matching */

static bool takes(const struct entry *entry, enum rtn_method method)
{
    if (method == RTN_METHOD_OPTIONS && !entry->route->takes_options)
        return false;
    return (entry->methods & (unsigned) method) != 0;
}

static void choose(struct search *search, const struct entry *entry)
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
static bool offer(struct search *search, const struct chain *chain)
{
    for (const struct entry *entry = chain->first; entry != NULL; entry = entry->next) {
        search->match->allowed |= entry->methods;
        if (!takes(entry, search->method) || search->skip-- > 0)
            continue;
        choose(search, entry);
        return true;
    }
    return false;
}

typedef bool visit_function(struct search *search, const struct node *node, struct rtn_str rest, unsigned depth);

/* Visits the children that the next segment of `rest` leads to, literal first. */
static bool visit_children(struct search *search, const struct node *node, struct rtn_str rest, unsigned depth,
                           visit_function *visit)
{
    struct rtn_str segment;
    if (!next_segment(&rest, &segment))
        return false;
    const struct node *literal = rtn_map_get(&node->literal, segment);
    if (literal != NULL && visit(search, literal, rest, depth + 1))
        return true;
    if (node->parameter == NULL || segment.length == 0)
        return false;
    search->values[search->value_count++] = segment;
    bool found = visit(search, node->parameter, rest, depth + 1);
    search->value_count--;
    return found;
}

static bool visit_patterns(struct search *search, const struct node *node, struct rtn_str rest, unsigned depth)
{
    if (rest.length == 0)
        return offer(search, &node->end);
    return visit_children(search, node, rest, depth, visit_patterns);
}

/* Only the tails at search->depth. */
static bool visit_tails(struct search *search, const struct node *node, struct rtn_str rest, unsigned depth)
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

void rtn_router_match(const struct rtn_router *router, struct rtn_str path, enum rtn_method method, unsigned skip,
                      struct rtn_match *ret)
{
    struct search search = { .method = method, .skip = skip, .match = ret };
    ret->route = NULL;
    ret->allowed = 0;
    ret->param_count = 0;
    const struct chain *exact = rtn_map_get(&router->exact, path);
    if (exact != NULL && offer(&search, exact))
        return;
    if (visit_patterns(&search, &router->root, path, 0))
        return;
    for (search.depth = router->tail_levels; search.depth-- > 0;) {
        if (visit_tails(&search, &router->root, path, 0))
            return;
    }
}

const char *rtn_router_problem(const char *path)
{
    const struct rtn_route route = { .path = path };
    const struct rtn_route *const routes[] = { &route };
    struct rtn_router *router = NULL;
    int error = rtn_router_new(routes, 1, &router);
    rtn_router_free(router);
    if (error == -E2BIG)
        return "the path has too many {name} segments";
    return error == -EINVAL ? "the path has escapes that no request can have (%00, %2E%2E above the root)" : NULL;
}

unsigned rtn_router_methods(const struct rtn_router *router)
{
    return router->methods;
}
