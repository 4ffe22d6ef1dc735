/*
 * A module as configured at one place in the YAML, a route, a client or an entry of `modules`: memory filled with its
 * options, the handlers chosen, the thread model in force. [main, then frozen], but ws_failures and what is counted:
 * [any]
 *
 * Two counts decide about its end. Users are what may have handlers called: programs, and connections that keep
 * something of it. When the last one goes it is ended: nothing more is begun, what it has running is cancelled. What it
 * has running (timers, watches, questions, tasks, messages) is the second count; when that has come to its end, too,
 * the instance is idle and may be stopped and freed.
 */
#ifndef RTN_APP_INSTANCE_H
#define RTN_APP_INSTANCE_H

#include <stdatomic.h>

#include "app/generation.h"
#include "config/config.h"
#include "loop/activity.h"
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

struct rtn_inbox;
struct rtn_instance;
struct rtn_instances;

/* Who ends the instances of a running server, on main. */
struct rtn_instance_keeper {
    struct rtn_mailbox *mailbox; /* of main */
    void (*unused)(struct rtn_instance *instance); /* it has no users any more: once in its life */
    void (*idle)(struct rtn_instance *instance); /* it was settled, and has nothing running: once in its life */
};

struct rtn_instance {
    struct rtn_generation *generation; /* a reference: it made the instance, and has its configuration */
    const struct rtn_loaded *loaded;
    const struct rtn_http_handler *http; /* NULL: none, as the next three; only with a route */
    const struct rtn_ws_handler *ws; /* with a route that has no `http`, and a client, always there */
    const struct rtn_line_handler *line; /* only in `modules` of a line server */
    const struct rtn_loaded_messages *messages;
    struct rtn_inbox *inbox; /* of its messages, from its arena; NULL: it has no `messages` */
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
    struct rtn_activity_label label; /* says whose callback a thread is in */
    atomic_uint ws_failures; /* of outgoing connections, since one of them opened */
    struct rtn_arena arena; /* option values */
    struct rtn_declared *declared; /* metrics, see metrics.h */
    const struct rtn_instance_keeper *keeper; /* NULL: its start hook was not run, or its stop hook was; [main] */
    struct rtn_instances *registry; /* where it is to be found by `data`; NULL: nowhere */
    struct rtn_instance *next; /* there */
    atomic_uint users;
    atomic_uint running; /* and 1 until rtn_instance_settle() */
    atomic_bool told; /* keeper->unused is on its way, or was called */
    atomic_bool ending;
    struct rtn_mail unused_mail;
    struct rtn_mail idle_mail;
};

/* Instances that are there already, any of which will do when it is the same as the one that is asked for. */
struct rtn_instance_offer {
    struct rtn_instance *const *items;
    bool *taken; /* one for each */
    size_t count;
};

/*
 * Makes the instance of a route that has `module`: finds the handlers (those for HTTP, WebSocket and messages of that
 * name; the only ones of their kinds when `handler` is left out), checks options, calls configure. NULL after
 * adding errors (each at its place, all in one run: unknown handler with suggestion, handler that needs workers on a
 * server with threads: 0, methods that the handler does not take, keys for a kind of handler that the route does not
 * have, unknown option with suggestion, wrong type, out of bounds, what configure reported). Or takes one that is
 * offered
 * (`offer` may be NULL), with a reference, when handlers were found and nothing is wrong with them.
 */
struct rtn_instance *rtn_instance_new(struct rtn_generation *generation, const struct rtn_config_server *server,
                                      const struct rtn_config_route *route, const struct rtn_instance_offer *offer,
                                      struct rtn_diags *diags);

/* The same for a client, which has a WebSocket handler, and takes messages. */
struct rtn_instance *rtn_instance_new_client(struct rtn_generation *generation, const struct rtn_config_server *server,
                                             const struct rtn_config_client *client,
                                             const struct rtn_instance_offer *offer, struct rtn_diags *diags);

/*
 * The same for an entry of `modules`, which takes messages, and lines on a line server; a module with a start hook may
 * do neither.
 */
struct rtn_instance *rtn_instance_new_use(struct rtn_generation *generation, const struct rtn_config_server *server,
                                          const struct rtn_config_use *use, const struct rtn_instance_offer *offer,
                                          struct rtn_diags *diags);

/* True when one of its callbacks may run on a worker. */
bool rtn_instance_needs_workers(const struct rtn_instance *instance);

/* Calls the module's ready. 0, or -EINVAL after adding an error. */
int rtn_instance_ready(struct rtn_instance *instance, struct rtn_diags *diags);

/* Calls unload, when configure had returned 0. Accepts NULL. Whoever made it has the only reference, or it is idle. */
void rtn_instance_free(struct rtn_instance *instance);

/* instance_life.c: one that was made has one user. */
void rtn_instance_ref(struct rtn_instance *instance);

/* Accepts NULL. The last one frees it, or has the keeper do that. [any], without a keeper [main] */
void rtn_instance_unref(struct rtn_instance *instance);

/* Something of it begins to run. False: it is ending, and nothing is begun. [any] */
bool rtn_instance_begin(struct rtn_instance *instance);

/* Something that runs begins another thing, which is part of it and not to be refused. [any] */
void rtn_instance_begin_part(struct rtn_instance *instance);

/* And is over. [any] */
void rtn_instance_over(struct rtn_instance *instance);

static inline bool rtn_instance_is_ending(const struct rtn_instance *instance)
{
    return atomic_load(&instance->ending);
}

/* Nothing more is begun. [main] */
void rtn_instance_end(struct rtn_instance *instance);

/* After that, when all that runs was cancelled: keeper->idle() comes, when that is over. [main] */
void rtn_instance_settle(struct rtn_instance *instance);

/*
 * instance_same.c: whether one will do in place of the other: same place, handlers, and options, and the very same
 * module. What only policies are made of does not count.
 */
bool rtn_instance_is_same(const struct rtn_instance *instance, const struct rtn_instance *other);

#endif
