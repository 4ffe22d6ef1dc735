/* Lines of access logs: the formats, and that no value from a client breaks out of them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>

#include "app/access_line.h"
#include "base/utf8.h"

static char out[RTN_ACCESS_LINE_MAX + 1];
static struct rtn_arena arena;

static const struct rtn_header headers[] = {
    { { "referer", 7 }, { "http://a/\"b", 11 } },
    { { "user-agent", 10 }, { "curl/8\\x", 8 } },
    { { "x-tenant", 8 }, { "blue", 4 } },
};

static struct rtn_access_entry usual(void)
{
    return (struct rtn_access_entry){ .client = RTN_STR("192.0.2.7"),
                                      .host = RTN_STR("example.org:8080"),
                                      .method = RTN_STR("GET"),
                                      .target = RTN_STR("/a%20b?c=d"),
                                      .version = RTN_STR("HTTP/1.1"),
                                      .status = 200,
                                      .bytes = 5000000000,
                                      .duration_us = 12345,
                                      .request_id = RTN_STR("id-1"),
                                      .server = RTN_STR("get"),
                                      .route = RTN_STR("/{x}"),
                                      .connection = 42,
                                      .headers = headers,
                                      .header_count = 3 };
}

static void start(void)
{
    rtn_arena_init(&arena, NULL, 0);
    (void) setenv("TZ", "<+0530>-5:30", 1);
    tzset();
}

static void stop(void)
{
    rtn_arena_done(&arena);
}

TestSuite(access, .init = start, .fini = stop);

/* The line, which is one line. */
static const char *line(enum rtn_config_access_format format, const char *pattern_text,
                        const struct rtn_access_entry *entry)
{
    struct rtn_access_pattern pattern = { 0 };
    if (pattern_text != NULL)
        cr_assert_null(rtn_access_pattern_parse(rtn_str_of(pattern_text), &arena, &pattern));
    memset(out, 0x7f, sizeof(out));
    size_t length = rtn_access_line(format, &pattern, entry, out);
    cr_assert(length > 0 && length <= RTN_ACCESS_LINE_MAX);
    cr_assert_eq(memchr(out, '\n', length), out + length - 1);
    cr_assert_eq(out[length], 0x7f);
    out[length - 1] = '\0';
    cr_assert_eq(strlen(out), length - 1);
    return out;
}

static const char *without_time(const char *text)
{
    static char copy[RTN_ACCESS_LINE_MAX];
    const char *from = strchr(text, '[');
    const char *to = strchr(text, ']');
    cr_assert(from != NULL && to != NULL);
    (void) snprintf(copy, sizeof(copy), "%.*s%s", (int) (from - text) + 1, text, to);
    return copy;
}

Test(access, common)
{
    struct rtn_access_entry entry = usual();
    cr_assert_str_eq(without_time(line(RTN_ACCESS_COMMON, NULL, &entry)),
                     "192.0.2.7 - - [] \"GET /a%20b?c=d HTTP/1.1\" 200 5000000000");
}

Test(access, combined)
{
    struct rtn_access_entry entry = usual();
    cr_assert_str_eq(without_time(line(RTN_ACCESS_COMBINED, NULL, &entry)),
                     "192.0.2.7 - - [] \"GET /a%20b?c=d HTTP/1.1\" 200 5000000000 \"http://a/\\x22b\" "
                     "\"curl/8\\x5Cx\"");
}

Test(access, nothing_is_known)
{
    struct rtn_access_entry entry = { .client = RTN_STR("unix:"), .status = 408 };
    cr_expect_str_eq(without_time(line(RTN_ACCESS_COMBINED, NULL, &entry)), "unix: - - [] \"-\" 408 0 \"-\" \"-\"");
    cr_expect_str_eq(
        line(RTN_ACCESS_CUSTOM, "{method} {target} {path} {query} {version} {host} {route} {request_id}", &entry),
        "- - - - - - - -");
    entry.status = 0;
    cr_expect_str_eq(line(RTN_ACCESS_CUSTOM, "{status}", &entry), "499");
}

Test(access, time_is_local_and_now)
{
    struct rtn_access_entry entry = usual();
    struct tm tm = { 0 };
    const char *text = line(RTN_ACCESS_CUSTOM, "{time}", &entry);
    cr_assert_eq(strlen(text), strlen("10/Oct/2000:13:55:36 +0200"));
    const char *end = strptime(text, "%d/%b/%Y:%H:%M:%S %z", &tm);
    cr_assert_not_null(end);
    cr_assert_str_empty(end);
    cr_assert_str_eq(text + 21, "+0530");
    time_t then = timegm(&tm) - 19800;
    cr_assert(time(NULL) - then >= 0 && time(NULL) - then < 60);
    text = line(RTN_ACCESS_CUSTOM, "{time_iso}", &entry);
    cr_assert_eq(strlen(text), strlen("2000-10-10T13:55:36.123Z"));
    end = strptime(text, "%Y-%m-%dT%H:%M:%S.", &tm);
    cr_assert_not_null(end);
    cr_assert(time(NULL) - timegm(&tm) >= 0 && time(NULL) - timegm(&tm) < 60);
    cr_assert(isdigit(end[0]) && isdigit(end[1]) && isdigit(end[2]));
    cr_assert_str_eq(end + 3, "Z");
}

Test(access, every_value_of_a_pattern)
{
    struct rtn_access_entry entry = usual();
    cr_expect_str_eq(line(RTN_ACCESS_CUSTOM,
                          "{{{client}|{host}|{method}|{target}|{path}|{query}|{version}|{status}|{bytes}|"
                          "{duration_us}|{duration_ms}|{request_id}|{server}|{route}|{referer}|{user_agent}|"
                          "{connection}|{header:X-Tenant}|{header:missing}|\"",
                          &entry),
                     "{192.0.2.7|example.org:8080|GET|/a%20b?c=d|/a%20b|c=d|HTTP/1.1|200|5000000000|12345|12|id-1|get|"
                     "/{x}|http://a/\\x22b|curl/8\\x5Cx|42|blue|-|\"");
}

Test(access, json)
{
    struct rtn_access_entry entry = usual();
    entry.aborted = true;
    const char *text = line(RTN_ACCESS_JSON, NULL, &entry);
    cr_assert_eq(strncmp(text, "{\"time\":\"", 9), 0);
    cr_assert_str_eq(strchr(text, ',') + 1,
                     "\"server\":\"get\",\"client\":\"192.0.2.7\",\"host\":\"example.org:8080\",\"method\":\"GET\","
                     "\"target\":\"/a%20b?c=d\",\"version\":\"HTTP/1.1\",\"status\":200,\"bytes\":5000000000,"
                     "\"duration_us\":12345,\"referer\":\"http://a/\\\"b\",\"user_agent\":\"curl/8\\\\x\","
                     "\"route\":\"/{x}\",\"request_id\":\"id-1\",\"connection\":\"42\",\"aborted\":true}");
}

Test(access, json_of_nothing)
{
    struct rtn_access_entry entry = { .client = RTN_STR("::1"), .server = RTN_STR("get"), .status = 400 };
    cr_assert_not_null(strstr(line(RTN_ACCESS_JSON, NULL, &entry), "\"method\":null,\"target\":null,\"version\":null"));
    cr_assert_not_null(strstr(out, "\"request_id\":null"));
    cr_assert_not_null(strstr(out, "\"aborted\":false}"));
}

Test(access, every_byte_is_escaped_or_plain)
{
    char all[256];
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (char) i;
    struct rtn_access_entry entry = usual();
    entry.target = (struct rtn_str){ all, sizeof(all) };
    const char *text = line(RTN_ACCESS_CUSTOM, "{target}", &entry);
    for (const char *at = text; *at != '\0'; at++) {
        cr_assert(*at >= ' ' && *at < 0x7f && *at != '"');
        if (*at == '\\')
            cr_assert(at[1] == 'x' && isxdigit(at[2]) && isxdigit(at[3]));
    }
    cr_assert_eq(strncmp(text, "\\x00\\x01", 8), 0);
    cr_assert(rtn_utf8_valid(rtn_str_of(line(RTN_ACCESS_JSON, NULL, &entry))));
    cr_assert_not_null(strstr(out, "\\u0000\\u0001"));
    cr_assert_not_null(strstr(out, " !\\\"#"));
}

Test(access, long_values_are_cut_in_the_middle)
{
    static char target[100000];
    memset(target, 'a', sizeof(target));
    memset(target + sizeof(target) / 2, 'b', sizeof(target) / 2);
    target[0] = '/';
    target[sizeof(target) - 1] = '$';
    struct rtn_access_entry entry = usual();
    entry.target = (struct rtn_str){ target, sizeof(target) };
    const char *text = line(RTN_ACCESS_CUSTOM, "<{target}>", &entry);
    cr_assert_eq(strlen(text), 3502);
    cr_assert_eq(strncmp(text, "</aa", 4), 0);
    cr_assert_not_null(strstr(text, "aa...bb"));
    cr_assert_not_null(strstr(text, "bb$>"));
    cr_assert_not_null(strstr(line(RTN_ACCESS_JSON, NULL, &entry), "aa...bb"));
}

/* Whatever the bytes: a line has its bound, and an escape is never cut. */
Test(access, worst_values_fit)
{
    static char bytes[20000];
    static const char fillers[] = { '\x01', '"', '\xff', '\xc3', 'a', '\\' };
    for (size_t i = 0; i < sizeof(fillers); i++) {
        memset(bytes, fillers[i], sizeof(bytes));
        struct rtn_str bad = { bytes, sizeof(bytes) };
        struct rtn_header worst[] = { { { "referer", 7 }, bad }, { { "user-agent", 10 }, bad } };
        struct rtn_access_entry entry = {
            .client = bad,
            .host = bad,
            .method = bad,
            .target = bad,
            .version = bad,
            .request_id = bad,
            .server = bad,
            .route = bad,
            .status = 599,
            .bytes = INT64_MAX,
            .duration_us = INT64_MAX,
            .connection = INT64_MAX,
            .headers = worst,
            .header_count = 2,
        };
        const char *text = line(RTN_ACCESS_JSON, NULL, &entry);
        cr_assert_not_null(strstr(text, "\"aborted\":false}"));
        cr_assert(rtn_utf8_valid(rtn_str_of(text)));
        (void) line(RTN_ACCESS_COMBINED, NULL, &entry);
        text = line(RTN_ACCESS_CUSTOM, "{target}{target}{target}{referer}{user_agent}{host}{status}", &entry);
        for (const char *at = text; (at = strchr(at, '\\')) != NULL; at++)
            cr_assert(at[1] == 'x' && isxdigit(at[2]) && isxdigit(at[3]));
    }
}
