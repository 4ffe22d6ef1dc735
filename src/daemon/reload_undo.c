/*
 * A reload that failed, or that was only to be tried: what it has made goes away, in the opposite order. Servers that
 * serve have noticed nothing but the start hooks of instances that are stopped again.
 *
 * New instances end when all threads have let go of them. A worker that is in a handler does so when it comes back from
 * there, which may be never: then they are left to their server, and the reload is over. The server takes no other
 * program until they have gone.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "config/memory.h"
#include "daemon/reload_internal.h"
#include "server/server_relisten.h"
#include "server/server_swap.h"

static void free_program(struct rtn_reload_change *change)
{
    rtn_program_free(change->program);
    change->program = NULL;
}

/* Of a program that was prepared, or was to be. */
struct discard {
    struct rtn_list node; /* reload->discards */
    struct rtn_reload *reload; /* NULL: it does not wait any more */
    struct rtn_server *server;
    struct rtn_program *program;
    struct rtn_generation *generation; /* a reference */
};

static void on_discarded(struct rtn_server *server, int result, void *data)
{
    (void) result;
    struct discard *discard = data;
    rtn_program_free(discard->program);
    rtn_generation_unref(discard->generation);
    if (discard->reload != NULL) {
        rtn_list_remove(&discard->node);
        rtn_reload_arrived(discard->reload);
    } else {
        rtn_log(RTN_LOG_NOTICE, "server \"%s\": the reload that failed has been taken back", server->name);
    }
    free(discard);
}

static void discard_program(struct rtn_reload_change *change)
{
    struct rtn_reload *reload = change->reload;
    struct discard *discard = rtn_config_need(calloc(1, sizeof(*discard)));
    *discard = (struct discard){ .reload = reload,
                                 .server = change->plan->run->server,
                                 .program = change->program,
                                 .generation = reload->generation };
    rtn_generation_ref(discard->generation);
    rtn_list_append(&reload->discards, &discard->node);
    change->program = NULL;
    reload->pending++;
    rtn_server_discard(discard->server, on_discarded, discard);
}

static void leave_one(struct rtn_reload *reload, struct discard *discard)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf waits = { 0 };
    rtn_server_name_stuck(discard->server, &waits);
    rtn_buf_printf(&reload->text,
                   "server \"%s\": what was begun is not taken back yet, which waits for %s; it takes no other reload "
                   "before\n",
                   discard->server->name, rtn_buf_str(&waits).data);
    discard->reload = NULL;
    rtn_list_remove(&discard->node);
    rtn_reload_arrived(reload);
}

/* The set of modules in force, in which they would look for more, may go before them. */
static void leave_behind(struct rtn_reload *reload)
{
    if (rtn_list_empty(&reload->discards))
        return;
    rtn_modules_forget_old(reload->generation->modules);
    RTN_LIST_FOREACH (node, &reload->discards)
        leave_one(reload, RTN_CONTAINER_OF(node, struct discard, node));
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
    rtn_list_init(&reload->discards);
    reload->tired = leave_behind;
    rtn_reload_unwire(reload);
    for (size_t i = 0; reload->changes != NULL && i < reload->plan.count; i++)
        undo_program(&reload->changes[i]);
    for (size_t i = 0; reload->changes != NULL && i < reload->plan.count; i++)
        undo_server(&reload->changes[i]);
    rtn_reload_arrived(reload);
}
