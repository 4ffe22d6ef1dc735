/*
 * Stops that are asked for while a reload is under way: they wait for its end, since what it makes has to be taken back
 * or put in force first. A stop of the daemon has the reload taken back, and waits no longer than shutdown_timeout.
 */
#include <stdlib.h>

#include "config/memory.h"
#include "daemon/daemon_state.h"

bool rtn_daemon_defer_stop(struct rtn_daemon *daemon, const char *who)
{
    if (daemon->reloads.current == NULL || daemon->reloads.abandoned)
        return false;
    rtn_log(RTN_LOG_NOTICE, "%s: stops when the reload has come to its end", who);
    if (daemon->reloads.cancelled != NULL)
        return true;
    daemon->reloads.cancelled = rtn_config_need(strdup(who));
    ev_timer_set(&daemon->reload_limit, (double) daemon->generation->config->daemon.shutdown_timeout / 1e3, 0.);
    ev_timer_start(daemon->ev, &daemon->reload_limit);
    return true;
}

bool rtn_run_defer_stop(struct rtn_run *run, const char *who)
{
    if (run->daemon->reloads.current == NULL)
        return false;
    free(run->stop_asked);
    run->stop_asked = rtn_config_need(strdup(who));
    return true;
}

/* Those that were replaced meanwhile hand it on. */
static void stop_asked(struct rtn_daemon *daemon)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        struct rtn_run *asked = daemon->runs[i];
        char *who = asked->stop_asked;
        struct rtn_run *run = who != NULL ? rtn_daemon_find_run(daemon, asked->name) : NULL;
        asked->stop_asked = NULL;
        if (run != NULL)
            (void) rtn_daemon_stop_one(run, who);
        free(who);
    }
}

void rtn_daemon_stop_deferred(struct rtn_daemon *daemon)
{
    char *who = daemon->reloads.cancelled;
    daemon->reloads.cancelled = NULL;
    ev_timer_stop(daemon->ev, &daemon->reload_limit);
    if (who != NULL)
        rtn_daemon_stop(daemon, who);
    else
        stop_asked(daemon);
    free(who);
}

static void on_reload_limit(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct rtn_daemon *daemon = RTN_CONTAINER_OF(timer, struct rtn_daemon, reload_limit);
    rtn_log(RTN_LOG_WARN, "shutdown_timeout has passed: waits for the reload no longer");
    daemon->reloads.abandoned = true;
    rtn_daemon_stop_deferred(daemon);
}

void rtn_daemon_defer_init(struct rtn_daemon *daemon)
{
    ev_timer_init(&daemon->reload_limit, on_reload_limit, 0., 0.);
}
