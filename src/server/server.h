/*
 * A named server: listeners, loops, worker pool, routes, clients. [main] unless a function says otherwise
 *
 * Order: new, listen, ready, start, open, (runs), drain, finish, end, free. free may follow any step before start; end,
 * too, may come at any time, also when start has failed or was not reached, since messages may wait already.
 */
#ifndef RTN_SERVER_SERVER_H
#define RTN_SERVER_SERVER_H

#include "app/dispatch.h"
#include "config/config.h"
#include "net/listener.h"

struct rtn_server_loop;

/* What a server needs from the daemon; must outlive it. */
struct rtn_server_host {
    struct rtn_log *log;
    const _Atomic int *log_level; /* of the daemon itself */
    struct rtn_log_writers *writers; /* of access logs */
    struct rtn_modules *modules;
    struct rtn_hub *hub;
    const struct rtn_media *media;
    struct rtn_activation *activation;
    struct rtn_resolver *resolver; /* of names that clients connect to */
    struct rtn_mailbox *mailbox; /* of main */
    /* On main: no loop of the server accepts any more, and new clients are refused. */
    void (*closed)(struct rtn_server *server, void *data);
    /* On main: its last connection is gone. */
    void (*drained)(struct rtn_server *server, void *data);
    void *data;
};

/* A row of `clients`: outgoing connections. */
struct rtn_outgoing {
    const struct rtn_config_client *config;
    struct rtn_instance *instance;
};

struct rtn_server {
    const struct rtn_server_host *host;
    const struct rtn_config_server *config;
    _Atomic int log_level;
    struct rtn_listener **listeners;
    size_t listener_count;
    struct rtn_route *routes;
    size_t route_count;
    struct rtn_outgoing *outgoing;
    size_t outgoing_count;
    atomic_uint outgoing_turn; /* which loop makes the next connection of a module */
    struct rtn_instance **instances; /* of the routes, the clients, then of `modules`: the order of hooks */
    size_t instance_count;
    struct rtn_instance *line_instance; /* the one that has the line handler; NULL: not of a line server */
    struct rtn_router *router;
    struct rtn_access access;
    struct rtn_map header_fields; /* empty: all */
    struct rtn_cidr *trusted; /* of trusted_proxies */
    size_t trusted_count;
    bool trust_unix;
    struct rtn_clients *clients; /* NULL: clients have no limits of their own */
    struct rtn_pool *pool; /* NULL: with `threads: 0` */
    bool needs_workers; /* a handler does: the pool is not only there for tasks of modules */
    struct rtn_hub_port *port; /* messages to it; of the hub */
    struct rtn_server_loop *loops;
    unsigned first_loop; /* the number of loop 0 among the loops of all servers: makes connection ids unique */
    atomic_uint loop_count; /* that are started; threads of modules read it meanwhile */
    atomic_uint accepting; /* loops that still accept */
    atomic_uint undrained; /* loops that still have connections */
    atomic_bool stopping; /* since it is being drained: what its threads see */
    bool finishing; /* rtn_server_finish() was called; [main], as the next */
    bool stuck; /* a loop, or a worker in a hook, did not come back: must not be touched any more */
    atomic_uint unfinished; /* loops that are not through with it */
    sem_t finished; /* none is left */
    struct rtn_mail finished_mail;
    struct rtn_mail closed_mail;
    struct rtn_mail drained_mail;
};

/*
 * For a configuration that is wrong anyway: adds what its modules, handlers and options have wrong, so that one run
 * shows it all.
 */
void rtn_server_routes_check(const struct rtn_config_server *config, struct rtn_modules *modules,
                             struct rtn_diags *diags);

/* Makes routes and instances; everything wrong is added to diags. NULL on failure, after all was undone. */
struct rtn_server *rtn_server_new(const struct rtn_config_server *config, const struct rtn_server_host *host,
                                  struct rtn_diags *diags);

/* Binds every address and opens the access log. 0, or -EINVAL after adding errors at their lines. */
int rtn_server_listen(struct rtn_server *server, struct rtn_diags *diags);

/* For -n: only tries, and makes no file; an address in use is a warning. */
void rtn_server_listen_check(const struct rtn_server *server, struct rtn_diags *diags);

/* For -n, when no address is in use: binds them all, so that two that are the same by other names are an error. */
void rtn_server_listen_check_together(struct rtn_server *server, struct rtn_diags *diags);

/* The modules' ready. 0, or -EINVAL after adding errors. */
int rtn_server_ready(struct rtn_server *server, struct rtn_diags *diags);

/* Loops, workers and the modules' start hooks. 0 or -errno, logged: then the server has to be ended. */
int rtn_server_start(struct rtn_server *server);

/* Accepts from now on. */
void rtn_server_open(struct rtn_server *server);

/* Stops accepting and finishes what runs; host->closed and host->drained follow. */
void rtn_server_drain(struct rtn_server *server);

/* Closes what is still open, as far as no worker holds it. host->drained follows when nothing was held. */
void rtn_server_abort(struct rtn_server *server);

/*
 * Takes no more messages, handles those that wait, and cancels what modules have begun. Wakes the loop of main when its
 * loops are through with that.
 */
void rtn_server_finish(struct rtn_server *server);

/* After finish: true when its loops are through with it, and no worker has anything to do: it can be ended at once. */
bool rtn_server_is_finished(const struct rtn_server *server);

/*
 * Does what finish does, unless that was called; then ends workers and loops, running the modules' stop hooks; all by
 * about `deadline_ms` (monotonic). False when a thread does not come back: it is named in the log. The server must then
 * be left as it is until the process ends, or until rtn_server_is_finished(): then it may be ended once more.
 */
bool rtn_server_end(struct rtn_server *server, int64_t deadline_ms);

/* Accepts NULL. */
void rtn_server_free(struct rtn_server *server);

/* Refuses new clients and removes socket files. */
void rtn_server_listen_stop(struct rtn_server *server);

/* The line that says what runs: 'server "get": http on 127.0.0.1:5050, loops 1, threads 8, routes 2, modules hello'. */
void rtn_server_describe(const struct rtn_server *server, struct rtn_buf *out);

#endif
