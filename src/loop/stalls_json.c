/* What is stuck, for status of the control socket and for status.json. */
#include "loop/stalls.h"

static void put(const struct rtn_stall_view *view, void *data)
{
    struct rtn_json *json = data;
    rtn_json_object(json);
    rtn_json_put_text(json, "server", view->server);
    rtn_json_put_text(json, "thread", view->thread);
    rtn_json_put_text(json, "kind", view->kind);
    rtn_json_put_text(json, "handler", view->text);
    rtn_json_put_text(json, "request_id", view->request_id[0] != '\0' ? view->request_id : NULL);
    rtn_json_put_int(json, "ms", view->ms);
    rtn_json_end(json);
}

void rtn_stalls_put(struct rtn_json *json)
{
    rtn_json_key(json, "stuck");
    rtn_json_array(json);
    rtn_stalls_each(put, json);
    rtn_json_end(json);
}
