/*
 * What one loop of a server has: its thread, its connections, its dispatch, its accept watchers. [loop];
 * made and freed by [main] while the thread does not run
 */
#ifndef RTN_SERVER_SERVER_LOOP_H
#define RTN_SERVER_SERVER_LOOP_H

#include "server/server.h"

struct rtn_ws_client_spec;

struct rtn_accept_watcher {
    struct ev_io io;
    bool proxy_protocol; /* trusted peers begin with a PROXY header */
    bool inherited; /* connections may be from before it had its options */
    unsigned batch; /* connections that one event takes */
    unsigned filled; /* events in a row that found so many */
};

struct rtn_accept_watchers {
    struct rtn_accept_watcher *items; /* one per listening socket of the loop */
    size_t count;
};

struct rtn_accept {
    struct rtn_accept_watchers watchers;
    struct rtn_stdio_bridge *stdio; /* NULL: not of this loop */
    bool open;
    bool paused; /* out of descriptors or at the connection limit */
    bool complained; /* the pause was logged */
    struct ev_timer retry;
    struct ev_timer calm; /* runs while accepting goes on but the pause was not declared over */
};

struct rtn_server_loop {
    struct rtn_server *server;
    unsigned index;
    struct rtn_loop loop;
    struct rtn_http1 http;
    struct rtn_site site;
    struct rtn_accept accept;
    struct rtn_mail open_mail;
    struct rtn_mail drain_mail;
    struct rtn_mail abort_mail;
    struct rtn_mail finish_mail;
    struct rtn_mail round_mail; /* of server_round.c */
    struct rtn_server_terms *next_terms; /* that are to be put in force; [main], or in the round that does it */
    bool ended; /* its thread has run end() */
    bool finishing; /* the mail has come; what came of it is on its way */
    bool owes_answer; /* to a survey that waits for it no longer; [main] */
};

/* 0 or -errno; starts the thread and runs the hooks: start of every instance on loop 0, thread_start on each. */
int rtn_server_loop_start(struct rtn_server_loop *loop, struct rtn_server *server, unsigned index);

/*
 * Ends and joins the thread within `ms`; thread_stop and, on loop 0, stop have run then. Mail may still be posted to
 * it. False, after a line in the log, when it does not come back.
 */
bool rtn_server_loop_stop(struct rtn_server_loop *loop, int64_t ms);

/* Frees what it has. No thread may post to it any more. */
void rtn_server_loop_done(struct rtn_server_loop *loop);

/*
 * server_tasks.c: the instance that a module says it is, with a reference: of a variable with
 * RTN_CLEANUP(rtn_instances_give_back). NULL: none of the server, which may be NULL. Any thread.
 */
struct rtn_instance *rtn_server_instance(struct rtn_server *server, const void *data);

/* server.c: as the configuration has them. */
struct rtn_clients_limits rtn_server_clients_limits(const struct rtn_config_server *config);

/* server_swap.c: before the pool is made; before the loops start; when all threads have ended; at last. [main] */
int rtn_server_swap_new(struct rtn_server *server);
int rtn_server_swap_start(struct rtn_server *server);
void rtn_server_swap_end(struct rtn_server *server);
void rtn_server_swap_free(struct rtn_server *server);

/* No worker is behind: of the pool's options. [worker] */
void rtn_server_worker_refreshed(void *data);

/* Where callbacks of the server come that the calling thread begins: on its loop, when it is one, else the first. */
struct rtn_site *rtn_server_site(struct rtn_server *server);

/* server_outgoing.c: as rtn_ws_client_new(); the order holds its instance until it is forgotten. Any thread. */
int rtn_server_order_client(struct rtn_http1 *http, const struct rtn_ws_client_spec *spec, uint64_t *id);

/* server_clients.c: begins the loop's share of the connections in `clients`. */
void rtn_server_outgoing_open(struct rtn_server_loop *loop);

/* Marks the rows of `program` that are those of `old`. [main] */
void rtn_server_outgoing_compare(struct rtn_program *program, const struct rtn_program *old);

/* The loop has another program in force: those of rows that have gone are closed, new ones begun. [loop] */
void rtn_server_outgoing_change(struct rtn_server_loop *loop);

/* Those that instances have ordered whose end has begun are closed. [loop] */
void rtn_server_outgoing_cancel(struct rtn_server_loop *loop);

/* server_stats.c: what the server gives when metrics are read, from start to end. 0 or -ENOMEM. [main] */
int rtn_server_stats_begin(struct rtn_server *server);
void rtn_server_stats_end(struct rtn_server *server);

/*
 * server_media.c: what rtn_media_type() knows from now on. 0 or -ENOMEM: then what it knew; all of it until it is done.
 * [main]
 */
int rtn_server_media_set(struct rtn_server *server, struct rtn_media *media);
void rtn_server_media_done(struct rtn_server *server);

/* server_line.c */

/* True when that is standard input and output, and no address. */
bool rtn_server_is_stdio(const struct rtn_config_listen *listen);

/* Accepts standard input and output, if this is the loop that has it. */
void rtn_server_stdio_open(struct rtn_server_loop *loop);

/* The same when an address of the server is that, unless it was begun before. */
void rtn_server_stdio_begin(struct rtn_server_loop *loop);

/*
 * server_listen.c: the listener of a row of `listen`, taken over from another server that has it, or opened. NULL after
 * adding an error. [main]
 */
struct rtn_listener *rtn_server_open_listener(const struct rtn_server *server, const struct rtn_config_server *config,
                                              size_t index, struct rtn_diags *diags);

/* Of a socket file. */
mode_t rtn_server_listen_mode(const struct rtn_config_listen *listen);

/* Numbers of open connections of those kinds; fills at most `capacity` in. How many there are. Any thread. */
size_t rtn_server_list_sessions(const struct rtn_server *server, unsigned kinds, bool accepted, bool outgoing,
                                uint64_t *ids, size_t capacity);

/* accept.c */
int rtn_accept_init(struct rtn_server_loop *loop);
void rtn_accept_done(struct rtn_server_loop *loop);
void rtn_accept_open(struct rtn_server_loop *loop);

/* Takes what is already waiting to be accepted, and no more. */
void rtn_accept_close(struct rtn_server_loop *loop);

/* What the loop will have of these listeners, one for each row of `listen`, or NULL. 0 or -ENOMEM. [main] */
int rtn_accept_watchers_new(struct rtn_server_loop *loop, struct rtn_listener *const *listeners,
                            const struct rtn_config_server *config, struct rtn_accept_watchers *ret);

/*
 * Accepts from these from now on, which it takes over. From sockets that go it takes what is waiting, but leaves that
 * to others where a socket was given to them.
 */
void rtn_accept_change(struct rtn_server_loop *loop, struct rtn_accept_watchers watchers, const int *given,
                       size_t given_count);

/* A connection has gone: accepting may go on. */
void rtn_accept_resume(struct rtn_server_loop *loop);

#endif
