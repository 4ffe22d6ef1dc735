/*
 * A module as configured at one place in the YAML, a route or a client: memory filled with its options, the handlers
 * chosen, the thread model in force. [main, then frozen], but ws_failures: [any]
 */
#ifndef RTN_APP_INSTANCE_H
#define RTN_APP_INSTANCE_H

#include <stdatomic.h>

#include "app/module.h"
#include "config/config.h"
#include "loop/pool.h"
#include "proto/request.h"
#include "proto/ws.h"

/* What routes and clients of the configuration have in common, as it is written there. */
struct rtn_place {
    const char *kind; /* "route" or "client" */
    const char *path; /* of the route, or the URL of the client */
    const char *text; /* both, for the log: route "/x"; without the query of a URL */
    const char *module;
    const char *handler; /* NULL when left out */
    const struct rtn_node *options; /* NULL when left out */
    const struct rtn_node *node;
};

struct rtn_instance {
    const struct rtn_loaded *loaded;
    const struct rtn_http_handler *http; /* NULL: none, as always with a client */
    const struct rtn_ws_handler *ws; /* NULL: none; but there is one of both */
    void *data; /* instance_size bytes; what callbacks get */
    enum rtn_threads threads; /* the lower of those of the chosen handlers */
    unsigned methods; /* RTN_METHOD_ bits the handlers take (0 with a client only) */
    unsigned http_methods; /* those of `http`; a route with `ws` takes GET and HEAD in any case */
    bool takes_options; /* the HTTP handler named OPTIONS itself */
    bool configured; /* configure returned 0: unload is due */
    struct rtn_serial serial;
    const struct rtn_config_server *server;
    const struct rtn_config_route *route; /* NULL: of a client */
    const struct rtn_config_client *client; /* NULL: of a route */
    struct rtn_place place;
    struct rtn_ws_policy ws_policy; /* of its WebSocket connections, when it has `ws` */
    atomic_uint ws_failures; /* of outgoing connections, since one of them opened */
    struct rtn_arena arena; /* option values */
};

/*
 * Makes the instance of a route that has `module`: finds the handlers (the HTTP handler and the WebSocket handler of
 * that name; the only ones of their kinds when `handler` is left out), checks options, calls configure. NULL after
 * adding errors (each at its place, all in one run: unknown handler with suggestion, handler that needs workers on a
 * server with threads: 0, methods that the handler does not take, keys for a kind of handler that the route does not
 * have, unknown option with suggestion, wrong type, out of bounds, what configure reported).
 */
struct rtn_instance *rtn_instance_new(struct rtn_modules *modules, const struct rtn_config_server *server,
                                      const struct rtn_config_route *route, struct rtn_diags *diags);

/* The same for a client, which has a WebSocket handler only. Checks its url and headers too. */
struct rtn_instance *rtn_instance_new_client(struct rtn_modules *modules, const struct rtn_config_server *server,
                                             const struct rtn_config_client *client, struct rtn_diags *diags);

/* What is true for requests of the instance's route: its own values, else the server's. Not of a client. */
void rtn_instance_policy(const struct rtn_instance *instance, struct rtn_policy *ret);

/* True when one of its handlers may run on a worker. */
bool rtn_instance_needs_workers(const struct rtn_instance *instance);

/* Calls the module's ready. 0, or -EINVAL after adding an error. */
int rtn_instance_ready(struct rtn_instance *instance, struct rtn_diags *diags);

/* Calls unload, when configure had returned 0. Accepts NULL. */
void rtn_instance_free(struct rtn_instance *instance);

#endif
