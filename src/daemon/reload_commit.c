/*
 * The point of no return, in one go on main: messages, programs, sockets, new servers, and then the end of those that
 * are not there any more. Loops follow within an iteration; when all have, the reload is over.
 */
#include "config/config_diff.h"
#include "daemon/fdstore.h"
#include "daemon/reload_internal.h"
#include "daemon/watch.h"
#include "server/server_relisten.h"
#include "server/server_swap.h"

static const struct rtn_reload_kind following = {
    .left = "not all of it is done yet",
    .still = "a reload is still being carried out",
    .over = "all of the reload is done",
};

static void on_committed(struct rtn_server *server, int result, void *data)
{
    (void) server;
    (void) result;
    rtn_reload_end_part(data);
}

static void on_relistened(struct rtn_server *server, void *data)
{
    (void) server;
    rtn_reload_end_part(data);
}

static void commit_program(struct rtn_reload_change *change)
{
    struct rtn_reload *reload = change->reload;
    if (change->program == NULL)
        return;
    struct rtn_server *server = change->plan->run->server;
    bool relistens = server->relisten != NULL;
    struct rtn_reload_step *step = rtn_reload_begin_step(reload, &following, server, relistens ? 2 : 1);
    change->program = NULL; /* the server's */
    rtn_server_commit(server, on_committed, step);
    if (relistens)
        rtn_server_relisten_commit(server, on_relistened, step);
}

/* Whoever had that name, and was stopped or is to be. */
static void take_place(struct rtn_daemon *daemon, struct rtn_run *run, const char *name)
{
    struct rtn_run *before = rtn_daemon_find_run(daemon, name);
    if (run != NULL)
        rtn_daemon_add_run(daemon, run, before);
    if (before != NULL)
        rtn_daemon_retire(before);
}

static void describe(const struct rtn_server *server)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf line = { 0 };
    rtn_server_describe(server, &line);
    rtn_log(RTN_LOG_NOTICE, "%s", line.data);
}

static void commit_server(struct rtn_reload_change *change)
{
    struct rtn_daemon *daemon = change->reload->daemon;
    struct rtn_run *run = change->run;
    if (run == NULL)
        return;
    change->run = NULL; /* the daemon's */
    run->state = RTN_RUN_SERVES;
    rtn_server_open(run->server);
    take_place(daemon, run, run->name);
    rtn_run_offer(run);
    describe(run->server);
}

static void commit_removal(struct rtn_reload_change *change)
{
    if (change->plan->change->after == NULL)
        take_place(change->reload->daemon, NULL, change->plan->change->server);
}

static void describe_listeners(struct rtn_reload_change *change)
{
    if (change->plan->run != NULL && change->plan->weightiest == RTN_CHANGE_LISTEN)
        describe(change->plan->run->server);
}

/* The shortest wait that a server wants now, of those that write to the file. */
static void tune_writer(const struct rtn_daemon *daemon, struct rtn_log_writer *writer)
{
    int64_t shortest = INT64_MAX;
    for (size_t i = 0; i < daemon->run_count; i++) {
        const struct rtn_run *run = daemon->runs[i];
        const struct rtn_config_access_log *log = run->server != NULL ? &run->server->config->access_log : NULL;
        if (log != NULL && log->path != NULL && strcmp(log->path, rtn_log_writer_path(writer)) == 0)
            shortest = RTN_MIN(shortest, log->flush);
    }
    if (shortest != INT64_MAX)
        rtn_log_writer_set_flush(writer, shortest);
}

/* What belongs to no server. */
static void commit_daemon(struct rtn_reload *reload)
{
    struct rtn_daemon *daemon = reload->daemon;
    struct rtn_generation *old = daemon->generation;
    daemon->generation = reload->generation;
    reload->generation = NULL;
    rtn_generation_supersede(old, daemon->generation);
    atomic_store(&daemon->log_level, daemon->generation->config->daemon.log.level);
    for (size_t i = 0; i < daemon->writers.count; i++)
        tune_writer(daemon, daemon->writers.items[i]);
    rtn_daemon_generations_supersede(daemon, old->number);
    rtn_generation_unref(old);
    rtn_daemon_order_runs(daemon);
    rtn_fdstore_update(daemon);
    rtn_watch_update(daemon);
}

static void for_each(struct rtn_reload *reload, void (*step)(struct rtn_reload_change *change))
{
    for (size_t i = 0; i < reload->plan.count; i++)
        step(&reload->changes[i]);
}

void rtn_reload_commit(struct rtn_reload *reload, void (*then)(struct rtn_reload *reload))
{
    reload->committing = true;
    rtn_reload_expect(reload, then);
    reload->tired = rtn_reload_leave_behind;
    rtn_reload_commit_wiring(reload);
    for_each(reload, commit_program);
    for_each(reload, commit_server);
    for_each(reload, commit_removal);
    for_each(reload, describe_listeners);
    commit_daemon(reload);
    rtn_reload_arrived(reload);
}
