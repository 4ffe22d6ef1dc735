/* What the files of the daemon share: its state, and the steps of its life that are not in daemon.c. [main] */
#ifndef RTN_DAEMON_DAEMON_STATE_H
#define RTN_DAEMON_DAEMON_STATE_H

#include "server/server.h"

#define RTN_DAEMON_STOP_MS 2000 /* for all threads to end when no task is left */

struct rtn_daemon {
    struct rtn_config *config;
    struct rtn_diags diags;
    struct rtn_log *log;
    _Atomic int log_level;
    struct rtn_log_writers writers; /* of access logs */
    struct rtn_log_context log_context;
    struct rtn_modules *modules;
    struct rtn_activation activation;
    struct rtn_media *media;
    struct rtn_resolver *resolver;
    struct rtn_server_host host;
    struct rtn_server **servers;
    size_t server_count;
    struct ev_loop *ev;
    struct rtn_mailbox mailbox;
    struct ev_signal signals[4];
    struct ev_timer deadline;
    size_t undrained;
    bool stopping;
    bool aborted;
};

/* Prints and forgets what has gathered. True when there was no error. */
bool rtn_daemon_report(struct rtn_daemon *daemon);

/*
 * daemon_servers.c: one step for all servers. Those that return bool report what is wrong, all of it together.
 */

/* The configuration is wrong: gathers what its modules have to say, too. */
void rtn_daemon_servers_check_modules(struct rtn_daemon *daemon);

/* Modules, instances, routes. */
bool rtn_daemon_servers_make(struct rtn_daemon *daemon);

bool rtn_daemon_servers_listen(struct rtn_daemon *daemon);

/* For -n: each address alone, to see whether others use it; then all together, whether they get in each other's way. */
bool rtn_daemon_servers_check_listen(struct rtn_daemon *daemon);

bool rtn_daemon_servers_ready(struct rtn_daemon *daemon);

/* The threads. False, logged, after all were stopped again. */
bool rtn_daemon_servers_start(struct rtn_daemon *daemon);

/* Tells the log and the service manager that all is there. */
void rtn_daemon_servers_announce(struct rtn_daemon *daemon);

/* False when a handler has not come back: the process must then end without touching anything it may use. */
bool rtn_daemon_servers_stop(struct rtn_daemon *daemon);

void rtn_daemon_servers_free(struct rtn_daemon *daemon);

/* daemon_signals.c: what signals ask for; ends the loop of main when a stop is over. */
void rtn_daemon_signals_watch(struct rtn_daemon *daemon);

/* Nobody listens to SIGTERM and SIGINT any more, so that a second one does what it does by default: ends the process.
 */
void rtn_daemon_signals_let_end(struct rtn_daemon *daemon);

void rtn_daemon_signals_done(struct rtn_daemon *daemon);

#endif
