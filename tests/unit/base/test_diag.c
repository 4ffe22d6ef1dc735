#include <stdio.h>

#include <criterion/criterion.h>

#include "base/diag.h"

static struct rtn_diags diags;

static void check(bool color, const char *expected)
{
    struct rtn_buf out = { 0 };

    rtn_diags_render(&diags, &out, color);
    cr_expect_str_eq(rtn_buf_str(&out).data, expected);
    rtn_buf_done(&out);
    rtn_diags_done(&diags);
}

static struct rtn_mark mark(const struct rtn_source *source, unsigned line, unsigned column, unsigned length)
{
    return (struct rtn_mark){ source, line, column, length };
}

Test(diag, empty)
{
    check(false, "");
}

Test(diag, form_of_the_manual)
{
    const struct rtn_source source = { "retinued.yaml", RTN_STR("\n\n\n\n\n\n\n\n\n\n\n    thread: 4\n") };

    rtn_diags_error(&diags, mark(&source, 12, 5, 6), "server \"%s\": unknown key \"thread\"; did you mean \"threads\"?",
                    "get");
    check(false, "retinued.yaml:12:5: error: server \"get\": unknown key \"thread\"; did you mean \"threads\"?\n"
                 "   12 |     thread: 4\n"
                 "      |     ^~~~~~\n");
}

Test(diag, without_a_place)
{
    const struct rtn_source source = { "a.yaml", RTN_STR("") };

    rtn_diags_error(&diags, mark(NULL, 0, 0, 0), "no servers");
    rtn_diags_error(&diags, mark(&source, 0, 0, 0), "cannot open");
    check(false, "retinued: error: no servers\na.yaml: error: cannot open\n");
}

Test(diag, tabs_line_up)
{
    const struct rtn_source source = { "a", RTN_STR("\tkey:\tvalue\n") };

    rtn_diags_error(&diags, mark(&source, 1, 7, 5), "bad");
    check(false, "a:1:7: error: bad\n"
                 "    1 | \tkey:\tvalue\n"
                 "      | \t    \t^~~~~\n");
}

Test(diag, columns_are_characters)
{
    const struct rtn_source source = { "a", RTN_STR("n\xc3\xa4me: \xe2\x82\xac\xe2\x82\xac x") };

    rtn_diags_error(&diags, mark(&source, 1, 7, 2), "bad");
    check(false, "a:1:7: error: bad\n"
                 "    1 | n\xc3\xa4me: \xe2\x82\xac\xe2\x82\xac x\n"
                 "      |       ^~\n");
}

Test(diag, control_and_invalid_bytes_do_not_reach_the_terminal)
{
    const struct rtn_source source = { "a", RTN_STR("\x1b[31m\xff\xc2\x9b\x7f: x\r\n") };

    rtn_diags_error(&diags, mark(&source, 1, 11, 1),
                    "bad \x1b[31m\n\xff"
                    "value");
    check(false, "a:1:11: error: bad ?[31m??value\n"
                 "    1 | ?[31m???: x\n"
                 "      |           ^\n");
}

Test(diag, end_of_line)
{
    const struct rtn_source source = { "a", RTN_STR("key\nother\n\n") };

    rtn_diags_error(&diags, mark(&source, 1, 2, 50), "cut at the end");
    rtn_diags_error(&diags, mark(&source, 1, 4, 3), "just behind");
    rtn_diags_error(&diags, mark(&source, 1, 400, 3), "far behind");
    rtn_diags_error(&diags, mark(&source, 2, 1, 0), "no underline");
    rtn_diags_error(&diags, mark(&source, 3, 1, 1), "an empty line");
    rtn_diags_error(&diags, mark(&source, 4, 1, 1), "behind the last line");
    rtn_diags_error(&diags, mark(&source, 4000000000, 1, 1), "no such line");
    check(false, "a:1:2: error: cut at the end\n    1 | key\n      |  ^~\n"
                 "a:1:4: error: just behind\n    1 | key\n      |    ^\n"
                 "a:1:400: error: far behind\n    1 | key\n      |    ^\n"
                 "a:2:1: error: no underline\n    2 | other\n"
                 "a:3:1: error: an empty line\n"
                 "a:4:1: error: behind the last line\n"
                 "a:4000000000:1: error: no such line\n");
}

Test(diag, ordered_by_file_line_and_column)
{
    const struct rtn_source b = { "b", RTN_STR("") };
    const struct rtn_source a = { "a", RTN_STR("") };

    rtn_diags_error(&diags, mark(&b, 9, 1, 0), "1");
    rtn_diags_error(&diags, mark(&a, 1, 1, 0), "2");
    rtn_diags_warning(&diags, mark(&b, 2, 7, 0), "3");
    rtn_diags_error(&diags, mark(&b, 2, 3, 0), "4");
    rtn_diags_error(&diags, mark(&b, 2, 7, 0), "5");
    rtn_diags_error(&diags, mark(NULL, 0, 0, 0), "6");
    cr_assert_eq(diags.errors, 5);
    check(false, "b:2:3: error: 4\nb:2:7: warning: 3\nb:2:7: error: 5\nb:9:1: error: 1\n"
                 "a:1:1: error: 2\nretinued: error: 6\n");
}

Test(diag, notes_stay_behind_their_diagnostic)
{
    const struct rtn_source a = { "a", RTN_STR("x\ny\nz\n") };

    rtn_diags_error(&diags, mark(&a, 3, 1, 1), "late");
    rtn_diags_note(&diags, mark(&a, 1, 1, 1), "first here");
    rtn_diags_note(&diags, mark(NULL, 0, 0, 0), "see the manual");
    rtn_diags_error(&diags, mark(&a, 2, 1, 1), "early");
    rtn_diags_note(&diags, mark(&a, 1, 1, 1), "first here");
    cr_assert_eq(diags.errors, 2);
    check(false, "a:2:1: error: early\n    2 | y\n      | ^\n"
                 "a:1:1: note: first here\n    1 | x\n      | ^\n"
                 "a:3:1: error: late\n    3 | z\n      | ^\n"
                 "a:1:1: note: first here\n    1 | x\n      | ^\n"
                 "retinued: note: see the manual\n");
}

Test(diag, the_same_twice_is_shown_once)
{
    const struct rtn_source a = { "a", RTN_STR("") };

    for (int i = 0; i < 3; i++) {
        rtn_diags_error(&diags, mark(&a, 1, 1, 1), "same");
        rtn_diags_note(&diags, mark(&a, 2, 1, 1), "note");
        rtn_diags_error(&diags, mark(&a, 1, 2, 1), "same");
        rtn_diags_error(&diags, mark(&a, 1, 1, 1), "other");
    }
    cr_assert_eq(diags.errors, 3);
    check(false, "a:1:1: error: same\na:2:1: note: note\na:1:1: error: other\na:1:2: error: same\n");
}

Test(diag, wide_line_numbers)
{
    struct rtn_buf text = { 0 };

    for (int i = 1; i < 123456; i++)
        rtn_buf_append_char(&text, '\n');
    rtn_buf_append_text(&text, "abc");
    const struct rtn_source a = { "a", rtn_buf_str(&text) };
    rtn_diags_error(&diags, mark(&a, 123456, 2, 2), "far down");
    check(false, "a:123456:2: error: far down\n123456 | abc\n       |  ^~\n");
    rtn_buf_done(&text);
}

/* A line of 1000 characters "0123456789..." with the mark at `column`. */
static void check_long(unsigned column, unsigned length, const char *line, const char *underline)
{
    char text[1000];
    char expected[1000];

    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char) ('0' + i % 10);
    const struct rtn_source a = { "a", { text, sizeof(text) } };
    rtn_diags_error(&diags, mark(&a, 1, column, length), "long");
    (void) snprintf(expected, sizeof(expected), "a:1:%u: error: long\n    1 | %s\n      | %s\n", column, line,
                    underline);
    check(false, expected);
}

#define DIGITS_30 "012345678901234567890123456789"
#define DIGITS_120 DIGITS_30 DIGITS_30 DIGITS_30 DIGITS_30
#define SPACES_40 "                                        "

#define TILDES_39 "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"

Test(diag, long_lines_are_cut_around_the_mark)
{
    check_long(1, 3, DIGITS_120 "...", "^~~");
    check_long(41, 1, DIGITS_120 "...", SPACES_40 "^");
    check_long(501, 4, "..." DIGITS_120 "...", "   " SPACES_40 "^~~~");
    check_long(1000, 4, "..." DIGITS_120, "   " SPACES_40 SPACES_40 "                                       ^");
    check_long(41, 500, DIGITS_120 "...", SPACES_40 "^" TILDES_39 TILDES_39 "~");
}

Test(diag, colors)
{
    const struct rtn_source a = { "a", RTN_STR("key") };

    rtn_diags_error(&diags, mark(&a, 1, 1, 3), "bad");
    rtn_diags_note(&diags, mark(NULL, 0, 0, 0), "so");
    check(true, "a:1:1: \x1b[1;31merror:\x1b[0m bad\n    1 | key\n      | \x1b[1;31m^~~\x1b[0m\n"
                "retinued: \x1b[1;36mnote:\x1b[0m so\n");
}

Test(diag, many)
{
    const struct rtn_source a = { "a", RTN_STR("") };

    for (unsigned i = 100; i > 0; i--)
        rtn_diags_error(&diags, mark(&a, i, 1, 0), "number %u", i);
    cr_assert_eq(diags.errors, 100);
    struct rtn_buf out = { 0 };
    rtn_diags_render(&diags, &out, false);
    cr_assert(rtn_str_starts_with(rtn_buf_str(&out), RTN_STR("a:1:1: error: number 1\na:2:1: error: number 2\n")));
    cr_assert(rtn_str_ends_with(rtn_buf_str(&out), RTN_STR("a:100:1: error: number 100\n")));
    rtn_buf_done(&out);
    rtn_diags_done(&diags);
}

static size_t count_of(struct rtn_str text, const char *needle)
{
    size_t count = 0;

    for (const char *at = text.data; (at = strstr(at, needle)) != NULL; at++)
        count++;
    return count;
}

/* `count` errors, each with two notes, and each repeated. */
static void add_many(const struct rtn_source *source, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        rtn_diags_error(&diags, mark(source, 1, i, 1), "number %u", i);
        rtn_diags_note(&diags, mark(source, 1, i, 1), "first note");
        rtn_diags_note(&diags, mark(source, 1, i, 1), "second note");
        rtn_diags_error(&diags, mark(source, 1, i, 1), "number %u", i);
    }
}

static void check_most(unsigned count, const char *end)
{
    const struct rtn_source a = { "a", RTN_STR("") };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf out = { 0 };

    add_many(&a, count);
    rtn_diags_render(&diags, &out, false);
    cr_expect_eq(diags.errors, count);
    cr_expect_eq(count_of(rtn_buf_str(&out), ": error: number "), 200);
    cr_expect_eq(count_of(rtn_buf_str(&out), ": note: first note\n"), 200);
    cr_expect_eq(count_of(rtn_buf_str(&out), ": note: second note\n"), 200);
    cr_expect(rtn_str_ends_with(rtn_buf_str(&out), rtn_str_of(end)), "%u end with: %s", count,
              out.data + out.length - 100);
    rtn_diags_done(&diags);
}

Test(diag, more_than_anybody_reads_are_counted)
{
    check_most(200, "a:1:200: note: second note\n");
    check_most(201, "a:1:200: note: second note\nretinued: and 1 more\n");
    check_most(1234, "a:1:200: note: second note\nretinued: and 1034 more\n");
}
