#include <criterion/criterion.h>

#include "ctl/ctl_table.h"

static struct rtn_buf out;

static const char *paint(const char *cell)
{
    return strcmp(cell, "bad") == 0 ? "31" : NULL;
}

static const struct rtn_ctl_column columns[] = {
    { .title = "NAME", .cut = true },
    { .title = "COUNT", .right = true },
    { .title = "STATE", .paint = paint },
};

static void expect(unsigned width, bool color, const char *expected)
{
    struct rtn_ctl_table table = RTN_CTL_TABLE(columns);
    rtn_ctl_table_add(&table, "a server with a name");
    rtn_ctl_table_add(&table, "%d", 7);
    rtn_ctl_table_add(&table, "good");
    rtn_ctl_table_add(&table, "b");
    rtn_ctl_table_add(&table, "%s", "");
    rtn_ctl_table_add(&table, "bad");
    rtn_ctl_table_render(&table, width, color, &out);
    cr_expect_str_eq(out.data, expected, "%s", out.data);
    rtn_ctl_table_done(&table);
    rtn_buf_done(&out);
}

Test(ctl_table, aligned)
{
    expect(0, false,
           "NAME                  COUNT  STATE\n"
           "a server with a name      7  good\n"
           "b                         -  bad\n");
}

Test(ctl_table, cut)
{
    expect(24, false,
           "NAME        COUNT  STATE\n"
           "a server ~      7  good\n"
           "b               -  bad\n");
    /* No column is cut to nothing. */
    expect(4, false,
           "NAME    COUNT  STATE\n"
           "a ser~      7  good\n"
           "b           -  bad\n");
}

static void expect_dropped(unsigned width, const char *expected)
{
    struct rtn_ctl_table table = RTN_CTL_TABLE(columns);
    table.drop = true;
    rtn_ctl_table_add(&table, "a server with a name");
    rtn_ctl_table_add(&table, "7");
    rtn_ctl_table_add(&table, "bad");
    rtn_ctl_table_render(&table, width, false, &out);
    cr_expect_str_eq(out.data, expected, "%s", out.data);
    rtn_ctl_table_done(&table);
    rtn_buf_done(&out);
}

Test(ctl_table, the_last_columns_are_dropped)
{
    expect_dropped(20, "NAME    COUNT  STATE\na ser~      7  bad\n");
    expect_dropped(19, "NAME    COUNT\na ser~      7\n");
    expect_dropped(12, "NAME\na ser~\n");
    expect_dropped(3, "NA~\na ~\n");
}

Test(ctl_table, colors)
{
    expect(24, true,
           "\033[1mNAME      \033[0m  \033[1mCOUNT\033[0m  \033[1mSTATE\033[0m\n"
           "a server ~      7  good\n"
           "b               -  \033[31mbad\033[0m\n");
}

Test(ctl_table, cut_at_the_beginning)
{
    static const struct rtn_ctl_column paths[] = { { .title = "FILE", .cut = true, .front = true } };
    struct rtn_ctl_table table = RTN_CTL_TABLE(paths);
    rtn_ctl_table_add(&table, "/usr/lib/\xc3\xa4.so");
    rtn_ctl_table_add(&table, "/\xc3\xa4.so");
    rtn_ctl_table_render(&table, 6, false, &out);
    cr_expect_str_eq(out.data, "FILE\n~/\xc3\xa4.so\n/\xc3\xa4.so\n", "%s", out.data);
    rtn_ctl_table_done(&table);
    rtn_buf_done(&out);
}

Test(ctl_table, empty)
{
    struct rtn_ctl_table table = RTN_CTL_TABLE(columns);
    table.gap = 1;
    rtn_ctl_table_render(&table, 80, false, &out);
    cr_expect_str_eq(out.data, "NAME COUNT STATE\n");
    rtn_buf_done(&out);
}

static void expect_fit(const char *text, unsigned width, bool right, const char *expected)
{
    rtn_ctl_fit(&out, text, width, right);
    cr_expect_str_eq(rtn_buf_str(&out).data, expected);
    rtn_buf_done(&out);
}

Test(ctl_table, fit)
{
    expect_fit("ab", 4, false, "ab  ");
    expect_fit("ab", 4, true, "  ab");
    expect_fit("abcd", 4, false, "abcd");
    expect_fit("abcde", 4, false, "abc~");
    expect_fit("\xc3\xa4\xc3\xb6\xc3\xbc", 3, false, "\xc3\xa4\xc3\xb6\xc3\xbc");
    expect_fit("\xc3\xa4\xc3\xb6\xc3\xbc", 2, false, "\xc3\xa4~");
    expect_fit("ab", 0, false, "");
}
