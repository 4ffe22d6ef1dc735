/*
 * The routes of one host by path; router.c holds one such table for each. [main, then frozen; searching from any
 * thread]
 */
#ifndef RTN_APP_ROUTER_PATHS_H
#define RTN_APP_ROUTER_PATHS_H

#include "app/router.h"
#include "base/map.h"

struct rtn_router_entry; /* a route and the names of its parameters; of router_paths.c alone */

struct rtn_router_chain {
    struct rtn_router_entry *first;
    struct rtn_router_entry **last; /* NULL while empty */
};

struct rtn_router_node { /* a segment */
    struct rtn_map literal; /* segment -> struct rtn_router_node */
    struct rtn_router_node *parameter; /* any segment */
    struct rtn_router_chain end; /* patterns that end here */
    struct rtn_router_chain tail; /* prefixes: "*" follows */
    struct rtn_router_node *next_made;
};

/* Maps have the administrator's keys. */
struct rtn_router_paths {
    struct rtn_arena *arena;
    struct rtn_map exact; /* path -> struct rtn_router_chain */
    struct rtn_router_node root;
    struct rtn_router_node *made; /* every node but the root */
    unsigned methods; /* union of all */
    unsigned tail_levels; /* prefixes end at depths below this; 0: there are none */
    bool has_patterns;
};

/* What one lookup carries through the tables and down their tries. */
struct rtn_router_search {
    enum rtn_method method;
    unsigned skip; /* counts down over all tables searched */
    unsigned depth; /* of the tails looked for */
    struct rtn_match *match; /* begins empty; a search adds to `allowed` */
    unsigned value_count;
    struct rtn_str values[RTN_ROUTE_PARAMS]; /* so many of them */
};

/* An empty table in place. Everything but the maps is in the arena, which must outlive it. */
void rtn_router_paths_init(struct rtn_router_paths *paths, struct rtn_arena *arena);

/* Returns 0, or the errors of rtn_router_new(). */
int rtn_router_paths_add(struct rtn_router_paths *paths, const struct rtn_route *route);
void rtn_router_paths_done(struct rtn_router_paths *paths);

/* True when the one looked for is here: the match is filled. */
bool rtn_router_paths_search(const struct rtn_router_paths *paths, struct rtn_str path,
                             struct rtn_router_search *search);

#endif
