/*
 * Messages over a reload: the wiring of everything that will be there is made beside the one in force, of programs that
 * stay as they are as of those that are new. When a server of the configuration was stopped, what it handles has no
 * owner, and that is no mistake.
 */
#include "daemon/reload_internal.h"

static const struct rtn_program *program_after(const struct rtn_reload_change *change)
{
    const struct rtn_plan_server *plan = change->plan;
    if (plan->weightiest == RTN_CHANGE_REMOVE)
        return NULL;
    if (change->run != NULL)
        return change->run->server->program;
    if (change->program != NULL)
        return change->program;
    return plan->run != NULL ? plan->run->server->program : NULL;
}

static struct rtn_hub_port *port_after(const struct rtn_reload_change *change)
{
    const struct rtn_run *run = change->run != NULL ? change->run : change->plan->run;
    return run->server->port;
}

void rtn_reload_wire(struct rtn_reload *reload)
{
    bool complete = true;
    if (rtn_wiring_new(reload->daemon->hub, &reload->wiring) < 0) {
        rtn_diags_error(&reload->diags, (struct rtn_mark){ 0 }, "memory is out");
        return;
    }
    for (size_t i = 0; i < reload->plan.count; i++) {
        const struct rtn_reload_change *change = &reload->changes[i];
        const struct rtn_program *program = program_after(change);
        if (program != NULL)
            rtn_program_wire(program, reload->wiring, port_after(change), &reload->diags);
        else if (change->plan->change->after != NULL)
            complete = false;
    }
    if (reload->diags.errors == 0 && complete)
        rtn_wiring_check(reload->wiring, &reload->diags);
}

/* Servers that are new take messages as soon as there are types for them. */
void rtn_reload_commit_wiring(struct rtn_reload *reload)
{
    struct rtn_daemon *daemon = reload->daemon;
    rtn_wiring_commit(reload->wiring);
    rtn_wiring_free(daemon->wiring);
    daemon->wiring = reload->wiring;
    reload->wiring = NULL;
}

void rtn_reload_unwire(struct rtn_reload *reload)
{
    rtn_wiring_free(reload->wiring);
    reload->wiring = NULL;
}
