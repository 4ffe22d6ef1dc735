#include <criterion/criterion.h>

#include "app/cookie.h"

static void expect_found(const char *field, const char *name, const char *want)
{
    struct rtn_str got = rtn_cookie_find(rtn_str_of(field), rtn_str_of(name));
    cr_expect(got.data != NULL && rtn_str_equal(got, rtn_str_of(want)), "[%s] %s: got [%.*s], not [%s]", field, name,
              RTN_STR_ARG(got), want);
}

static void expect_absent(const char *field, const char *name)
{
    struct rtn_str got = rtn_cookie_find(rtn_str_of(field), rtn_str_of(name));
    cr_expect(got.data == NULL, "[%s] %s: got [%.*s]", field, name, RTN_STR_ARG(got));
}

Test(cookie, values_are_found)
{
    expect_found("a=1; b=2", "a", "1");
    expect_found("a=1; b=2", "b", "2");
    expect_found("a=1;b=2", "b", "2");
    expect_found(" a = 1 ;b=2", "a", "1");
    expect_found("a=x=y", "a", "x=y");
    expect_found("a=", "a", "");
    expect_found("a=1; a=2", "a", "1");
}

Test(cookie, quotes_are_removed_in_pairs)
{
    expect_found("a=\"1 2\"", "a", "1 2");
    expect_found("a=\"\"", "a", "");
    expect_found("a=\"", "a", "\"");
    expect_found("a=\"1", "a", "\"1");
}

Test(cookie, what_is_not_there_is_absent)
{
    expect_absent("", "a");
    expect_absent("aa=1; b=a=1", "a");
    expect_absent("A=1", "a");
    expect_absent("a", "a");
    expect_absent(";;=;", "a");
    cr_expect(rtn_cookie_find((struct rtn_str){ NULL, 0 }, RTN_STR("a")).data == NULL);
}

static void expect_built(const struct rtn_cookie *cookie, const char *want)
{
    struct rtn_buf out = { 0 };
    const char *wrong = rtn_cookie_build(cookie, &out);
    cr_expect(wrong == NULL, "%s", wrong != NULL ? wrong : "");
    cr_expect(rtn_str_equal(rtn_buf_str(&out), rtn_str_of(want)), "got [%s], not [%s]", rtn_buf_str(&out).data, want);
    rtn_buf_done(&out);
}

Test(cookie, attributes_are_written)
{
    expect_built(&(struct rtn_cookie){ .name = "a", .value = "b" }, "a=b");
    expect_built(&(struct rtn_cookie){ .name = "a", .value = "" }, "a=");
    expect_built(&(struct rtn_cookie){ .name = "a", .value = "\"b\"" }, "a=\"b\"");
    expect_built(&(struct rtn_cookie){ .name = "__Host-a",
                                       .value = "b!#$%&'()*+-./:<=>?@[]^_`{|}~",
                                       .path = "/",
                                       .max_age = 60,
                                       .same_site = "None",
                                       .secure = true,
                                       .http_only = true },
                 "__Host-a=b!#$%&'()*+-./:<=>?@[]^_`{|}~; Path=/; Max-Age=60; SameSite=None; Secure; HttpOnly");
    expect_built(&(struct rtn_cookie){ .name = "a", .value = "b", .domain = "example.org", .same_site = "Lax" },
                 "a=b; Domain=example.org; SameSite=Lax");
}

Test(cookie, a_negative_age_removes)
{
    expect_built(&(struct rtn_cookie){ .name = "a", .value = "", .max_age = -5 }, "a=; Max-Age=0");
}

Test(cookie, what_browsers_drop_is_refused)
{
    const struct rtn_cookie wrong[] = {
        { .value = "b" },
        { .name = "a" },
        { .name = "", .value = "b" },
        { .name = "a b", .value = "b" },
        { .name = "a=", .value = "b" },
        { .name = "a;", .value = "b" },
        { .name = "a\r\n", .value = "b" },
        { .name = "a", .value = "b c" },
        { .name = "a", .value = "b;c" },
        { .name = "a", .value = "b,c" },
        { .name = "a", .value = "b\"c" },
        { .name = "a", .value = "\"" },
        { .name = "a", .value = "\"b;\"" },
        { .name = "a", .value = "b\\c" },
        { .name = "a", .value = "b\r\nc" },
        { .name = "a", .value = "\xc3\xa4" },
        { .name = "a", .value = "b", .path = "" },
        { .name = "a", .value = "b", .path = "c" },
        { .name = "a", .value = "b", .path = "/;" },
        { .name = "a", .value = "b", .path = "/\n" },
        { .name = "a", .value = "b", .path = "/\xc3\xa4" },
        { .name = "a", .value = "b", .domain = "" },
        { .name = "a", .value = "b", .domain = "c;d" },
        { .name = "a", .value = "b", .domain = "c d" },
        { .name = "a", .value = "b", .domain = "c\x7f" },
        { .name = "a", .value = "b", .same_site = "lax" },
        { .name = "a", .value = "b", .same_site = "" },
        { .name = "a", .value = "b", .same_site = "None" },
        { .name = "__Secure-a", .value = "b" },
        { .name = "__Host-a", .value = "b", .path = "/" },
        { .name = "__Host-a", .value = "b", .secure = true },
        { .name = "__Host-a", .value = "b", .secure = true, .path = "/x" },
        { .name = "__Host-a", .value = "b", .secure = true, .path = "/", .domain = "c" },
    };
    struct rtn_buf out = { 0 };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        cr_expect(rtn_cookie_build(&wrong[i], &out) != NULL, "cookie %zu", i);
    cr_expect_eq(out.length, 0u);
}
