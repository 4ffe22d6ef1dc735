/*
 * A module as configured at one place in the YAML: memory filled with its options, the handler chosen,
 * the thread model in force. [main, then frozen]
 */
#ifndef RTN_APP_INSTANCE_H
#define RTN_APP_INSTANCE_H

#include "app/module.h"
#include "config/config.h"
#include "loop/pool.h"
#include "proto/request.h"

struct rtn_instance {
    const struct rtn_loaded *loaded;
    const struct rtn_http_handler *http;
    void *data; /* instance_size bytes; what callbacks get */
    enum rtn_threads threads; /* of the chosen handler */
    unsigned methods; /* RTN_METHOD_ bits the handler takes (never 0) */
    bool takes_options; /* the handler named OPTIONS itself */
    bool configured; /* configure returned 0: unload is due */
    struct rtn_serial serial;
    const struct rtn_config_server *server;
    const struct rtn_config_route *route;
    struct rtn_arena arena; /* option values */
};

/*
 * Makes the instance of a route that has `module`: finds the handler (the only one when `handler` is left out),
 * checks options, calls configure. NULL after adding errors (each at its place, all in one run: unknown handler
 * with suggestion, handler that needs workers on a server with threads: 0, methods that the handler does not take,
 * unknown option with suggestion, wrong type, out of bounds, what configure reported).
 */
struct rtn_instance *rtn_instance_new(struct rtn_modules *modules, const struct rtn_config_server *server,
                                      const struct rtn_config_route *route, struct rtn_diags *diags);

/* What is true for requests of the instance's route: its own values, else the server's. */
void rtn_instance_policy(const struct rtn_instance *instance, struct rtn_policy *ret);

/* True when its handler may run on a worker. */
bool rtn_instance_needs_workers(const struct rtn_instance *instance);

/* Calls the module's ready. 0, or -EINVAL after adding an error. */
int rtn_instance_ready(struct rtn_instance *instance, struct rtn_diags *diags);

/* Calls unload, when configure had returned 0. Accepts NULL. */
void rtn_instance_free(struct rtn_instance *instance);

#endif
