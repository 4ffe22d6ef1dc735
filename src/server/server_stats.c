/*
 * What a server says when metrics are read: how its pool and its queue of messages are doing. On any thread, but never
 * after rtn_server_stats_end(), so that pool and port are there.
 */
#include <errno.h>
#include <stdlib.h>

#include "hub/hub.h"
#include "server/server_loop.h"

static void give_pool(struct rtn_stats_readings *out, const struct rtn_server *server)
{
    static const char *const lanes[RTN_LANES] = {
        [RTN_LANE_CLIENTS] = "clients", [RTN_LANE_CALLBACKS] = "callbacks", [RTN_LANE_TASKS] = "tasks"
    };
    struct rtn_pool_stats stats;
    rtn_pool_stats(server->pool, &stats);
    rtn_stats_give(out, RTN_STATS_POOL_THREADS, NULL, stats.threads);
    rtn_stats_give(out, RTN_STATS_POOL_THREADS_MAX, NULL, stats.most);
    rtn_stats_give(out, RTN_STATS_POOL_RUNNING, NULL, stats.running);
    rtn_stats_give(out, RTN_STATS_POOL_BLOCKED, NULL, stats.blocked);
    rtn_stats_give(out, RTN_STATS_POOL_STUCK, NULL, atomic_load(&server->stalls.watched.stuck_workers));
    for (size_t i = 0; i < RTN_LANES; i++)
        rtn_stats_give(out, RTN_STATS_POOL_QUEUED, lanes[i], stats.lanes[i]);
}

static void read_stats(struct rtn_stats_readings *out, void *data)
{
    const struct rtn_server *server = data;
    rtn_stats_give(out, RTN_STATS_SERVER_UP, NULL, !atomic_load(&server->stopping));
    rtn_stats_give(out, RTN_STATS_OLD_PROGRAMS, NULL, atomic_load(&server->old_programs));
    rtn_stats_give(out, RTN_STATS_OLD_SESSIONS, NULL, atomic_load(&server->old_sessions));
    if (server->pool != NULL)
        give_pool(out, server);
    if (server->port->type_count == 0)
        return;
    rtn_stats_give(out, RTN_STATS_HUB_WAITING, NULL, rtn_hub_waiting(server->port));
    rtn_stats_give(out, RTN_STATS_HUB_CAPACITY, NULL, server->port->capacity);
}

/* The name is the source's own: the server's belongs to a configuration, which changes. */
int rtn_server_stats_begin(struct rtn_server *server)
{
    char *name = strdup(server->config->name);
    if (name == NULL)
        return -ENOMEM;
    server->stats = (struct rtn_stats_source){ .server = name, .read = read_stats, .data = server };
    rtn_stats_source_add(&server->stats);
    return 0;
}

void rtn_server_stats_end(struct rtn_server *server)
{
    rtn_stats_source_remove(&server->stats);
    free((void *) (uintptr_t) server->stats.server);
    server->stats.server = NULL;
}
