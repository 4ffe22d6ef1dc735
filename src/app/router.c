/*
 * The route table: one table of paths (router_paths.c) for each host that routes name, and one for the routes
 * without. A lookup goes through the tables whose host fits, the most specific first, and carries the count of
 * `skip` and the union of the methods along. Names of hosts are looked up by hash: the exact one, then what follows
 * each dot, from the left, among the wildcards. Suffixes longer than any wildcard's are passed over, so that a long
 * name costs no more than a short one.
 */
#include "app/router.h"

#include <errno.h>
#include <stdlib.h>

#include "app/router_paths.h"

struct host {
    struct rtn_router_paths paths;
    struct host *next_made;
};

struct rtn_router {
    struct rtn_arena arena;
    struct rtn_router_paths any; /* of routes without a host */
    struct rtn_map exact; /* name -> struct host */
    struct rtn_map wildcards; /* name behind "*." -> struct host */
    size_t wildcard_max; /* length of the longest of them */
    struct host *made;
};

static bool is_wildcard(struct rtn_str host)
{
    return host.length > 2 && host.data[0] == '*' && host.data[1] == '.';
}

/* "example.org." is example.org. */
static struct rtn_str without_dot(struct rtn_str host)
{
    if (host.length > 0 && host.data[host.length - 1] == '.')
        host.length--;
    return host;
}

static int add_host(struct rtn_router *router, struct rtn_map *map, struct rtn_str name, struct rtn_router_paths **ret)
{
    struct host *host = rtn_map_get(map, name);
    if (host == NULL) {
        host = rtn_arena_zalloc(&router->arena, sizeof(*host));
        int error = host != NULL ? rtn_map_add(map, name, host) : -ENOMEM;
        if (error < 0)
            return error;
        rtn_router_paths_init(&host->paths, &router->arena);
        host->next_made = router->made;
        router->made = host;
    }
    *ret = &host->paths;
    return 0;
}

/* The table that the routes of `host` go into, made when it is the first. */
static int table_of(struct rtn_router *router, const char *host, struct rtn_router_paths **ret)
{
    struct rtn_str name = without_dot(rtn_str_of(host));
    if (name.length == 0) {
        *ret = &router->any;
        return 0;
    }
    if (!is_wildcard(name))
        return add_host(router, &router->exact, name, ret);
    name = (struct rtn_str){ name.data + 2, name.length - 2 };
    router->wildcard_max = RTN_MAX(router->wildcard_max, name.length);
    return add_host(router, &router->wildcards, name, ret);
}

int rtn_router_new(const struct rtn_route *const *routes, size_t count, struct rtn_router **ret)
{
    struct rtn_router *router = calloc(1, sizeof(*router));
    if (router == NULL)
        return -ENOMEM;
    rtn_arena_init(&router->arena, NULL, 0);
    rtn_router_paths_init(&router->any, &router->arena);
    router->exact.trusted = true;
    router->wildcards.trusted = true;
    for (size_t i = 0; i < count; i++) {
        struct rtn_router_paths *paths = NULL;
        int error = table_of(router, routes[i]->host, &paths);
        if (error == 0)
            error = rtn_router_paths_add(paths, routes[i]);
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
    for (struct host *host = router->made; host != NULL; host = host->next_made)
        rtn_router_paths_done(&host->paths);
    rtn_router_paths_done(&router->any);
    rtn_map_done(&router->exact);
    rtn_map_done(&router->wildcards);
    rtn_arena_done(&router->arena);
    free(router);
}

static bool search_host(const struct rtn_map *map, struct rtn_str name, struct rtn_str path,
                        struct rtn_router_search *search)
{
    const struct host *host = rtn_map_get(map, name);
    return host != NULL && rtn_router_paths_search(&host->paths, path, search);
}

/* What follows each dot but a first one: a wildcard stands for at least one character. */
static bool search_wildcards(const struct rtn_router *router, struct rtn_str host, struct rtn_str path,
                             struct rtn_router_search *search)
{
    size_t from = host.length > router->wildcard_max ? host.length - router->wildcard_max : 0;
    for (size_t i = RTN_MAX(from, (size_t) 2); i < host.length; i++) {
        struct rtn_str suffix = { host.data + i, host.length - i };
        if (host.data[i - 1] == '.' && search_host(&router->wildcards, suffix, path, search))
            return true;
    }
    return false;
}

/* Not inline: mostly hosts do not matter. */
RTN_NOINLINE static bool search_hosts(const struct rtn_router *router, struct rtn_str host, struct rtn_str path,
                                      struct rtn_router_search *search)
{
    if (router->exact.count > 0 && search_host(&router->exact, host, path, search))
        return true;
    return router->wildcards.count > 0 && search_wildcards(router, host, path, search);
}

void rtn_router_match(const struct rtn_router *router, struct rtn_str host, struct rtn_str path, enum rtn_method method,
                      unsigned skip, struct rtn_match *ret)
{
    struct rtn_router_search search; /* its values are many */
    search.method = method;
    search.skip = skip;
    search.match = ret;
    search.value_count = 0;
    ret->route = NULL;
    ret->allowed = 0;
    ret->param_count = 0;
    if (RTN_LIKELY(router->made == NULL) || !search_hosts(router, without_dot(host), path, &search))
        (void) rtn_router_paths_search(&router->any, path, &search);
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
    unsigned methods = router->any.methods;
    for (const struct host *host = router->made; host != NULL; host = host->next_made)
        methods |= host->paths.methods;
    return methods;
}

bool rtn_router_has_hosts(const struct rtn_router *router)
{
    return router->made != NULL;
}
