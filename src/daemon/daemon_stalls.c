/*
 * Main looks five times a second at what the other threads are doing. Its own callbacks, those that configure modules,
 * are only known for the line of a crash.
 */
#include <stdio.h>

#include "app/module_name.h"
#include "daemon/daemon_state.h"
#include "loop/backtrace.h"
#include "loop/barrier.h"
#include "loop/stalls.h"

static void on_look(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct rtn_daemon *daemon = RTN_CONTAINER_OF(timer, struct rtn_daemon, stalls);
    rtn_daemon_stats_look(daemon);
    rtn_stalls_look();
    for (size_t i = 0; i < daemon->run_count; i++) {
        if (daemon->runs[i]->server != NULL)
            rtn_server_stall_look(daemon->runs[i]->server);
    }
}

void rtn_daemon_stalls_init(void)
{
    rtn_barrier_init();
    rtn_backtrace_init(rtn_module_name_find);
}

void rtn_daemon_stalls_watch(struct rtn_daemon *daemon)
{
    const double seconds = RTN_STALLS_LOOK_MS / 1e3;
    ev_timer_init(&daemon->stalls, on_look, seconds, seconds);
    ev_timer_start(daemon->ev, &daemon->stalls);
}

void rtn_daemon_stalls_done(struct rtn_daemon *daemon)
{
    if (daemon->ev != NULL)
        ev_timer_stop(daemon->ev, &daemon->stalls);
}

bool rtn_daemon_has_progress(const struct rtn_daemon *daemon, char *why, size_t size)
{
    if (!rtn_stalls_loops_progress(why, size))
        return false;
    for (size_t i = 0; i < daemon->run_count; i++) {
        const struct rtn_server *server = daemon->runs[i]->server;
        if (server == NULL || rtn_server_has_progress(server))
            continue;
        (void) snprintf(why, size, "all workers of server \"%s\" are stuck", daemon->runs[i]->name);
        return false;
    }
    return true;
}
