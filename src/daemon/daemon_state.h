/* What the files of the daemon share: its state, and the steps of its life that are not in daemon.c. [main] */
#ifndef RTN_DAEMON_DAEMON_STATE_H
#define RTN_DAEMON_DAEMON_STATE_H

#include "app/control.h"
#include "app/wiring.h"
#include "server/server.h"

#define RTN_DAEMON_STOP_MS 2000 /* for all threads to end when no task is left */

/* Where a server is; only ever goes forward. */
enum rtn_run_state {
    RTN_RUN_MADE, /* serves nobody yet */
    RTN_RUN_SERVES,
    RTN_RUN_DRAINS, /* finishes what runs */
    RTN_RUN_ABORTED, /* it took too long: closes what is left */
    RTN_RUN_DRAINED, /* has no connections; when all stop, others still do */
    RTN_RUN_FINISHES, /* takes no more messages; workers finish what they have */
    RTN_RUN_OVER, /* nothing is waited for any more: may be ended */
    RTN_RUN_LEFT, /* a thread of it does not come back: stays as it is until it does, or the process ends */
    RTN_RUN_ENDED /* freed */
};

/* A server of the daemon. */
struct rtn_run {
    struct rtn_daemon *daemon;
    struct rtn_server *server; /* NULL once it was freed */
    const char *name; /* of the configuration */
    enum rtn_run_state state;
    struct ev_timer deadline; /* of the state */
    struct rtn_wish wish; /* to stop it */
};

struct rtn_daemon {
    struct rtn_config *config;
    struct rtn_diags diags;
    bool quiet; /* nothing is said of what is wrong */
    struct rtn_log *log;
    _Atomic int log_level;
    struct rtn_log_writers writers; /* of access logs */
    struct rtn_log_context log_context;
    struct rtn_modules *modules;
    struct rtn_activation activation;
    struct rtn_media *media;
    struct rtn_resolver *resolver;
    struct rtn_hub *hub;
    struct rtn_wiring *wiring;
    struct rtn_server_host host;
    struct rtn_run *runs;
    size_t run_count;
    struct ev_loop *ev;
    struct rtn_mailbox mailbox;
    struct ev_signal signals[4];
    struct rtn_control control;
    struct rtn_wish wish; /* to stop all */
    struct ev_prepare settle; /* looks how far stops have come, before every wait */
    struct ev_timer look; /* makes that happen often while workers are waited for */
    bool stopping;
    bool signalled; /* SIGTERM or SIGINT has come */
    bool left_behind; /* a thread did not come back when the start had failed: nothing of servers may be freed */
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

/* The threads. False, logged, after all were stopped again, but for those that are `left_behind`. */
bool rtn_daemon_servers_start(struct rtn_daemon *daemon);

void rtn_daemon_servers_open(struct rtn_daemon *daemon);

/* Tells the log and the service manager that all is there. */
void rtn_daemon_servers_announce(struct rtn_daemon *daemon);

/* Tells the service manager which servers serve. */
void rtn_daemon_servers_tell(const struct rtn_daemon *daemon);

/* New clients are refused, by all. */
void rtn_daemon_servers_listen_stop(struct rtn_daemon *daemon);

void rtn_daemon_servers_free(struct rtn_daemon *daemon);

/* daemon_stop.c: how servers stop. */

/* Before servers are made: their modules may ask for stops from the first on. With an `ev`, stops are watched there. */
bool rtn_daemon_stop_init(struct rtn_daemon *daemon);

/* After servers were freed. */
void rtn_daemon_stop_done(struct rtn_daemon *daemon);

/* All of them, because of `who`; the loop of main ends when that is over. */
void rtn_daemon_stop(struct rtn_daemon *daemon, const char *who);

/* The server has no connections any more. */
void rtn_daemon_stop_drained(struct rtn_daemon *daemon, const struct rtn_server *server);

/*
 * The threads of all servers, when the loop of main has ended. False when a handler has not come back: the process must
 * then end without touching anything it may use.
 */
bool rtn_daemon_stop_end(struct rtn_daemon *daemon);

/* daemon_signals.c: what signals ask for. */
void rtn_daemon_signals_watch(struct rtn_daemon *daemon);

/*
 * Nobody listens to SIGTERM and SIGINT any more, so that a second one does what it does by default: ends the process.
 */
void rtn_daemon_signals_let_end(struct rtn_daemon *daemon);

void rtn_daemon_signals_done(struct rtn_daemon *daemon);

#endif
