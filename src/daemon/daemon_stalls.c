/*
 * Main looks five times a second at what the other threads are doing, as long as they do something: in a daemon that
 * nobody asks for anything all threads sleep. Its own callbacks, those that configure modules, are only known for the
 * line of a crash.
 */
#include <stdio.h>

#include "app/module_name.h"
#include "daemon/daemon_state.h"
#include "loop/backtrace.h"
#include "loop/barrier.h"
#include "loop/stalls.h"

static void look(struct rtn_daemon *daemon)
{
    rtn_daemon_stats_look(daemon);
    rtn_stalls_look();
    for (size_t i = 0; i < daemon->run_count; i++) {
        if (daemon->runs[i]->server != NULL)
            rtn_server_stall_look(daemon->runs[i]->server);
    }
}

static void look_every(struct rtn_daemon *daemon, int ms)
{
    daemon->stalls.repeat = ms / 1e3;
    ev_timer_again(daemon->ev, &daemon->stalls);
}

/* Somebody does something. */
static void look_often(struct rtn_daemon *daemon)
{
    daemon->quiet_looks = 0;
    rtn_activity_rest(false);
    look_every(daemon, RTN_STALLS_LOOK_MS);
}

static void wake(void *data)
{
    struct rtn_daemon *daemon = data;
    ev_async_send(daemon->ev, &daemon->stalls_wake);
}

static void on_wake(struct ev_loop *ev, struct ev_async *watcher, int events)
{
    (void) ev;
    (void) events;
    look_often(RTN_CONTAINER_OF(watcher, struct rtn_daemon, stalls_wake));
}

/* Nothing is under way that would end by itself: neither callbacks nor generations. */
static bool is_quiet(const struct rtn_daemon *daemon)
{
    return rtn_activity_is_quiet() && rtn_generation_count(daemon->generation) == 1;
}

/* Unless somebody has begun meanwhile, who was not told. */
static void rest(struct rtn_daemon *daemon)
{
    rtn_activity_rest(true);
    if (is_quiet(daemon))
        look_every(daemon, RTN_STALLS_REST_MS);
    else
        look_often(daemon);
}

static void on_look(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct rtn_daemon *daemon = RTN_CONTAINER_OF(timer, struct rtn_daemon, stalls);
    look(daemon);
    if (!is_quiet(daemon))
        look_often(daemon);
    else if (++daemon->quiet_looks == RTN_STALLS_QUIET_LOOKS)
        rest(daemon);
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
    ev_async_init(&daemon->stalls_wake, on_wake);
    ev_async_start(daemon->ev, &daemon->stalls_wake);
    rtn_activity_set_waker(wake, daemon);
}

void rtn_daemon_stalls_done(struct rtn_daemon *daemon)
{
    rtn_activity_rest(false);
    if (daemon->ev == NULL)
        return;
    ev_timer_stop(daemon->ev, &daemon->stalls);
    ev_async_stop(daemon->ev, &daemon->stalls_wake);
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
