/*
 * The end of a server: what modules have begun is finished or cancelled, then workers and loops end. Workers go first,
 * since what they do comes back to the loops.
 */
#include <errno.h>
#include <time.h>

#include "app/inbox.h"
#include "app/stopping.h"
#include "base/clock.h"
#include "hub/hub.h"
#include "server/server_swap_internal.h"

#define LEAST_STOP_MS 100

static void report_running(const char *thread, const char *what, void *data)
{
    const struct rtn_server *server = data;
    rtn_log(RTN_LOG_ERROR, "server \"%s\": %s is still in the handler of %s; it is left behind", server->config->name,
            thread, what);
}

/* Never nothing: whoever has little to do still gets to do it. */
static int64_t time_left(int64_t deadline_ms)
{
    return RTN_MAX(deadline_ms - rtn_clock_ms(), LEAST_STOP_MS);
}

void rtn_server_finish(struct rtn_server *server)
{
    unsigned count = server->loop_count;
    server->finishing = true;
    rtn_hub_close(server->port);
    atomic_store(&server->unfinished, count);
    for (unsigned i = 0; i < count; i++)
        rtn_loop_post(&server->loops[i].loop, &server->loops[i].finish_mail);
}

bool rtn_server_is_finished(const struct rtn_server *server)
{
    struct rtn_pool_stats stats = { 0 };
    if (server->stuck || atomic_load(&server->unfinished) > 0 || rtn_hub_waiting(server->port) > 0)
        return false;
    if (server->pool != NULL)
        rtn_pool_stats(server->pool, &stats);
    return stats.running + stats.queued == 0;
}

static bool stop_pool(struct rtn_server *server, int64_t deadline_ms)
{
    if (server->pool == NULL || rtn_pool_stop(server->pool, time_left(deadline_ms)) == 0)
        return true;
    server->stuck = rtn_server_is_finished(server);
    rtn_pool_running(server->pool, report_running, server);
    return false;
}

/* Half of the time at most: whoever is stuck is told later. */
static void wait_finished(struct rtn_server *server, int64_t deadline_ms)
{
    if (atomic_load(&server->unfinished) == 0)
        return;
    struct timespec until = rtn_clock_after(CLOCK_REALTIME, time_left(deadline_ms) / 2); /* of sem_timedwait */
    while (sem_timedwait(&server->finished, &until) < 0 && errno == EINTR)
        ;
}

bool rtn_server_end(struct rtn_server *server, int64_t deadline_ms)
{
    rtn_stopping_begin_server(&server->stopping);
    server->swap->ending = true;
    if (!server->finishing)
        rtn_server_finish(server);
    wait_finished(server, deadline_ms);
    rtn_hub_give_up(server->port);
    if (!stop_pool(server, deadline_ms))
        return false;
    bool clean = true;
    for (unsigned i = server->loop_count; i-- > 0;)
        clean = rtn_server_loop_stop(&server->loops[i], time_left(deadline_ms)) && clean;
    server->stuck = !clean;
    if (!clean)
        return false;
    /* Only now, since a loop may post to the others until its last moment. */
    for (unsigned i = 0; i < server->loop_count; i++)
        rtn_server_loop_done(&server->loops[i]);
    if (server->loop_count > 0)
        rtn_inbox_end(&server->loops[0].site, server->port);
    rtn_hub_end(server->port);
    server->loop_count = 0;
    rtn_server_stats_end(server);
    rtn_pool_free(server->pool);
    server->pool = NULL;
    rtn_server_swap_end(server);
    return true;
}
