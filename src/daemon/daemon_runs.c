/*
 * The servers of the daemon: those of the configuration in its order, and behind them those that a reload has taken
 * away, until they have ended. Numbers of loops are taken in turn, so that an id of a connection that is gone is not
 * given out again soon.
 */
#include <stdlib.h>

#include "config/memory.h"
#include "daemon/daemon_state.h"

#define LOOP_NUMBERS 1023 /* ids of connections have room for so many */

struct rtn_run *rtn_run_new(struct rtn_daemon *daemon, const char *name)
{
    struct rtn_run *run = rtn_config_need(calloc(1, sizeof(*run)));
    run->daemon = daemon;
    run->name = rtn_config_need(strdup(name));
    rtn_list_init(&run->numbered);
    rtn_run_init_stop(run);
    return run;
}

void rtn_run_free(struct rtn_run *run)
{
    if (run == NULL)
        return;
    rtn_list_remove(&run->numbered);
    free(run->stop_asked);
    free(run->name);
    free(run);
}

void rtn_run_offer(struct rtn_run *run)
{
    rtn_control_add(&run->daemon->control, &run->wish);
}

void rtn_run_withdraw(struct rtn_run *run)
{
    rtn_control_remove(&run->wish);
}

static size_t position(const struct rtn_daemon *daemon, const struct rtn_run *run)
{
    size_t i = 0;
    while (i < daemon->run_count && daemon->runs[i] != run)
        i++;
    return i;
}

void rtn_daemon_add_run(struct rtn_daemon *daemon, struct rtn_run *run, const struct rtn_run *before)
{
    size_t at = before != NULL ? position(daemon, before) : daemon->run_count;
    daemon->runs = rtn_config_need(reallocarray(daemon->runs, daemon->run_count + 1, sizeof(struct rtn_run *)));
    if (before != NULL)
        daemon->runs[daemon->run_count] = daemon->runs[at];
    daemon->runs[at] = run;
    daemon->run_count++;
}

void rtn_daemon_remove_run(struct rtn_daemon *daemon, struct rtn_run *run)
{
    size_t at = position(daemon, run);
    if (at == daemon->run_count)
        return;
    daemon->run_count--;
    memmove(&daemon->runs[at], &daemon->runs[at + 1], (daemon->run_count - at) * sizeof(struct rtn_run *));
}

static bool overlaps(const struct rtn_daemon *daemon, unsigned first, unsigned loops)
{
    RTN_LIST_FOREACH (node, &daemon->numbered) {
        const struct rtn_run *run = RTN_CONTAINER_OF(node, struct rtn_run, numbered);
        if (first < run->first_loop + run->loops && run->first_loop < first + loops)
            return true;
    }
    return false;
}

bool rtn_run_number_loops(struct rtn_run *run, unsigned loops)
{
    struct rtn_daemon *daemon = run->daemon;
    for (unsigned tried = 0; tried < LOOP_NUMBERS; tried++) {
        unsigned first = (daemon->next_loop + tried) % LOOP_NUMBERS;
        if (first + loops > LOOP_NUMBERS || overlaps(daemon, first, loops))
            continue;
        run->first_loop = first;
        run->loops = loops;
        rtn_list_append(&daemon->numbered, &run->numbered);
        daemon->next_loop = (first + loops) % LOOP_NUMBERS;
        return true;
    }
    return false;
}

struct rtn_run *rtn_daemon_find_run(const struct rtn_daemon *daemon, const char *name)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        if (!daemon->runs[i]->replaced && strcmp(daemon->runs[i]->name, name) == 0)
            return daemon->runs[i];
    }
    return NULL;
}

/* Its place among the servers of the configuration. */
static size_t rank(const struct rtn_daemon *daemon, const struct rtn_run *run)
{
    const struct rtn_schema_array *servers = &daemon->generation->config->servers;
    size_t i = 0;
    while (!run->replaced && i < servers->count &&
           strcmp(((const struct rtn_config_server *) servers->items)[i].name, run->name) != 0)
        i++;
    return run->replaced ? servers->count : i;
}

/* Few of them, nearly in order. */
void rtn_daemon_order_runs(struct rtn_daemon *daemon)
{
    for (size_t i = 1; i < daemon->run_count; i++) {
        struct rtn_run *run = daemon->runs[i];
        size_t at = i;
        for (; at > 0 && rank(daemon, daemon->runs[at - 1]) > rank(daemon, run); at--)
            daemon->runs[at] = daemon->runs[at - 1];
        daemon->runs[at] = run;
    }
}
