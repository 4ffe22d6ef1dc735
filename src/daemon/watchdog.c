/*
 * Twice in each interval main looks whether every loop and every pool makes progress. When one does not, the manager
 * hears nothing more but the reason, as status; when that lasts, it ends the daemon and starts it again. While the
 * daemon stops, its own deadlines hold.
 */
#include "daemon/watchdog.h"

#include "daemon/daemon_state.h"
#include "daemon/notify.h"

static void stands_still(struct rtn_daemon *daemon, const char *why)
{
    if (!daemon->still)
        rtn_log(RTN_LOG_ERROR, "no progress: %s; the service manager is not told that all is well", why);
    daemon->still = true;
    rtn_notify("STATUS=no progress: %s", why);
}

static void goes_on(struct rtn_daemon *daemon)
{
    rtn_notify("WATCHDOG=1");
    if (!daemon->still)
        return;
    daemon->still = false;
    rtn_log(RTN_LOG_NOTICE, "all makes progress again");
    rtn_daemon_servers_tell(daemon);
}

static void on_time(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct rtn_daemon *daemon = timer->data;
    char why[256];
    if (daemon->stopping || rtn_daemon_has_progress(daemon, why, sizeof(why)))
        goes_on(daemon);
    else
        stands_still(daemon, why);
}

void rtn_watchdog_start(struct rtn_daemon *daemon)
{
    double seconds = (double) rtn_notify_watchdog_us() / 2e6;
    ev_timer_init(&daemon->watchdog, on_time, seconds, seconds);
    daemon->watchdog.data = daemon;
    if (seconds > 0.)
        ev_timer_start(daemon->ev, &daemon->watchdog);
}

void rtn_watchdog_stop(struct rtn_daemon *daemon)
{
    ev_timer_stop(daemon->ev, &daemon->watchdog);
}
