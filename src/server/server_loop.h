/*
 * What one loop of a server has: its thread, its connections, its dispatch, its accept watchers. [loop];
 * made and freed by [main] while the thread does not run
 */
#ifndef RTN_SERVER_SERVER_LOOP_H
#define RTN_SERVER_SERVER_LOOP_H

#include "server/server.h"

struct rtn_accept_watcher {
    struct ev_io io;
    bool proxy_protocol; /* trusted peers begin with a PROXY header */
};

struct rtn_accept {
    struct rtn_accept_watcher *watchers; /* one per listening socket of this loop */
    size_t count;
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
    struct rtn_line_policy line_policy; /* of a line server */
    struct rtn_mail open_mail;
    struct rtn_mail drain_mail;
    struct rtn_mail abort_mail;
    struct rtn_mail finish_mail;
    bool finishing; /* the mail has come; what came of it is on its way */
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

/* The modules' thread_start and thread_stop, on a loop or a worker. 0 or -errno, logged. [loop] [worker] */
int rtn_server_threads_start(struct rtn_server *server);
void rtn_server_threads_stop(struct rtn_server *server);

/* server_tasks.c: the instance that a module says it is; NULL: none of the server, which may be NULL. Any thread. */
struct rtn_instance *rtn_server_instance(const struct rtn_server *server, const void *data);

/* Where callbacks of the server come that the calling thread begins: on its loop, when it is one, else the first. */
struct rtn_site *rtn_server_site(struct rtn_server *server);

/* server_outgoing.c: begins the loop's share of the connections in `clients`. */
void rtn_server_outgoing_open(struct rtn_server_loop *loop);

/* server_line.c */

/* True when that is standard input and output, and no address. */
bool rtn_server_is_stdio(const struct rtn_config_listen *listen);

/* Accepts standard input and output, if this is the loop that has it. */
void rtn_server_stdio_open(struct rtn_server_loop *loop);

/* Numbers of open connections of those kinds; fills at most `capacity` in. How many there are. Any thread. */
size_t rtn_server_list_sessions(const struct rtn_server *server, unsigned kinds, bool accepted, bool outgoing,
                                uint64_t *ids, size_t capacity);

/* accept.c */
int rtn_accept_init(struct rtn_server_loop *loop);
void rtn_accept_done(struct rtn_server_loop *loop);
void rtn_accept_open(struct rtn_server_loop *loop);

/* Takes what is already waiting to be accepted, and no more. */
void rtn_accept_close(struct rtn_server_loop *loop);

/* A connection has gone: accepting may go on. */
void rtn_accept_resume(struct rtn_server_loop *loop);

#endif
