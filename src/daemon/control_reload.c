/* The order to load the configuration again: it is answered when that is over. */
#include "base/json.h"
#include "daemon/control_order.h"
#include "daemon/reload.h"

static void on_done(const struct rtn_reload_result *result, void *data)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf error = { 0 };
    struct rtn_json json = { .out = &text };
    rtn_json_object(&json);
    rtn_json_put_bool(&json, "good", result->good);
    rtn_json_put_bool(&json, "dry_run", result->dry_run);
    rtn_json_put_int(&json, "generation", result->generation);
    rtn_json_key(&json, "text");
    rtn_json_str(&json, result->text);
    if (!result->good) {
        rtn_buf_printf(&error, "the configuration was not loaded; generation %u stays in force", result->generation);
        rtn_json_key(&json, "error");
        rtn_json_str(&json, rtn_buf_str(&error));
    }
    rtn_json_end(&json);
    rtn_buf_append_char(&text, '\n');
    rtn_control_answer(data, result->good ? 200 : 422, rtn_buf_str(&text));
}

/* False: it is neither. */
static bool read_flag(const char *text, bool *ret)
{
    if (text == NULL || strcmp(text, "0") == 0)
        *ret = false;
    else if (strcmp(text, "1") == 0 || text[0] == '\0')
        *ret = true;
    else
        return false;
    return true;
}

void rtn_control_order_reload(struct rtn_control_call *call)
{
    bool dry_run;
    if (!read_flag(rtn_control_request_parameter(&call->request, "dry_run"), &dry_run))
        rtn_control_refuse(call, 400, "dry_run must be 0 or 1");
    else
        rtn_reload(call->daemon, dry_run, "retinuectl", on_done, call);
}
