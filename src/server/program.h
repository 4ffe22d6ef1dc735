/*
 * What a server does, made of one configuration: routes, clients, modules with their instances, and everything that is
 * derived from keys that may change while it runs. Frozen once it is in force. [main], then frozen
 *
 * Life: new (configure), wire, open, ready, then rtn_server_prepare() and rtn_server_commit() (server_swap.h), or free.
 */
#ifndef RTN_SERVER_PROGRAM_H
#define RTN_SERVER_PROGRAM_H

#include "app/access.h"
#include "app/generation.h"
#include "app/instance.h"
#include "app/router.h"
#include "app/wiring.h"
#include "base/cidr.h"
#include "base/map.h"
#include "proto/line.h"

/* A row of `clients`: outgoing connections. */
struct rtn_outgoing {
    const struct rtn_config_client *config;
    struct rtn_instance *instance;
    struct rtn_ws_policy policy;
    bool continued; /* the program before had the same row: its connections go on; set when it is put in force */
};

struct rtn_program {
    struct rtn_generation *generation; /* a reference */
    const struct rtn_config_server *config;
    struct rtn_route *routes;
    size_t route_count;
    struct rtn_outgoing *outgoing;
    size_t outgoing_count;
    struct rtn_instance *
        *instances; /* of the routes, the clients, then of `modules`: the order of hooks; a reference each */
    bool *shared; /* one for each: it was taken over from the program before, and its hooks have run */
    const struct rtn_node **nodes; /* the row of each in this configuration: that of a shared one is another */
    size_t instance_count;
    struct rtn_instance *line_instance; /* the one that has the line handler; NULL: not of a line server */
    struct rtn_line_policy line_policy;
    struct rtn_router *router;
    struct rtn_access access;
    struct rtn_map header_fields; /* empty: all */
    struct rtn_cidr *trusted; /* of trusted_proxies */
    size_t trusted_count;
    bool trust_unix;
    bool needs_workers; /* a handler does: the pool is not only there for tasks of modules */
    unsigned users; /* loops that have it in force or in use; [main] */
};

/*
 * Everything that is wrong is added to `diags`. `old`: the program in force, whose instances are shared where place,
 * module content and options are equal; NULL: none. NULL on failure, after all was undone; without an error added,
 * memory is out.
 */
struct rtn_program *rtn_program_new(const struct rtn_config_server *config, struct rtn_generation *generation,
                                    const struct rtn_program *old, struct rtn_diags *diags);

/* Adds what its instances handle and send; `port` is that of its server. */
void rtn_program_wire(const struct rtn_program *program, struct rtn_wiring *wiring, struct rtn_hub_port *port,
                      struct rtn_diags *diags);

/* Opens the access log: a writer of the set, which logs to `log`. 0, or -EINVAL after adding an error. */
int rtn_program_open(struct rtn_program *program, struct rtn_log_writers *writers, struct rtn_log *log,
                     const _Atomic int *log_level, struct rtn_diags *diags);

/* The same for -n: only tries, and makes no file. */
int rtn_program_open_check(const struct rtn_program *program, struct rtn_diags *diags);

/* The ready hooks of instances that are not shared. 0, or -EINVAL after adding errors. */
int rtn_program_ready(struct rtn_program *program, struct rtn_diags *diags);

/* What was not put in force, or is not used any more. Accepts NULL. */
void rtn_program_free(struct rtn_program *program);

/*
 * program_check.c: for a configuration that is wrong anyway: adds what the modules, handlers and options of a server
 * have wrong, so that one run shows it all.
 */
void rtn_program_check(const struct rtn_config_server *config, struct rtn_generation *generation,
                       struct rtn_diags *diags);

#endif
