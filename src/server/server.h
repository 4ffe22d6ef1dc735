/*
 * A named server: listeners, loops, worker pool, routes, clients. [main] unless a function says otherwise
 *
 * Order: new, listen, ready, start, open, (runs), drain, finish, end, free. free may follow any step before start; end,
 * too, may come at any time, also when start has failed or was not reached, since messages may wait already.
 */
#ifndef RTN_SERVER_SERVER_H
#define RTN_SERVER_SERVER_H

#include "app/dispatch.h"
#include "app/instances.h"
#include "config/config.h"
#include "net/listener.h"
#include "server/program.h"
#include "server/server_stall.h"
#include "stats/gauge.h"

struct rtn_server_loop;
struct rtn_swap;

/* What a server needs from the daemon; must outlive it. */
struct rtn_server_host {
    struct rtn_log *log;
    const _Atomic int *log_level; /* of the daemon itself */
    struct rtn_log_writers *writers; /* of access logs */
    struct rtn_hub *hub;
    struct rtn_activation *activation;
    struct rtn_resolver *resolver; /* of names that clients connect to */
    struct rtn_mailbox *mailbox; /* of main */
    /* What another server listens on at the address of a new one, and gives up for it; NULL: nobody. */
    struct rtn_listener *(*find_listener)(const struct rtn_server *server, const char *address, void *data);
    /* On main: no loop of the server accepts any more, and new clients are refused. */
    void (*closed)(struct rtn_server *server, void *data);
    /* On main: its last connection is gone. */
    void (*drained)(struct rtn_server *server, void *data);
    void *data;
};

struct rtn_server {
    const struct rtn_server_host *host;
    const struct rtn_config_server *config; /* of the program in force */
    struct rtn_program *program; /* in force; [main], or before threads were started */
    struct rtn_instances instances; /* of all programs that are in use */
    _Atomic(struct rtn_server_media *) media; /* of server_media.c */
    const char *name; /* the port's, whatever becomes of configurations */
    _Atomic int log_level;
    struct rtn_listener **listeners;
    size_t listener_count;
    struct rtn_relisten *relisten; /* a change of addresses that was begun; NULL: none */
    struct rtn_list terms; /* struct rtn_server_terms: of programs that loops use */
    struct rtn_swap *swap; /* of server_swap.c */
    atomic_uint outgoing_turn; /* which loop makes the next connection of a module */
    struct rtn_clients *clients;
    struct rtn_pool *pool; /* NULL: with `threads: 0` */
    struct rtn_server_stalls stalls; /* handlers of it that do not come back */
    struct rtn_hub_port *port; /* messages to it; of the hub */
    struct rtn_server_loop *loops;
    unsigned first_loop; /* the number of loop 0 among the loops of all servers: makes connection ids unique */
    atomic_uint loop_count; /* that are started; threads of modules read it meanwhile */
    atomic_uint accepting; /* loops that still accept */
    atomic_uint undrained; /* loops that still have connections */
    atomic_bool stopping; /* since it is being drained: what its threads see */
    atomic_bool replaced; /* a reload takes it away: its clients are not cut off in the middle of a request */
    bool finishing; /* rtn_server_finish() was called; [main], as the next */
    bool stuck; /* a loop, or a worker in a hook, did not come back: must not be touched any more */
    atomic_uint unfinished; /* loops that are not through with it */
    sem_t finished; /* none is left */
    struct rtn_mail finished_mail;
    struct rtn_mail closed_mail;
    struct rtn_mail drained_mail;
    struct rtn_stats_source stats; /* of server_stats.c */
    atomic_uint old_programs; /* beside the one in force, when main last looked; read by [any] */
    atomic_uint old_sessions; /* under them */
};

/*
 * Makes the program of `config`, which is one of the generation; everything wrong is added to diags. NULL on failure,
 * after all was undone.
 */
struct rtn_server *rtn_server_new(const struct rtn_config_server *config, struct rtn_generation *generation,
                                  const struct rtn_server_host *host, struct rtn_diags *diags);

/* Opens the access log of its program. 0, or -EINVAL after adding an error at its line. */
int rtn_server_open_log(struct rtn_server *server, struct rtn_diags *diags);

/* Binds every address. 0, or -EINVAL after adding errors at their lines. */
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
