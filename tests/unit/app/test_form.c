#include <errno.h>

#include <criterion/criterion.h>

#include "app/form.h"

static struct rtn_arena arena;

static void start(void)
{
    rtn_arena_init(&arena, NULL, 0);
}

static void stop(void)
{
    rtn_arena_done(&arena);
}

TestSuite(form, .init = start, .fini = stop);
TestSuite(path, .init = start, .fini = stop);

static void expect(struct rtn_str got, const char *want)
{
    cr_expect(rtn_str_equal(got, rtn_str_of(want)), "got [%.*s], not [%s]", RTN_STR_ARG(got), want);
}

static void expect_pair(struct rtn_str *rest, const char *name, const char *value)
{
    struct rtn_str got_name;
    struct rtn_str got_value;
    cr_assert(rtn_form_next(rest, &got_name, &got_value));
    expect(got_name, name);
    expect(got_value, value);
}

Test(form, pairs_are_split_at_ampersands_and_first_equals)
{
    struct rtn_str rest = RTN_STR("a=1&&b=x=y&c&=d&e=&");
    struct rtn_str name;
    struct rtn_str value;
    expect_pair(&rest, "a", "1");
    expect_pair(&rest, "b", "x=y");
    expect_pair(&rest, "c", "");
    expect_pair(&rest, "", "d");
    expect_pair(&rest, "e", "");
    cr_expect_not(rtn_form_next(&rest, &name, &value));
}

Test(form, nothing_has_no_pairs)
{
    struct rtn_str name;
    struct rtn_str value;
    struct rtn_str absent = { NULL, 0 };
    struct rtn_str separators = RTN_STR("&&&");
    cr_expect_not(rtn_form_next(&absent, &name, &value));
    cr_expect_not(rtn_form_next(&separators, &name, &value));
}

Test(form, value_of_a_name_without_equals_has_data)
{
    struct rtn_str rest = RTN_STR("lonely");
    struct rtn_str name;
    struct rtn_str value;
    cr_assert(rtn_form_next(&rest, &name, &value));
    cr_expect_not_null(value.data);
    cr_expect_eq(value.length, 0);
}

Test(form, decodes_escapes_and_plus)
{
    expect(rtn_form_decode(RTN_STR("a%20b+c%2Bd%c3%A4"), &arena), "a b c+d\xc3\xa4");
}

Test(form, broken_escapes_stay)
{
    expect(rtn_form_decode(RTN_STR("%"), &arena), "%");
    expect(rtn_form_decode(RTN_STR("%4"), &arena), "%4");
    expect(rtn_form_decode(RTN_STR("100%zz%4g%41"), &arena), "100%zz%4gA");
    expect(rtn_form_decode(RTN_STR("%%41"), &arena), "%A");
}

Test(form, nul_bytes_come_through)
{
    struct rtn_str got = rtn_form_decode(RTN_STR("a%00b"), &arena);
    cr_assert_eq(got.length, 3);
    cr_expect_eq(memcmp(got.data, "a\0b", 3), 0);
}

Test(form, plain_text_is_not_copied)
{
    struct rtn_str plain = RTN_STR("plain");
    cr_expect_eq(rtn_form_decode(plain, &arena).data, plain.data);
}

Test(form, empty_values_have_data)
{
    cr_expect_not_null(rtn_form_decode((struct rtn_str){ NULL, 0 }, &arena).data);
    struct rtn_str found = rtn_form_find(RTN_STR("a="), RTN_STR("a"), 0, &arena);
    cr_expect_not_null(found.data);
    cr_expect_eq(found.length, 0);
}

Test(form, finds_by_decoded_name_and_index)
{
    struct rtn_str pairs = RTN_STR("say=hi&s%61y=you+there&says=no&sa=no&say=3");
    expect(rtn_form_find(pairs, RTN_STR("say"), 0, &arena), "hi");
    expect(rtn_form_find(pairs, RTN_STR("say"), 1, &arena), "you there");
    expect(rtn_form_find(pairs, RTN_STR("say"), 2, &arena), "3");
    cr_expect_null(rtn_form_find(pairs, RTN_STR("say"), 3, &arena).data);
    cr_expect_null(rtn_form_find(pairs, RTN_STR("SAY"), 0, &arena).data);
}

static const struct path_case {
    const char *raw;
    const char *decoded; /* NULL: refused */
} path_cases[] = {
    { "/", "/" },
    { "/a/b", "/a/b" },
    { "/a%20b", "/a b" },
    { "/a+b", "/a+b" },
    { "/%41%7e", "/A~" },
    { "/a/./b", "/a/b" },
    { "/a/../b", "/b" },
    { "/a/b/..", "/a/" },
    { "/a/.", "/a/" },
    { "/.", "/" },
    { "/a/..", "/" },
    { "/a//b", "/a//b" },
    { "/a//../b", "/a/b" },
    { "//", "//" },
    { "/...", "/..." },
    { "/.a/..b/c.", "/.a/..b/c." },
    { "/%2e/a", "/a" },
    { "/a/%2E%2e/b", "/b" },
    { "/a%2fb", "/a/b" },
    { "/a/..%2fb", "/b" },
    { "/%c3%a4", "/\xc3\xa4" },
    { "/a/b/c/./../../g", "/a/g" },
    { "/..", NULL },
    { "/../a", NULL },
    { "/a/../..", NULL },
    { "/a/../../a", NULL },
    { "/%2e%2e/a", NULL },
    { "/..%2f", NULL },
    { "/a/..%2f..%2fetc", NULL },
    { "/%00", NULL },
    { "/a%0d%0ab", NULL },
    { "/%7f", NULL },
    { "/a\tb", NULL },
    { "/%", NULL },
    { "/%4", NULL },
    { "/%zz", NULL },
    { "/%4/", NULL },
    { "a", NULL },
    { "*", NULL },
    { "", NULL },
};

Test(path, decodes)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(path_cases); i++) {
        const struct path_case *c = &path_cases[i];
        struct rtn_str untouched = RTN_STR("untouched");
        struct rtn_str got = untouched;
        int code = rtn_path_decode(rtn_str_of(c->raw), &arena, &got);
        cr_expect_eq(code, c->decoded != NULL ? 0 : -EINVAL, "%s gave %d", c->raw, code);
        cr_expect(rtn_str_equal(got, c->decoded != NULL ? rtn_str_of(c->decoded) : untouched), "%s gave [%.*s]", c->raw,
                  RTN_STR_ARG(got));
    }
}

Test(path, plain_paths_are_not_copied)
{
    struct rtn_str raw = RTN_STR("/a.b/c");
    struct rtn_str got;
    cr_assert_eq(rtn_path_decode(raw, &arena, &got), 0);
    cr_expect_eq(got.data, raw.data);
}

static const struct {
    const char *target;
    const char *path; /* NULL: refused */
    const char *query; /* NULL: absent */
} target_cases[] = {
    { "/", "/", NULL },
    { "/?", "/", "" },
    { "/a/b?c=d&e", "/a/b", "c=d&e" },
    { "/a?b?c", "/a", "b?c" },
    { "/a.b/c.d?e", "/a.b/c.d", "e" },
    { "/a?%zz/../.", "/a", "%zz/../." },
    { "/a%20b?c%20d", "/a b", "c%20d" },
    { "/a/../b?c", "/b", "c" },
    { "/./?", "/", "" },
    { "/a%3fb?c", "/a?b", "c" },
    { "/a//b?/..", "/a//b", "/.." },
    { "/\xc3\xa4?\xc3", "/\xc3\xa4", "\xc3" },
    { "/..?a", NULL, NULL },
    { "/%zz?a", NULL, NULL },
    { "/a\tb", NULL, NULL },
    { "/\x7f", NULL, NULL },
    { "a?b", NULL, NULL },
    { "?b", NULL, NULL },
};

Test(path, is_split_from_the_query)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(target_cases); i++) {
        const char *target = target_cases[i].target;
        struct rtn_str path, query;
        int code = rtn_target_split(rtn_str_of(target), &arena, &path, &query);
        cr_expect_eq(code, target_cases[i].path != NULL ? 0 : -EINVAL, "%s gave %d", target, code);
        if (code < 0)
            continue;
        cr_expect(rtn_str_equal(path, rtn_str_of(target_cases[i].path)), "%s gave [%.*s]", target, RTN_STR_ARG(path));
        cr_expect(rtn_str_equal(query, rtn_str_of(target_cases[i].query)), "%s", target);
        cr_expect_eq(query.data == NULL, target_cases[i].query == NULL, "%s", target);
    }
}
