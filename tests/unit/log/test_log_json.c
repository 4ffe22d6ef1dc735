#include <criterion/criterion.h>

#include "log/log_sink.h"
#include "support.h"

static struct rtn_buf out;

/* Without the time, whose form is checked here. */
static const char *json_of(const struct rtn_log_line *line)
{
    const size_t time_end = strlen("{\"time\":\"2026-11-21T08:49:37.123Z\"");

    rtn_buf_clear(&out);
    rtn_log_json_line(line, &out);
    cr_assert_gt(out.length, time_end);
    cr_assert_eq(strncmp(out.data, "{\"time\":\"20", 11), 0);
    cr_assert_eq(strncmp(out.data + time_end - 2, "Z\"", 2), 0);
    return out.data + time_end;
}

Test(log_json, server_thread)
{
    const struct rtn_log_line line = { RTN_LOG_WARN, "get", "get/loop-0", 12, RTN_STR("a \"b\"\n\x1b\xff"), NULL };

    cr_assert_str_eq(json_of(&line), ",\"level\":\"warn\",\"server\":\"get\",\"thread\":\"get/loop-0\",\"tid\":12,"
                                     "\"message\":\"a \\\"b\\\"\\n\\u001b\xef\xbf\xbd\"}");
    rtn_buf_done(&out);
}

Test(log_json, main_has_no_server)
{
    const struct rtn_log_line line = { RTN_LOG_INFO, NULL, "main", 1, RTN_STR(""), NULL };

    cr_assert_str_eq(json_of(&line), ",\"level\":\"info\",\"thread\":\"main\",\"tid\":1,\"message\":\"\"}");
    rtn_buf_done(&out);
}

Test(log_json, request)
{
    const struct rtn_log_line line = { RTN_LOG_INFO, NULL, "main", 1, RTN_STR("done"), "id-1" };

    cr_assert_str_eq(json_of(&line), ",\"level\":\"info\",\"thread\":\"main\",\"tid\":1,\"request_id\":\"id-1\","
                                     "\"message\":\"done\"}");
    rtn_buf_done(&out);
}

Test(log_json, one_object_per_line)
{
    struct fixture f = { 0 };

    start_log(&f, RTN_LOG_JSON);
    f.context.server = NULL;
    f.context.thread = NULL;
    rtn_log(RTN_LOG_INFO, "one\ntwo");
    rtn_log(RTN_LOG_INFO, "three");
    const char *first = read_log(&f);
    const char *second = strchr(first, '\n') + 1;
    cr_assert_eq(strncmp(second - strlen("\"one\\ntwo\"}\n"), "\"one\\ntwo\"}\n", 12), 0);
    cr_assert_not_null(strstr(second, "\"thread\":\"main\""));
    cr_assert_str_eq(strchr(second, '\n'), "\n");
    stop_log(&f);
}
