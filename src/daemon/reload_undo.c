/*
 * A reload that failed, or that was only to be tried: what it has made goes away, in the opposite order. Servers that
 * serve have noticed nothing but the start hooks of instances that are stopped again. These end when all threads have
 * let go of them.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/reload_internal.h"
#include "server/server_relisten.h"
#include "server/server_swap.h"

static void free_program(struct rtn_reload_change *change)
{
    rtn_program_free(change->program);
    change->program = NULL;
}

static const struct rtn_reload_kind taking_back = {
    .left = "what was begun is not taken back yet",
    .still = "a reload that failed is still being taken back",
    .over = "the reload that failed has been taken back",
};

static void on_discarded(struct rtn_server *server, int result, void *data)
{
    (void) server;
    (void) result;
    struct rtn_reload_step *step = data;
    rtn_program_free(step->program);
    rtn_generation_unref(step->generation);
    rtn_reload_end_part(step);
}

static void discard_program(struct rtn_reload_change *change)
{
    struct rtn_reload *reload = change->reload;
    struct rtn_server *server = change->plan->run->server;
    struct rtn_reload_step *step = rtn_reload_begin_step(reload, &taking_back, server, 1);
    step->program = change->program;
    step->generation = reload->generation;
    rtn_generation_ref(step->generation);
    change->program = NULL;
    rtn_server_discard(server, on_discarded, step);
}

static void undo_program(struct rtn_reload_change *change)
{
    const struct rtn_run *run = change->plan->run;
    if (run != NULL)
        rtn_server_relisten_undo(run->server);
    if (run == NULL || !change->prepared) {
        free_program(change);
        return;
    }
    discard_program(change);
}

/* One whose thread does not come back stays among those that are looked at until it does. */
static void undo_server(struct rtn_reload_change *change)
{
    struct rtn_run *run = change->run;
    struct rtn_daemon *daemon = change->reload->daemon;
    change->run = NULL;
    if (run == NULL)
        return;
    if (run->server != NULL && !rtn_server_end(run->server, rtn_clock_ms() + RTN_DAEMON_STOP_MS)) {
        run->replaced = true;
        run->state = RTN_RUN_LEFT;
        rtn_daemon_add_run(daemon, run, NULL);
        return;
    }
    rtn_mailbox_deliver(&daemon->mailbox); /* what comes from it has come */
    rtn_server_free(run->server);
    rtn_run_free(run);
}

void rtn_reload_undo(struct rtn_reload *reload, void (*then)(struct rtn_reload *reload))
{
    rtn_reload_expect(reload, then);
    reload->tired = rtn_reload_leave_behind;
    rtn_reload_unwire(reload);
    for (size_t i = 0; reload->changes != NULL && i < reload->plan.count; i++)
        undo_program(&reload->changes[i]);
    for (size_t i = 0; reload->changes != NULL && i < reload->plan.count; i++)
        undo_server(&reload->changes[i]);
    rtn_reload_arrived(reload);
}
