/*
 * What the threads of servers have to do when a reload is decided, in both directions: loops put the new program in
 * force, or threads let go of new instances. A thread that is in a handler does so when it comes back from there, which
 * may be never: then that is left to the server, and the reload is over. The server takes no other program before.
 */
#include <stdlib.h>

#include "config/memory.h"
#include "daemon/reload_internal.h"

struct rtn_reload_step *rtn_reload_begin_step(struct rtn_reload *reload, const struct rtn_reload_kind *kind,
                                              struct rtn_server *server, unsigned parts)
{
    struct rtn_reload_step *step = rtn_config_need(calloc(1, sizeof(*step)));
    *step = (struct rtn_reload_step){ .kind = kind, .reload = reload, .server = server, .parts = parts };
    rtn_list_append(&reload->steps, &step->node);
    reload->pending++;
    return step;
}

void rtn_reload_end_part(struct rtn_reload_step *step)
{
    if (--step->parts > 0)
        return;
    rtn_list_remove(&step->node);
    if (step->reload != NULL)
        rtn_reload_arrived(step->reload);
    else
        rtn_log(RTN_LOG_NOTICE, "server \"%s\": %s", step->server->name, step->kind->over);
    free(step);
}

static void leave_one(struct rtn_reload *reload, struct rtn_reload_step *step)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf waits = { 0 };
    rtn_server_name_stuck(step->server, &waits);
    rtn_buf_printf(&reload->text, "server \"%s\": %s, which waits for %s; it takes no other reload before\n",
                   step->server->name, step->kind->left, rtn_buf_str(&waits).data);
    step->reload = NULL;
    rtn_list_remove(&step->node);
    rtn_list_append(&reload->daemon->reloads.left, &step->node);
    rtn_reload_arrived(reload);
}

/* The set of modules in force, in which those of a reload that failed would look for more, may go before them. */
void rtn_reload_leave_behind(struct rtn_reload *reload)
{
    if (reload->generation != NULL && !rtn_list_empty(&reload->steps))
        rtn_modules_forget_old(reload->generation->modules);
    RTN_LIST_FOREACH (node, &reload->steps)
        leave_one(reload, RTN_CONTAINER_OF(node, struct rtn_reload_step, node));
}

const struct rtn_reload_step *rtn_reload_find_left(const struct rtn_daemon *daemon, const struct rtn_server *server)
{
    RTN_LIST_FOREACH (node, &daemon->reloads.left) {
        const struct rtn_reload_step *step = RTN_CONTAINER_OF(node, struct rtn_reload_step, node);
        if (step->server == server)
            return step;
    }
    return NULL;
}
