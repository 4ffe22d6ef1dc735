/*
 * The frozen route table of a server: hosts from the exact to none; within one host exact paths by hash, then {name}
 * patterns, then longest prefix. Matching allocates nothing. [main, then frozen; matching from any thread]
 */
#ifndef RTN_APP_ROUTER_H
#define RTN_APP_ROUTER_H

#include "app/instance.h"
#include "proto/request.h"
#include "stats/stats.h"

struct rtn_route {
    const char *host; /* lower case; "*.example.org" takes every name below it; NULL: every host */
    const char *path; /* percent-encoded, as in the YAML */
    unsigned methods; /* effective RTN_METHOD_ bits: what the YAML says within what the handler takes */
    bool takes_options; /* OPTIONS goes to the handler and is not answered from the table */
    int status; /* fixed answer; 0: none */
    const char *redirect; /* NULL: none */
    struct rtn_instance *instance; /* NULL: fixed answer or redirect */
    struct rtn_policy policy; /* what is true for its requests */
    rtn_stats_block stats; /* those of its host and path */
    struct rtn_ws_policy ws_policy; /* of its WebSocket connections, when the instance has a handler for them */
};

#define RTN_ROUTE_PARAMS 16 /* {name} and '*' in one path; more is a configuration error */

struct rtn_match {
    const struct rtn_route *route; /* NULL: see allowed */
    unsigned allowed; /* union of the methods of all routes with this path; 0: no such path (404) */
    unsigned param_count;
    struct {
        struct rtn_str name; /* "*" for the tail */
        struct rtn_str value; /* view into the path */
    } params[RTN_ROUTE_PARAMS];
};

struct rtn_router;

/* What is wrong with a route's path that rtn_router_new() will not take, in words; NULL: nothing. */
const char *rtn_router_problem(const char *path);

/*
 * Routes are the caller's and must outlive the router. 0, -ENOMEM, -E2BIG with too many parameters in one path, -EINVAL
 * for escapes that no request can have.
 */
int rtn_router_new(const struct rtn_route *const *routes, size_t count, struct rtn_router **ret);
void rtn_router_free(struct rtn_router *router);

/*
 * The route number `skip` (0: the best) among those that match host, path and method, most specific first; HEAD
 * matches where GET does; OPTIONS only where takes_options. Fills *ret (params only as far as param_count).
 *
 * `host` is in lower case and without port, an IPv6 address in brackets; a final dot does not count; empty: not known,
 * which only routes without a host take. Routes of this very host come first, then those of wildcards, the longest
 * first, then those without a host. What one host does not answer the next one may: `skip` and `allowed` go over all.
 */
void rtn_router_match(const struct rtn_router *router, struct rtn_str host, struct rtn_str path, enum rtn_method method,
                      unsigned skip, struct rtn_match *ret);

/* False: `host` does not matter. */
bool rtn_router_has_hosts(const struct rtn_router *router);

/* Union of all methods, for "OPTIONS *". */
unsigned rtn_router_methods(const struct rtn_router *router);

#endif
