/*
 * The form of a line that programs read: one JSON object. The message keeps its newlines and control
 * characters, escaped the way of JSON.
 */
#include "base/clock.h"
#include "base/json.h"
#include "log/level.h"
#include "log/log_sink.h"

void rtn_log_json_line(const struct rtn_log_line *line, struct rtn_buf *out)
{
    struct rtn_json json = { .out = out };
    char time[RTN_TIMESTAMP_SIZE];

    rtn_clock_timestamp(time);
    rtn_json_object(&json);
    rtn_json_key(&json, "time");
    rtn_json_text(&json, time);
    rtn_json_key(&json, "level");
    rtn_json_text(&json, rtn_log_level_name(line->level));
    if (line->server != NULL) {
        rtn_json_key(&json, "server");
        rtn_json_text(&json, line->server);
    }
    rtn_json_key(&json, "thread");
    rtn_json_text(&json, line->thread);
    rtn_json_key(&json, "tid");
    rtn_json_int(&json, line->tid);
    if (line->request != NULL) {
        rtn_json_key(&json, "request_id");
        rtn_json_text(&json, line->request);
    }
    rtn_json_key(&json, "message");
    rtn_json_str(&json, line->message);
    rtn_json_end(&json);
}
