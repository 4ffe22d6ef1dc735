/*
 * A module as configured at one place in the YAML, a route, a client or an entry of `modules`: memory filled with its
 * options, the handlers chosen, the thread model in force. [main, then frozen], but ws_failures: [any]
 */
#ifndef RTN_APP_INSTANCE_H
#define RTN_APP_INSTANCE_H

#include <stdatomic.h>

#include "app/module.h"
#include "config/config.h"
#include "loop/pool.h"
#include "proto/request.h"
#include "proto/ws.h"

/* What routes, clients and entries of `modules` have in common, as it is written there. */
struct rtn_place {
    const char *kind; /* "route", "client" or "module" */
    const char *path; /* of the route, or the URL of the client; "" in `modules` */
    const char *text; /* both, for the log: route "/x"; without the query of a URL; module "butler" */
    const char *module;
    const char *handler; /* NULL when left out */
    const struct rtn_node *options; /* NULL when left out */
    const struct rtn_node *node;
};

struct rtn_instance {
    const struct rtn_loaded *loaded;
    const struct rtn_http_handler *http; /* NULL: none, as the next three; only with a route */
    const struct rtn_ws_handler *ws; /* with a route that has no `http`, and a client, always there */
    const struct rtn_line_handler *line; /* only in `modules` of a line server */
    const struct rtn_loaded_messages *messages;
    void *data; /* instance_size bytes; what callbacks get */
    enum rtn_threads threads; /* the lowest of those of the chosen handlers; without any, the module's */
    unsigned methods; /* RTN_METHOD_ bits the handlers take (0 with a client only) */
    unsigned http_methods; /* those of `http`; a route with `ws` takes GET and HEAD in any case */
    bool takes_options; /* the HTTP handler named OPTIONS itself */
    bool configured; /* configure returned 0: unload is due */
    struct rtn_serial serial;
    const struct rtn_config_server *server;
    const struct rtn_config_route *route; /* one of these three, the others are NULL */
    const struct rtn_config_client *client;
    const struct rtn_config_use *use;
    struct rtn_place place;
    struct rtn_ws_policy ws_policy; /* of its WebSocket connections, when it has `ws` */
    atomic_uint ws_failures; /* of outgoing connections, since one of them opened */
    struct rtn_arena arena; /* option values */
};

/*
 * Makes the instance of a route that has `module`: finds the handlers (those for HTTP, WebSocket and messages of that
 * name; the only ones of their kinds when `handler` is left out), checks options, calls configure. NULL after
 * adding errors (each at its place, all in one run: unknown handler with suggestion, handler that needs workers on a
 * server with threads: 0, methods that the handler does not take, keys for a kind of handler that the route does not
 * have, unknown option with suggestion, wrong type, out of bounds, what configure reported).
 */
struct rtn_instance *rtn_instance_new(struct rtn_modules *modules, const struct rtn_config_server *server,
                                      const struct rtn_config_route *route, struct rtn_diags *diags);

/* The same for a client, which has a WebSocket handler, and takes messages. */
struct rtn_instance *rtn_instance_new_client(struct rtn_modules *modules, const struct rtn_config_server *server,
                                             const struct rtn_config_client *client, struct rtn_diags *diags);

/*
 * The same for an entry of `modules`, which takes messages, and lines on a line server; a module with a start hook may
 * do neither.
 */
struct rtn_instance *rtn_instance_new_use(struct rtn_modules *modules, const struct rtn_config_server *server,
                                          const struct rtn_config_use *use, struct rtn_diags *diags);

/* What is true for requests of the instance's route: its own values, else the server's. Of a route only. */
void rtn_instance_policy(const struct rtn_instance *instance, struct rtn_policy *ret);

/* True when one of its callbacks may run on a worker. */
bool rtn_instance_needs_workers(const struct rtn_instance *instance);

/* Calls the module's ready. 0, or -EINVAL after adding an error. */
int rtn_instance_ready(struct rtn_instance *instance, struct rtn_diags *diags);

/* Calls unload, when configure had returned 0. Accepts NULL. */
void rtn_instance_free(struct rtn_instance *instance);

#endif
