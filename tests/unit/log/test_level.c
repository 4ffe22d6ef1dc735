#include <errno.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "log/level.h"

Test(level, names_are_read_back)
{
    for (int i = RTN_LOG_TRACE; i <= RTN_LOG_NONE; i++) {
        enum rtn_log_level level = i == RTN_LOG_TRACE ? RTN_LOG_NONE : RTN_LOG_TRACE;
        cr_assert_eq(rtn_log_level_parse(rtn_str_of(rtn_log_level_name((enum rtn_log_level) i)), &level), 0);
        cr_assert_eq((int) level, i);
    }
    cr_assert_str_eq(rtn_log_level_name(RTN_LOG_TRACE), "trace");
    cr_assert_str_eq(rtn_log_level_name(RTN_LOG_NOTICE), "notice");
    cr_assert_str_eq(rtn_log_level_name(RTN_LOG_NONE), "none");
}

Test(level, others_are_refused)
{
    static const char *const wrong[] = { "", "Info", "INFO", "warning", "inf", "info ", "7" };
    enum rtn_log_level level = RTN_LOG_FATAL;

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(wrong); i++)
        cr_expect_eq(rtn_log_level_parse(rtn_str_of(wrong[i]), &level), -EINVAL, "%s", wrong[i]);
    cr_assert_eq(rtn_log_level_parse((struct rtn_str){ NULL, 0 }, &level), -EINVAL);
    cr_assert_eq(level, RTN_LOG_FATAL);
}
