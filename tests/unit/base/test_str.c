#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "base/str.h"

struct number_case {
    const char *text;
    int result;
    int64_t value;
};

static void check_numbers(int (*parse)(struct rtn_str, int64_t *), const struct number_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = -77;
        int r = parse(rtn_str_of(cases[i].text), &value);
        cr_expect_eq(r, cases[i].result, "\"%s\" gave %d", cases[i].text, r);
        cr_expect_eq(value, r == 0 ? cases[i].value : -77, "\"%s\" is %lld", cases[i].text, (long long) value);
    }
}

Test(str, parse_int)
{
    static const struct number_case cases[] = {
        { "0", 0, 0 },
        { "-0", 0, 0 },
        { "007", 0, 7 },
        { "-12", 0, -12 },
        { "9223372036854775807", 0, INT64_MAX },
        { "-9223372036854775808", 0, INT64_MIN },
        { "9223372036854775808", -ERANGE, 0 },
        { "-9223372036854775809", -ERANGE, 0 },
        { "99999999999999999999999999", -ERANGE, 0 },
        { "99999999999999999999999999x", -EINVAL, 0 },
        { "", -EINVAL, 0 },
        { "-", -EINVAL, 0 },
        { "--1", -EINVAL, 0 },
        { "+1", -EINVAL, 0 },
        { " 1", -EINVAL, 0 },
        { "1 ", -EINVAL, 0 },
        { "0x10", -EINVAL, 0 },
        { "1.5", -EINVAL, 0 },
        { "1e3", -EINVAL, 0 },
    };
    check_numbers(rtn_parse_int, cases, RTN_ARRAY_LENGTH(cases));
}

Test(str, parse_stays_inside_the_view)
{
    int64_t value = 0;

    cr_assert_eq(rtn_parse_int((struct rtn_str){ "1234", 2 }, &value), 0);
    cr_assert_eq(value, 12);
    cr_assert_eq(rtn_parse_int((struct rtn_str){ NULL, 0 }, &value), -EINVAL);
    cr_assert_eq(rtn_parse_size((struct rtn_str){ NULL, 0 }, &value), -EINVAL);
    cr_assert_eq(rtn_parse_int((struct rtn_str){ "1\0002", 3 }, &value), -EINVAL);
}

Test(str, parse_size)
{
    static const struct number_case cases[] = {
        { "0", 0, 0 },
        { "0B", 0, 0 },
        { "512B", 0, 512 },
        { "16KiB", 0, 16384 },
        { "1MiB", 0, 1048576 },
        { "2GiB", 0, 2147483648 },
        { "8589934591GiB", 0, 8589934591LL * 1073741824 },
        { "8589934592GiB", -ERANGE, 0 },
        { "9223372036854775807B", 0, INT64_MAX },
        { "9223372036854775808B", -ERANGE, 0 },
        { "99999999999999999999999GB", -EINVAL, 0 },
        { "16", -EINVAL, 0 },
        { "00", -EINVAL, 0 },
        { "16K", -EINVAL, 0 },
        { "16KB", -EINVAL, 0 },
        { "16kib", -EINVAL, 0 },
        { "16 KiB", -EINVAL, 0 },
        { "1.5MiB", -EINVAL, 0 },
        { "-1B", -EINVAL, 0 },
        { "KiB", -EINVAL, 0 },
        { "16KiBs", -EINVAL, 0 },
        { "10s", -EINVAL, 0 },
        { "", -EINVAL, 0 },
    };
    check_numbers(rtn_parse_size, cases, RTN_ARRAY_LENGTH(cases));
}

Test(str, parse_duration)
{
    static const struct number_case cases[] = {
        { "0", 0, 0 },
        { "0s", 0, 0 },
        { "250ms", 0, 250 },
        { "10s", 0, 10000 },
        { "5m", 0, 300000 },
        { "2h", 0, 7200000 },
        { "1d", 0, 86400000 },
        { "106751991167d", 0, 106751991167LL * 86400000 },
        { "106751991168d", -ERANGE, 0 },
        { "10", -EINVAL, 0 },
        { "10S", -EINVAL, 0 },
        { "10sec", -EINVAL, 0 },
        { "1h30m", -EINVAL, 0 },
        { "-5s", -EINVAL, 0 },
        { "5us", -EINVAL, 0 },
        { "ms", -EINVAL, 0 },
    };
    check_numbers(rtn_parse_duration, cases, RTN_ARRAY_LENGTH(cases));
}

Test(str, parse_bool)
{
    static const char *const wrong[] = { "", "True", "TRUE", "yes", "no", "on", "off", "1", "0", "truee", "fals" };
    bool value = false;

    cr_assert_eq(rtn_parse_bool(RTN_STR("true"), &value), 0);
    cr_assert(value);
    cr_assert_eq(rtn_parse_bool(RTN_STR("false"), &value), 0);
    cr_assert_not(value);
    value = true;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(wrong); i++)
        cr_expect_eq(rtn_parse_bool(rtn_str_of(wrong[i]), &value), -EINVAL, "%s", wrong[i]);
    cr_assert(value);
}

Test(str, format_is_read_back)
{
    static const int64_t values[] = { 0,       1,         512,      1023,  1024,      1025,    16384,    1048576,
                                      1572864, 1LL << 40, 86400000, 90000, INT64_MAX, 7200001, 172800000 };
    char text[RTN_FORMAT_MAX];

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(values); i++) {
        int64_t value = -1;
        cr_expect_eq(rtn_parse_size(rtn_str_of(rtn_format_size(text, values[i])), &value), 0, "%s", text);
        cr_expect_eq(value, values[i]);
        cr_expect_eq(rtn_parse_duration(rtn_str_of(rtn_format_duration(text, values[i])), &value), 0, "%s", text);
        cr_expect_eq(value, values[i]);
    }
}

Test(str, format_is_short)
{
    char text[RTN_FORMAT_MAX];

    cr_assert_str_eq(rtn_format_size(text, 0), "0");
    cr_assert_str_eq(rtn_format_size(text, 16384), "16KiB");
    cr_assert_str_eq(rtn_format_size(text, 1536), "1536B");
    cr_assert_str_eq(rtn_format_size(text, 3LL << 30), "3GiB");
    cr_assert_str_eq(rtn_format_duration(text, 0), "0");
    cr_assert_str_eq(rtn_format_duration(text, 300000), "5m");
    cr_assert_str_eq(rtn_format_duration(text, 1001), "1001ms");
    cr_assert_str_eq(rtn_format_duration(text, 86400000), "1d");
    cr_assert_str_eq(rtn_format_size(text, INT64_MIN), "-8589934592GiB");
}

Test(str, lower_case_is_of_ascii_only)
{
    const char given[] = "@AZ[`az{09\xc4";
    const char expected[] = "@az[`az{09\xc4";
    for (size_t i = 0; i < sizeof(given); i++)
        cr_expect_eq(rtn_lower(given[i]), expected[i], "%zu", i);
}

Test(str, compare)
{
    cr_assert(rtn_str_equal_nocase(RTN_STR("Content-TYPE"), RTN_STR("content-type")));
    cr_assert_not(rtn_str_equal_nocase(RTN_STR("abc"), RTN_STR("abcd")));
    cr_assert_not(rtn_str_equal_nocase(RTN_STR("@"), RTN_STR("`")));
    cr_assert_not(rtn_str_equal_nocase(RTN_STR("["), RTN_STR("{")));
    cr_assert_not(rtn_str_equal_nocase(RTN_STR("\xc4"), RTN_STR("\xe4")));
    cr_assert(rtn_str_equal_nocase((struct rtn_str){ NULL, 0 }, RTN_STR("")));
    cr_assert(rtn_str_starts_with(RTN_STR("unix:/a"), RTN_STR("unix:")));
    cr_assert_not(rtn_str_starts_with(RTN_STR("uni"), RTN_STR("unix:")));
    cr_assert(rtn_str_starts_with((struct rtn_str){ NULL, 0 }, RTN_STR("")));
    cr_assert(rtn_str_starts_with_nocase(RTN_STR("UNIX:/a"), RTN_STR("unix:")));
    cr_assert_not(rtn_str_starts_with_nocase(RTN_STR("UNI"), RTN_STR("unix:")));
    cr_assert_not(rtn_str_starts_with_nocase(RTN_STR("tunix:"), RTN_STR("unix:")));
    cr_assert(rtn_str_starts_with_nocase((struct rtn_str){ NULL, 0 }, RTN_STR("")));
    cr_assert(rtn_str_ends_with(RTN_STR("a.yaml"), RTN_STR(".yaml")));
    cr_assert_not(rtn_str_ends_with(RTN_STR("yaml"), RTN_STR(".yaml")));
    cr_assert(rtn_str_ends_with((struct rtn_str){ NULL, 0 }, (struct rtn_str){ NULL, 0 }));
}

Test(str, trim)
{
    cr_assert(rtn_str_equal(rtn_str_trim(RTN_STR(" \t a b\t ")), RTN_STR("a b")));
    cr_assert(rtn_str_equal(rtn_str_trim(RTN_STR(" \t ")), RTN_STR("")));
    cr_assert(rtn_str_equal(rtn_str_trim(RTN_STR("\ra\n")), RTN_STR("\ra\n")));
    cr_assert_null(rtn_str_trim((struct rtn_str){ NULL, 0 }).data);
}

/* Elements joined with '|', each in brackets. */
static void check_split(const char *list, const char *expected)
{
    struct rtn_str rest = rtn_str_of(list);
    struct rtn_str element;
    char text[128] = "";

    while (rtn_str_next(&rest, ',', &element)) {
        size_t used = strlen(text);
        (void) snprintf(text + used, sizeof(text) - used, "[%.*s]", RTN_STR_ARG(element));
    }
    cr_expect_str_eq(text, expected);
    cr_expect_null(rest.data);
}

Test(str, next)
{
    check_split("a, ,b", "[a][][b]");
    check_split("  a  ", "[a]");
    check_split("a,", "[a][]");
    check_split(",", "[][]");
    check_split("", "[]");
    check_split(NULL, "");
}

/* The table against the words of the grammar, for each of the 256 bytes. */
Test(str, digits_and_letters)
{
    char digits[UCHAR_MAX + 2] = { 0 };
    char alnums[UCHAR_MAX + 2] = { 0 };
    size_t digit_count = 0;
    size_t alnum_count = 0;
    for (int c = 0; c <= UCHAR_MAX; c++) {
        if (rtn_is_digit((char) c))
            digits[digit_count++] = (char) c;
        if (rtn_is_alnum((char) c))
            alnums[alnum_count++] = (char) c;
    }
    cr_assert_str_eq(digits, "0123456789");
    cr_assert_str_eq(alnums, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

Test(str, hex_digit)
{
    static const char digits[] = "0123456789abcdef";
    int found = 0;
    for (int c = 0; c <= UCHAR_MAX; c++) {
        const char *at = c != 0 ? strchr(digits, rtn_lower((char) c)) : NULL;
        cr_expect_eq(rtn_hex_digit((char) c), at != NULL ? at - digits : -1, "%d", c);
        found += at != NULL;
    }
    cr_assert_eq(found, 22);
}

Test(str, percent_byte)
{
    cr_expect_eq(rtn_percent_byte(RTN_STR("%41"), 0), 'A');
    cr_expect_eq(rtn_percent_byte(RTN_STR("x%fFy"), 1), 0xff);
    cr_expect_eq(rtn_percent_byte(RTN_STR("%00"), 0), 0);
    cr_expect_eq(rtn_percent_byte(RTN_STR("x41"), 0), -1);
    cr_expect_eq(rtn_percent_byte(RTN_STR("%4g"), 0), -1);
    cr_expect_eq(rtn_percent_byte(RTN_STR("%g4"), 0), -1);
    cr_expect_eq(rtn_percent_byte((struct rtn_str){ "%41", 2 }, 0), -1);
    cr_expect_eq(rtn_percent_byte(RTN_STR("x%4"), 1), -1);
}

Test(str, token_char)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (int i = 0; i < 256; i++) {
        bool letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z') || (i >= '0' && i <= '9');
        bool expected = letter || (i != 0 && strchr(marks, i) != NULL);
        cr_expect_eq(rtn_is_token_char((char) i), expected, "byte %d", i);
    }
}

Test(str, token)
{
    static const struct rtn_str good[] = { { "a", 1 }, { "X-Test", 6 }, { "!#$%&'*+-.^_`|~09", 17 }, { "ab c", 2 } };
    static const struct rtn_str bad[] = { { NULL, 0 }, { "", 0 },   { " ", 1 },   { "a b", 3 },  { "a:", 2 },
                                          { " a", 2 }, { "a ", 2 }, { "a\0", 2 }, { "\xe9", 1 }, { "a,b", 3 } };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(good); i++)
        cr_expect(rtn_is_token(good[i]), "%.*s", RTN_STR_ARG(good[i]));
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(bad); i++)
        cr_expect_not(rtn_is_token(bad[i]), "number %zu", i);
}

Test(str, dup)
{
    char *copy = rtn_str_dup((struct rtn_str){ "abcdef", 3 });
    char *empty = rtn_str_dup((struct rtn_str){ NULL, 0 });

    cr_assert_str_eq(copy, "abc");
    cr_assert_str_eq(empty, "");
    free(copy);
    free(empty);
}

struct distance_case {
    const char *a, *b;
    unsigned limit, expected;
};

Test(str, distance)
{
    static const struct distance_case cases[] = {
        { "thread", "threads", 2, 1 },
        { "threads", "threads", 2, 0 },
        { "THREADS", "threads", 2, 0 },
        { "thraeds", "threads", 2, 1 },
        { "listne", "listen", 1, 1 },
        { "lsiten", "listen", 1, 1 },
        { "kitten", "sitting", 3, 3 },
        { "kitten", "sitting", 10, 3 },
        { "kitten", "sitting", 2, 3 },
        { "abcdef", "uvwxyz", 2, 3 },
        { "a", "abcd", 2, 3 },
        { "a", "abc", 2, 2 },
        { "abc", "a", 2, 2 },
        { "", "", 0, 0 },
        { "", "ab", 2, 2 },
        { "ab", "", 2, 2 },
        { "", "abc", 2, 3 },
        { "a", "b", 0, 1 },
        { "a", "A", 0, 0 },
        { "abcd", "bacd", 0, 1 },
        { "abcdefgh", "habcdefg", 2, 2 },
        { "same", "same", UINT32_MAX, 0 },
        { "some", "other", UINT32_MAX, 4 },
    };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cases); i++) {
        unsigned got = rtn_str_distance(rtn_str_of(cases[i].a), rtn_str_of(cases[i].b), cases[i].limit);
        cr_expect_eq(got, cases[i].expected, "%s %s: %u", cases[i].a, cases[i].b, got);
        got = rtn_str_distance(rtn_str_of(cases[i].b), rtn_str_of(cases[i].a), cases[i].limit);
        cr_expect_eq(got, cases[i].expected, "%s %s: %u", cases[i].b, cases[i].a, got);
    }
}
