/* What the files of the daemon share: its state, and the steps of its life that are not in daemon.c. [main] */
#ifndef RTN_DAEMON_DAEMON_STATE_H
#define RTN_DAEMON_DAEMON_STATE_H

#include "app/control.h"
#include "app/wiring.h"
#include "net/listener_keep.h"
#include "server/server.h"

#define RTN_DAEMON_STOP_MS 2000 /* for all threads of a server to end when no task is left; main waits for that */
#define RTN_DAEMON_END_MS 5000 /* the same at the end of the daemon, when nobody waits for main */

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
    char *name;
    bool replaced; /* by a reload, which has taken it away: is forgotten when it has ended */
    unsigned first_loop; /* the numbers that its loops have */
    unsigned loops; /* 0: none yet */
    struct rtn_list numbered; /* in daemon->numbered when it has some */
    char *stop_asked; /* during a reload, by that; NULL: nobody has */
    enum rtn_run_state state;
    struct ev_timer deadline; /* of the state */
    struct rtn_wish wish; /* to stop it */
};

struct rtn_reload;
struct rtn_watch_files;

/* Of reload.c. */
struct rtn_reloads {
    const char *path; /* of the configuration */
    struct rtn_list asks; /* that wait */
    struct rtn_config_daemon started; /* keys that only a start reads, as they were then: log.to, log.format, control */
    struct rtn_arena memory; /* their values */
    bool remembered; /* they are there: since the first reload */
    struct rtn_reload *current; /* NULL: none is under way */
    struct rtn_list left; /* what servers still have to do for those that are over; of reload_steps.c */
    struct rtn_mail turn; /* for the next one */
    bool turn_posted;
    char *cancelled; /* the daemon is to stop when it has come to its end, because of this; NULL: no */
    bool abandoned; /* that took too long: it is left as it is */
};

/* What daemon_stats.c gives: written by main, read by [any]. */
struct rtn_daemon_stats {
    struct rtn_stats_source source;
    _Atomic int64_t generation; /* number of the one in force; 0: none was loaded yet */
    _Atomic int64_t generations; /* that are alive */
    _Atomic int64_t loaded; /* when the one in force was, s since 1970 */
    _Atomic int64_t reloads[2]; /* bad and good ones */
};

struct rtn_daemon {
    struct rtn_generation *generation; /* in force; a reference */
    struct rtn_diags diags;
    bool quiet; /* nothing is said of what is wrong */
    struct rtn_log *log;
    _Atomic int log_level;
    struct rtn_log_writers writers; /* of access logs */
    struct rtn_log_context log_context;
    struct rtn_activation activation;
    struct rtn_fdstore store; /* of listening sockets; the service manager */
    struct rtn_resolver *resolver;
    struct rtn_hub *hub;
    struct rtn_wiring *wiring;
    struct rtn_server_host host;
    struct rtn_run **runs; /* in the order of the configuration; behind them those that end after a reload */
    size_t run_count;
    struct rtn_list numbered; /* runs whose loops have numbers */
    unsigned next_loop; /* where the search for numbers of loops begins */
    struct rtn_reloads reloads;
    struct rtn_list old_generations; /* of generations.c */
    struct rtn_watch_files *watch; /* NULL: nothing is watched */
    struct ev_loop *ev;
    struct rtn_mailbox mailbox;
    struct ev_signal signals[4];
    struct rtn_control control;
    struct rtn_control_socket *control_socket; /* NULL: none */
    struct rtn_list levels; /* log levels that will return; of control_level.c */
    int64_t started_ms; /* monotonic */
    struct rtn_daemon_stats stats;
    struct rtn_wish wish; /* to stop all */
    struct ev_prepare settle; /* looks how far stops have come, before every wait */
    struct ev_timer watchdog; /* of watchdog.c */
    bool still; /* the service manager knows that something stands still */
    struct ev_timer stalls; /* looks what threads are doing */
    struct ev_async stalls_wake; /* one of them does something again */
    unsigned quiet_looks; /* in a row that have found nothing */
    struct ev_timer reload_limit; /* of a reload that a stop waits for */
    struct ev_timer look; /* makes that happen often while workers are waited for */
    bool stopping;
    bool signalled; /* SIGTERM or SIGINT has come */
    bool left_behind; /* a thread did not come back when the start had failed: nothing of servers may be freed */
};

/* Prints and forgets what has gathered. True when there was no error. */
bool rtn_daemon_report(struct rtn_daemon *daemon);

/* daemon_stats.c: what the daemon gives when metrics are read; from when the log is open until it is closed. */
void rtn_daemon_stats_begin(struct rtn_daemon *daemon);
void rtn_daemon_stats_end(struct rtn_daemon *daemon);

/* Looks what there is now; and counts a reload, which was no dry run. */
void rtn_daemon_stats_look(struct rtn_daemon *daemon);
void rtn_daemon_stats_reload(struct rtn_daemon *daemon, bool good);

/* daemon_runs.c: which servers there are. */

/* One that is made now, behind the others or in place of `before`, which then is the last one. */
struct rtn_run *rtn_run_new(struct rtn_daemon *daemon, const char *name);
void rtn_daemon_add_run(struct rtn_daemon *daemon, struct rtn_run *run, const struct rtn_run *before);

/* Modules may ask for its stop from now on / no longer. */
void rtn_run_offer(struct rtn_run *run);
void rtn_run_withdraw(struct rtn_run *run);

/* It is forgotten; its server must have been freed. */
void rtn_daemon_remove_run(struct rtn_daemon *daemon, struct rtn_run *run);
void rtn_run_free(struct rtn_run *run);

/* Numbers for its loops, that no other server has. False: there are none. */
bool rtn_run_number_loops(struct rtn_run *run, unsigned loops);

/* Those that were not replaced stand as in the configuration, the others behind them. */
void rtn_daemon_order_runs(struct rtn_daemon *daemon);

/* The one of that name that was not replaced; NULL: none. */
struct rtn_run *rtn_daemon_find_run(const struct rtn_daemon *daemon, const char *name);

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

/* Of a new run, before it is offered. */
void rtn_run_init_stop(struct rtn_run *run);

/* Before servers are made: their modules may ask for stops from the first on. With an `ev`, stops are watched there. */
bool rtn_daemon_stop_init(struct rtn_daemon *daemon);

/* After servers were freed. */
void rtn_daemon_stop_done(struct rtn_daemon *daemon);

/* All of them, because of `who`; the loop of main ends when that is over. */
void rtn_daemon_stop(struct rtn_daemon *daemon, const char *who);

/* One of them, because of `who`; all when no other one serves. False: it does not serve any more. */
bool rtn_daemon_stop_one(struct rtn_run *run, const char *who);

/* A reload takes it away: it stops, if it serves, leaves its sockets to those who have them too, and is forgotten. */
void rtn_daemon_retire(struct rtn_run *run);

/* daemon_defer.c: true when a reload is under way: the stop waits for its end. */
void rtn_daemon_defer_init(struct rtn_daemon *daemon);
bool rtn_daemon_defer_stop(struct rtn_daemon *daemon, const char *who);
bool rtn_run_defer_stop(struct rtn_run *run, const char *who);

/* That has come: stops that were asked for meanwhile. */
void rtn_daemon_stop_deferred(struct rtn_daemon *daemon);

/* reload.c: `path` is the file of the configuration. */
void rtn_daemon_reloads_init(struct rtn_daemon *daemon, const char *path);
void rtn_daemon_reloads_done(struct rtn_daemon *daemon);

/* generations.c: the generation of that number is not in force any more. */
void rtn_daemon_generations_init(struct rtn_daemon *daemon);
void rtn_daemon_generations_supersede(struct rtn_daemon *daemon, unsigned number);
/* When loops have followed: those that are too many come to their end. */
void rtn_daemon_generations_bound(struct rtn_daemon *daemon);
void rtn_daemon_generations_done(struct rtn_daemon *daemon);

/* The server has no connections any more. */
void rtn_daemon_stop_drained(struct rtn_daemon *daemon, const struct rtn_server *server);

/*
 * The threads of all servers, when the loop of main has ended. False when a handler has not come back: the process must
 * then end without touching anything it may use.
 */
bool rtn_daemon_stop_end(struct rtn_daemon *daemon);

/* daemon_stalls.c: handlers that do not come back. */

/* Before threads are started. */
void rtn_daemon_stalls_init(void);

void rtn_daemon_stalls_watch(struct rtn_daemon *daemon);
void rtn_daemon_stalls_done(struct rtn_daemon *daemon);

/*
 * True when every loop has come round since the last call, or waits for events, and no pool has work but only stuck
 * workers. False: `why` says what does not get on.
 */
bool rtn_daemon_has_progress(const struct rtn_daemon *daemon, char *why, size_t size);

/* daemon_signals.c: what signals ask for. */
void rtn_daemon_signals_watch(struct rtn_daemon *daemon);

/*
 * Nobody listens to SIGTERM and SIGINT any more, so that a second one does what it does by default: ends the process.
 */
void rtn_daemon_signals_let_end(struct rtn_daemon *daemon);

void rtn_daemon_signals_done(struct rtn_daemon *daemon);

#endif
