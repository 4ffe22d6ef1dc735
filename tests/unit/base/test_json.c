#include <signal.h>

#include <criterion/criterion.h>

#include "base/json.h"

static struct rtn_buf buf;

static void check(const char *expected)
{
    cr_expect_str_eq(rtn_buf_str(&buf).data, expected);
    rtn_buf_done(&buf);
}

Test(json, example)
{
    struct rtn_json json = { .out = &buf };

    rtn_json_object(&json);
    rtn_json_key(&json, "port");
    rtn_json_int(&json, 80);
    rtn_json_end(&json);
    check("{\"port\":80}");
}

Test(json, members)
{
    struct rtn_json json = { .out = &buf };

    rtn_json_object(&json);
    rtn_json_put_text(&json, "text", "t");
    rtn_json_put_text(&json, "none", NULL);
    rtn_json_put_int(&json, "int", INT64_MIN);
    rtn_json_put_bool(&json, "bool", true);
    rtn_json_end(&json);
    check("{\"text\":\"t\",\"none\":null,\"int\":-9223372036854775808,\"bool\":true}");
}

static void write_nested(struct rtn_json *json)
{
    rtn_json_object(json);
    rtn_json_key(json, "a");
    rtn_json_array(json);
    rtn_json_int(json, -1);
    rtn_json_object(json);
    rtn_json_end(json);
    rtn_json_array(json);
    rtn_json_end(json);
    rtn_json_bool(json, true);
    rtn_json_end(json);
    rtn_json_key(json, "b");
    rtn_json_object(json);
    rtn_json_key(json, "c");
    rtn_json_null(json);
    rtn_json_key(json, "d");
    rtn_json_bool(json, false);
    rtn_json_end(json);
    rtn_json_key(json, "e");
    rtn_json_text(json, NULL);
    rtn_json_end(json);
}

Test(json, nested_compact)
{
    struct rtn_json json = { .out = &buf };

    write_nested(&json);
    cr_assert_eq(json.depth, 0);
    check("{\"a\":[-1,{},[],true],\"b\":{\"c\":null,\"d\":false},\"e\":null}");
}

Test(json, nested_pretty)
{
    struct rtn_json json = { .out = &buf, .pretty = true };

    write_nested(&json);
    check("{\n"
          "  \"a\": [\n"
          "    -1,\n"
          "    {},\n"
          "    [],\n"
          "    true\n"
          "  ],\n"
          "  \"b\": {\n"
          "    \"c\": null,\n"
          "    \"d\": false\n"
          "  },\n"
          "  \"e\": null\n"
          "}");
}

Test(json, depth_to_the_limit)
{
    struct rtn_json json = { .out = &buf };

    for (int i = 0; i < RTN_JSON_DEPTH; i++)
        rtn_json_array(&json);
    for (int i = 0; i < RTN_JSON_DEPTH; i++)
        rtn_json_end(&json);
    cr_assert_eq(buf.length, 2 * RTN_JSON_DEPTH);
    cr_assert_eq(buf.data[RTN_JSON_DEPTH - 1], '[');
    cr_assert_eq(buf.data[RTN_JSON_DEPTH], ']');
    rtn_buf_done(&buf);
}

Test(json, deeper_is_a_bug, .signal = SIGABRT)
{
    struct rtn_json json = { .out = &buf };

    for (int i = 0; i <= RTN_JSON_DEPTH; i++)
        rtn_json_array(&json);
}

Test(json, value_without_key_is_a_bug, .signal = SIGABRT)
{
    struct rtn_json json = { .out = &buf };

    rtn_json_object(&json);
    rtn_json_int(&json, 1);
}

Test(json, numbers)
{
    struct rtn_json json = { .out = &buf };

    rtn_json_array(&json);
    rtn_json_int(&json, INT64_MIN);
    rtn_json_int(&json, INT64_MAX);
    rtn_json_end(&json);
    check("[-9223372036854775808,9223372036854775807]");
}

static void check_string(struct rtn_str value, const char *expected)
{
    struct rtn_json json = { .out = &buf };

    rtn_json_str(&json, value);
    check(expected);
}

Test(json, strings)
{
    check_string(RTN_STR(""), "\"\"");
    check_string((struct rtn_str){ NULL, 0 }, "\"\"");
    check_string(RTN_STR("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
    check_string(RTN_STR("\b\f\n\r\t"), "\"\\b\\f\\n\\r\\t\"");
    check_string(RTN_STR("\0\x01\x1b\x1f\x7f"), "\"\\u0000\\u0001\\u001b\\u001f\x7f\"");
    check_string(RTN_STR("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\"");
}

Test(json, invalid_utf8)
{
    check_string(RTN_STR("\xff"), "\"\xef\xbf\xbd\"");
    check_string(RTN_STR("a\xc3"), "\"a\xef\xbf\xbd\"");
    check_string(RTN_STR("\xed\xa0\x80z"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
    check_string(RTN_STR("\xc0\""), "\"\xef\xbf\xbd\\\"\"");
}

Test(json, keys_are_escaped)
{
    struct rtn_json json = { .out = &buf };

    rtn_json_object(&json);
    rtn_json_key(&json, "a\n\"");
    rtn_json_text(&json, "x");
    rtn_json_end(&json);
    check("{\"a\\n\\\"\":\"x\"}");
}
