/*
 * Generations that are not in force any more, as long as sessions keep them alive. Each may have a deadline, after
 * which its sessions are closed; and of too many the oldest are closed.
 */
#include <stdlib.h>

#include "config/memory.h"
#include "daemon/daemon_state.h"
#include "server/server_swap.h"
#include "server/server_terms.h"

struct old_generation {
    struct rtn_list node; /* in daemon->old_generations */
    struct rtn_daemon *daemon;
    unsigned number;
    struct ev_timer deadline;
};

static void old_free(struct old_generation *old)
{
    ev_timer_stop(old->daemon->ev, &old->deadline);
    rtn_list_remove(&old->node);
    free(old);
}

/* Sessions of that generation, and of those before it. */
static void end_sessions(const struct rtn_daemon *daemon, unsigned number)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        if (daemon->runs[i]->state == RTN_RUN_SERVES)
            rtn_server_end_old(daemon->runs[i]->server, number + 1);
    }
}

static void on_deadline(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    struct old_generation *old = RTN_CONTAINER_OF(timer, struct old_generation, deadline);
    rtn_log(RTN_LOG_NOTICE, "generation %u: generation_timeout has passed: sessions that are left are closed",
            old->number);
    end_sessions(old->daemon, old->number);
    old_free(old);
}

static void set_deadline(struct rtn_daemon *daemon, unsigned number)
{
    int64_t timeout = daemon->generation->config->daemon.generation_timeout;
    if (timeout == 0)
        return;
    struct old_generation *old = rtn_config_need(calloc(1, sizeof(*old)));
    old->daemon = daemon;
    old->number = number;
    ev_timer_init(&old->deadline, on_deadline, (double) timeout / 1e3, 0.);
    ev_timer_start(daemon->ev, &old->deadline);
    rtn_list_append(&daemon->old_generations, &old->node);
}

static int compare(const void *a, const void *b)
{
    unsigned one = *(const unsigned *) a;
    unsigned other = *(const unsigned *) b;
    return (one > other) - (one < other);
}

/* Numbers of generations that sessions are under, of all servers, each as often as it is found. */
static void gather(const struct rtn_daemon *daemon, struct rtn_buf *numbers)
{
    for (size_t i = 0; i < daemon->run_count; i++) {
        const struct rtn_server *server = daemon->runs[i]->server;
        if (daemon->runs[i]->state != RTN_RUN_SERVES)
            continue;
        RTN_LIST_FOREACH (node, &server->terms) {
            const struct rtn_server_terms *terms = RTN_CONTAINER_OF(node, struct rtn_server_terms, node);
            if (terms->program != server->program && atomic_load(&terms->terms.sessions) > 0)
                rtn_buf_append(numbers, &terms->program->generation->number, sizeof(unsigned));
        }
    }
}

/* The newest that is too old, or 0. */
static unsigned find_oldest(unsigned *numbers, size_t count, unsigned most)
{
    unsigned distinct = 0;
    if (count > 0)
        qsort(numbers, count, sizeof(*numbers), compare);
    for (size_t i = count; i-- > 0;) {
        distinct += i + 1 == count || numbers[i] != numbers[i + 1];
        if (distinct > most)
            return numbers[i];
    }
    return 0;
}

void rtn_daemon_generations_bound(struct rtn_daemon *daemon)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf numbers = { 0 };
    unsigned most = (unsigned) daemon->generation->config->daemon.generations;
    gather(daemon, &numbers);
    unsigned oldest = find_oldest((unsigned *) (void *) numbers.data, numbers.length / sizeof(unsigned), most);
    if (oldest == 0)
        return;
    rtn_log(RTN_LOG_NOTICE, "generation %u: there are more than %u old ones (generations): its sessions are closed",
            oldest, most);
    end_sessions(daemon, oldest);
}

void rtn_daemon_generations_init(struct rtn_daemon *daemon)
{
    rtn_list_init(&daemon->old_generations);
}

void rtn_daemon_generations_supersede(struct rtn_daemon *daemon, unsigned number)
{
    set_deadline(daemon, number);
}

void rtn_daemon_generations_done(struct rtn_daemon *daemon)
{
    RTN_LIST_FOREACH (node, &daemon->old_generations)
        old_free(RTN_CONTAINER_OF(node, struct old_generation, node));
}
