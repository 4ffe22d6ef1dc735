#include <criterion/criterion.h>

#include "base/macros.h"
#include "log/log_sink.h"

static struct rtn_buf out;

static void check_escape(struct rtn_str s, const char *expected)
{
    rtn_log_escape(s, &out);
    cr_expect_str_eq(rtn_buf_str(&out).data, expected);
    rtn_buf_done(&out);
}

Test(log_text, escape)
{
    check_escape(RTN_STR(""), "");
    check_escape((struct rtn_str){ NULL, 0 }, "");
    check_escape(RTN_STR("plain \\ \"text\""), "plain \\ \"text\"");
    check_escape(RTN_STR("\r\n\t"), "\\r\\n\\t");
    check_escape(RTN_STR("\0\x1b\x7f"), "\\x00\\x1b\\x7f");
    check_escape(RTN_STR("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"), "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80");
    check_escape(RTN_STR("\xc2\x9b[31m"), "\\xc2\\x9b[31m");
    check_escape(RTN_STR("\xc2\xa0"), "\xc2\xa0");
    check_escape(RTN_STR("a\xff\xc3"), "a\\xff\\xc3");
    check_escape(RTN_STR("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

static struct rtn_log_line line = { RTN_LOG_NOTICE, "get", "get/loop-0", 12345, { "a message", 9 }, NULL };

static const char *text_of(enum rtn_log_look look)
{
    rtn_buf_clear(&out);
    rtn_log_text_line(look, &line, &out);
    return out.data;
}

Test(log_text, plain)
{
    const char *text = text_of(RTN_LOG_LOOK_PLAIN);

    cr_assert_eq(strcspn(text, " "), strlen("2026-11-21T08:49:37.123Z"));
    cr_assert_str_eq(strchr(text, ' '), " notice get/loop-0[12345] a message");
    line.level = RTN_LOG_WARN;
    text = text_of(RTN_LOG_LOOK_PLAIN);
    cr_assert_str_eq(strchr(text, ' '), " warn   get/loop-0[12345] a message");
    rtn_buf_done(&out);
}

Test(log_text, priority)
{
    static const int priorities[] = { 7, 7, 6, 5, 4, 3, 2 };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(priorities); i++)
        cr_expect_eq(rtn_log_priority((enum rtn_log_level) i), priorities[i]);
    cr_assert_str_eq(text_of(RTN_LOG_LOOK_PRIORITY), "<5>notice get/loop-0[12345] a message");
    rtn_buf_done(&out);
}

Test(log_text, color_is_around_the_level_only)
{
    line.level = RTN_LOG_ERROR;
    cr_assert_str_eq(strchr(text_of(RTN_LOG_LOOK_COLOR), ' '), " \x1b[31merror \x1b[0m get/loop-0[12345] a message");
    rtn_buf_done(&out);
}

Test(log_text, names_are_escaped_too)
{
    line.thread = "a\nb";
    cr_assert_str_eq(text_of(RTN_LOG_LOOK_PRIORITY), "<5>notice a\\nb[12345] a message");
    rtn_buf_done(&out);
}

Test(log_text, request)
{
    line.request = "id-1";
    cr_assert_str_eq(text_of(RTN_LOG_LOOK_PRIORITY), "<5>notice get/loop-0[12345] a message request=id-1");
    rtn_buf_done(&out);
}
