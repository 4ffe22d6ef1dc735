/*
 * Signals: the first SIGTERM or SIGINT stops every server (daemon_stop.c); the second ends the process at once. SIGUSR1
 * opens the logs again, SIGHUP loads the configuration again (reload.c).
 */
#include <signal.h>
#include <unistd.h>

#include "daemon/daemon_state.h"
#include "daemon/reload.h"

#define LAST_LINES_MS 200 /* for the access logs of a daemon that has to end at once */
#define STOPS 2 /* of the signals that are watched */

static const char *signal_name(int number)
{
    return number == SIGTERM ? "SIGTERM" : "SIGINT";
}

static void end_at_once(struct rtn_daemon *daemon, int signal_number)
{
    rtn_log(RTN_LOG_WARN, "%s again: ends at once", signal_name(signal_number));
    rtn_daemon_servers_listen_stop(daemon);
    (void) rtn_log_writers_stop(&daemon->writers, LAST_LINES_MS);
    _exit(128 + signal_number);
}

/* Only a second signal: a first one may come while the daemon stops because a module has asked for it. */
static void stop(struct rtn_daemon *daemon, int signal_number)
{
    if (daemon->signalled)
        end_at_once(daemon, signal_number);
    daemon->signalled = true;
    rtn_daemon_stop(daemon, signal_name(signal_number));
}

/* The access logs are opened by their own threads, which tell how it went. */
static void reopen_logs(struct rtn_daemon *daemon)
{
    rtn_log_writers_reopen(&daemon->writers);
    int r = rtn_log_reopen(daemon->log);
    if (r < 0)
        rtn_log(RTN_LOG_ERROR, "cannot open the log again, the old file stays in use: %s", strerror(-r));
    else if (r > 0)
        rtn_log(RTN_LOG_INFO, "the log was opened again");
}

static void on_signal(struct ev_loop *ev, struct ev_signal *watcher, int events)
{
    (void) ev;
    (void) events;
    struct rtn_daemon *daemon = watcher->data;
    if (watcher->signum == SIGUSR1)
        reopen_logs(daemon);
    else if (watcher->signum == SIGHUP)
        rtn_reload(daemon, false, "SIGHUP", NULL, NULL);
    else
        stop(daemon, watcher->signum);
}

void rtn_daemon_signals_watch(struct rtn_daemon *daemon)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1 }; /* the first STOPS stop */
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(numbers); i++) {
        ev_signal_init(&daemon->signals[i], on_signal, numbers[i]);
        daemon->signals[i].data = daemon;
        ev_signal_start(daemon->ev, &daemon->signals[i]);
    }
}

static void ignore(int signal_number)
{
    (void) signal_number;
}

void rtn_daemon_signals_let_end(struct rtn_daemon *daemon)
{
    const struct sigaction once = { .sa_handler = ignore, .sa_flags = (int) (SA_RESETHAND | SA_RESTART) };
    for (size_t i = 0; i < STOPS; i++) {
        ev_signal_stop(daemon->ev, &daemon->signals[i]);
        if (!daemon->signalled)
            (void) sigaction(daemon->signals[i].signum, &once, NULL);
    }
}

void rtn_daemon_signals_done(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(daemon->signals); i++)
        ev_signal_stop(daemon->ev, &daemon->signals[i]);
}
