/* Orders that begin something: the answer says that it has begun. */
#include "daemon/control_order.h"

#include "base/json.h"
#include "daemon/control_show.h"
#include "daemon/daemon_state.h"

/* It has begun, and waits for what runs. */
static void answer_begun(struct rtn_control_call *call, const char *server)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_json json = { .out = &text };
    rtn_json_object(&json);
    if (server != NULL)
        rtn_json_put_text(&json, "server", server);
    rtn_json_put_text(&json, "state", "draining");
    rtn_json_put_int(&json, "shutdown_timeout_ms", call->daemon->generation->config->daemon.shutdown_timeout);
    rtn_json_end(&json);
    rtn_buf_append_char(&text, '\n');
    rtn_control_answer(call, 202, rtn_buf_str(&text));
}

void rtn_control_order_stop(struct rtn_control_call *call)
{
    struct rtn_run *run;
    if (!rtn_control_find(call, &run))
        return;
    if (run == NULL)
        rtn_control_refuse(call, 400, "say which server is to stop: server=NAME");
    else if (!rtn_daemon_stop_one(run, "retinuectl"))
        rtn_control_refuse(call, 409, "server \"%s\" does not serve: it is %s", run->name, rtn_control_state(run));
    else
        answer_begun(call, run->name);
}

/* The answer goes first: the loop may end as soon as this iteration is over. */
void rtn_control_order_drain(struct rtn_control_call *call)
{
    struct rtn_daemon *daemon = call->daemon;
    if (daemon->stopping) {
        rtn_control_refuse(call, 409, "the daemon stops already");
        return;
    }
    answer_begun(call, NULL);
    rtn_daemon_stop(daemon, "retinuectl");
}
