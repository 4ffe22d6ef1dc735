/* What is counted: the text is made by stats. */
#include "daemon/control_show.h"
#include "loop/stalls.h"
#include "stats/report.h"

void rtn_control_show_metrics(struct rtn_control_call *call)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    if (rtn_stats_prometheus(&text) == 0)
        rtn_control_answer_as(call, 200, RTN_STATS_PROMETHEUS_TYPE, rtn_buf_str(&text));
    else
        rtn_control_refuse(call, 500, "memory is out");
}

void rtn_control_show_stats(struct rtn_control_call *call)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    if (rtn_stats_json(&text, rtn_stalls_put) < 0) {
        rtn_control_refuse(call, 500, "memory is out");
        return;
    }
    rtn_buf_append_char(&text, '\n');
    rtn_control_answer(call, 200, rtn_buf_str(&text));
}
