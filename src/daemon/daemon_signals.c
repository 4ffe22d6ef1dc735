/*
 * Stopping: the first SIGTERM or SIGINT drains every server; after `shutdown_timeout` what is left is closed; the
 * second ends the process at once. SIGUSR1 opens the logs again.
 */
#include <signal.h>
#include <unistd.h>

#include "app/stopping.h"
#include "daemon/daemon_state.h"
#include "daemon/notify.h"

#define ABORT_SECONDS 0.5 /* for loops to close what is left */
#define LAST_LINES_MS 200 /* for the access logs of a daemon that has to end at once */
#define STOPS 2 /* of the signals that are watched */

static const char *signal_name(int number)
{
    return number == SIGTERM ? "SIGTERM" : "SIGINT";
}

static void end_at_once(struct rtn_daemon *daemon, int signal_number)
{
    rtn_log(RTN_LOG_WARN, "%s again: ends at once", signal_name(signal_number));
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_listen_stop(daemon->servers[i]);
    (void) rtn_log_writers_stop(&daemon->writers, LAST_LINES_MS);
    _exit(128 + signal_number);
}

static void on_deadline(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) events;
    struct rtn_daemon *daemon = timer->data;
    if (daemon->aborted) {
        ev_break(ev, EVBREAK_ALL);
        return;
    }
    daemon->aborted = true;
    rtn_log(RTN_LOG_WARN, "shutdown_timeout has passed: closes what is left");
    for (size_t i = 0; i < daemon->server_count; i++) {
        if (!daemon->servers[i]->drained)
            rtn_server_abort(daemon->servers[i]);
    }
    ev_timer_set(timer, ABORT_SECONDS, 0.);
    ev_timer_start(ev, timer);
}

static void stop(struct rtn_daemon *daemon, int signal_number)
{
    if (daemon->stopping)
        end_at_once(daemon, signal_number);
    daemon->stopping = true;
    rtn_stopping_begin();
    rtn_notify("STOPPING=1\nSTATUS=finishing what runs");
    int64_t timeout = daemon->config->daemon.shutdown_timeout;
    char text[RTN_FORMAT_MAX];
    rtn_log(RTN_LOG_NOTICE, "%s: stops; waits up to %s for what runs", signal_name(signal_number),
            rtn_format_duration(text, timeout));
    daemon->undrained = daemon->server_count;
    for (size_t i = 0; i < daemon->server_count; i++)
        rtn_server_drain(daemon->servers[i]);
    ev_timer_init(&daemon->deadline, on_deadline, (double) timeout / 1e3, 0.);
    daemon->deadline.data = daemon;
    ev_timer_start(daemon->ev, &daemon->deadline);
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
        rtn_log(RTN_LOG_WARN, "SIGHUP: the configuration is read at start only; restart to change it");
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

void rtn_daemon_signals_let_end(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < STOPS; i++)
        ev_signal_stop(daemon->ev, &daemon->signals[i]);
}

void rtn_daemon_signals_done(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(daemon->signals); i++)
        ev_signal_stop(daemon->ev, &daemon->signals[i]);
    ev_timer_stop(daemon->ev, &daemon->deadline);
}
