/*
 * What the daemon itself says when metrics are read, on any thread. Generations and what servers keep of old ones are
 * known to main only, which looks from time to time and leaves the numbers where others may read them. Main counts in a
 * slab of its own.
 */
#include "daemon/daemon_state.h"
#include "server/server_swap.h"
#include "stats/stats.h"

static int64_t read_number(const _Atomic int64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

static void write_number(_Atomic int64_t *number, int64_t value)
{
    atomic_store_explicit(number, value, memory_order_relaxed);
}

static void read_stats(struct rtn_stats_readings *out, void *data)
{
    const struct rtn_daemon *daemon = data;
    const struct rtn_daemon_stats *stats = &daemon->stats;
    rtn_stats_give(out, RTN_STATS_LOG_DROPS, NULL, (int64_t) rtn_log_drops(daemon->log));
    if (read_number(&stats->generation) == 0)
        return;
    rtn_stats_give(out, RTN_STATS_GENERATION, NULL, read_number(&stats->generation));
    rtn_stats_give(out, RTN_STATS_GENERATIONS, NULL, read_number(&stats->generations));
    rtn_stats_give(out, RTN_STATS_RELOAD_TIME, NULL, read_number(&stats->loaded));
    rtn_stats_give(out, RTN_STATS_RELOADS, "bad", read_number(&stats->reloads[false]));
    rtn_stats_give(out, RTN_STATS_RELOADS, "good", read_number(&stats->reloads[true]));
}

void rtn_daemon_stats_begin(struct rtn_daemon *daemon)
{
    rtn_stats_thread_begin(NULL);
    daemon->stats.source = (struct rtn_stats_source){ .read = read_stats, .data = daemon };
    rtn_stats_source_add(&daemon->stats.source);
}

void rtn_daemon_stats_end(struct rtn_daemon *daemon)
{
    rtn_stats_source_remove(&daemon->stats.source);
    rtn_stats_thread_end();
}

static void look_at_server(struct rtn_server *server)
{
    unsigned programs;
    unsigned sessions;
    rtn_server_old_programs(server, &programs, &sessions);
    atomic_store_explicit(&server->old_programs, programs, memory_order_relaxed);
    atomic_store_explicit(&server->old_sessions, sessions, memory_order_relaxed);
}

void rtn_daemon_stats_look(struct rtn_daemon *daemon)
{
    const struct rtn_generation *generation = daemon->generation;
    write_number(&daemon->stats.generation, generation->number);
    write_number(&daemon->stats.generations, rtn_generation_count(generation));
    write_number(&daemon->stats.loaded, generation->made.tv_sec);
    for (size_t i = 0; i < daemon->run_count; i++) {
        if (daemon->runs[i]->state == RTN_RUN_SERVES)
            look_at_server(daemon->runs[i]->server);
    }
}

void rtn_daemon_stats_reload(struct rtn_daemon *daemon, bool good)
{
    write_number(&daemon->stats.reloads[good], read_number(&daemon->stats.reloads[good]) + 1);
    rtn_daemon_stats_look(daemon);
}
