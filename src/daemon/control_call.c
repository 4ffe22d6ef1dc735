/*
 * What can be asked for over the control socket: a table, from which unknown paths, wrong methods and misspelled
 * parameters are answered as well.
 */
#include <string.h>

#include "daemon/control_client.h"
#include "daemon/control_order.h"
#include "daemon/control_show.h"

#define MOST_PARAMETERS 4

static const struct endpoint {
    const char *path;
    bool order; /* changes something: POST, and only for those who may */
    const char *parameters[MOST_PARAMETERS]; /* NULL-terminated */
    void (*run)(struct rtn_control_call *call);
} endpoints[] = {
    { "/status", false, { NULL }, rtn_control_show_status },
    { "/servers", false, { NULL }, rtn_control_show_servers },
    { "/routes", false, { "server", NULL }, rtn_control_show_routes },
    { "/modules", false, { NULL }, rtn_control_show_modules },
    { "/connections", false, { "server", "limit", NULL }, rtn_control_show_connections },
    { "/messages", false, { NULL }, rtn_control_show_messages },
    { "/metrics", false, { NULL }, rtn_control_show_metrics },
    { "/status.json", false, { NULL }, rtn_control_show_stats },
    { "/log-level", true, { "server", "level", "for", NULL }, rtn_control_order_log_level },
    { "/reload", true, { "dry_run", NULL }, rtn_control_order_reload },
    { "/stop", true, { "server", NULL }, rtn_control_order_stop },
    { "/drain", true, { NULL }, rtn_control_order_drain },
};

static void refuse_unknown(struct rtn_control_call *call)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf paths = { 0 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(endpoints); i++)
        rtn_buf_printf(&paths, "%s%s", i > 0 ? ", " : "", endpoints[i].path);
    rtn_control_refuse(call, 404, "there is no %s here, but %s", call->request.path, paths.data);
}

static void check_and_run(const struct endpoint *endpoint, struct rtn_control_call *call)
{
    const char *stranger = rtn_control_request_stranger(&call->request, endpoint->parameters);
    if (call->request.post != endpoint->order)
        rtn_control_refuse(call, 405, "%s is asked for with %s", endpoint->path, endpoint->order ? "POST" : "GET");
    else if (endpoint->order && !call->may_order)
        rtn_control_refuse(call, 403, "only root and the user of the daemon may give orders");
    else if (stranger != NULL)
        rtn_control_refuse(call, 400, "%s has no parameter %s", endpoint->path, stranger);
    else
        endpoint->run(call);
}

void rtn_control_run(struct rtn_control_call *call)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(endpoints); i++) {
        if (strcmp(endpoints[i].path, call->request.path) != 0)
            continue;
        check_and_run(&endpoints[i], call);
        return;
    }
    refuse_unknown(call);
}
