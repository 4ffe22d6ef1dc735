#include <criterion/criterion.h>

#include "ctl/ctl_format.h"

static char out[RTN_CTL_FORMAT_MAX];

Test(ctl_format, bytes)
{
    cr_expect_str_eq(rtn_ctl_bytes(out, 0), "0 B");
    cr_expect_str_eq(rtn_ctl_bytes(out, 1023), "1023 B");
    cr_expect_str_eq(rtn_ctl_bytes(out, 1024), "1.0 KiB");
    cr_expect_str_eq(rtn_ctl_bytes(out, 9437184), "9.0 MiB");
    cr_expect_str_eq(rtn_ctl_bytes(out, 10200), "10 KiB");
    cr_expect_str_eq(rtn_ctl_bytes(out, 1047552), "1.0 MiB");
    cr_expect_str_eq(rtn_ctl_bytes(out, INT64_MAX), "8192 PiB");
}

Test(ctl_format, count)
{
    cr_expect_str_eq(rtn_ctl_count(out, 0.), "0");
    cr_expect_str_eq(rtn_ctl_count(out, 7.5), "7.5");
    cr_expect_str_eq(rtn_ctl_count(out, 812.), "812");
    cr_expect_str_eq(rtn_ctl_count(out, 812.4), "812");
    cr_expect_str_eq(rtn_ctl_count(out, 12345.), "12.3k");
    cr_expect_str_eq(rtn_ctl_count(out, 123456.), "123k");
    cr_expect_str_eq(rtn_ctl_count(out, 999600.), "1.0M");
    cr_expect_str_eq(rtn_ctl_count(out, 4600000.), "4.6M");
}

Test(ctl_format, age)
{
    cr_expect_str_eq(rtn_ctl_age(out, 0), "0ms");
    cr_expect_str_eq(rtn_ctl_age(out, 250), "250ms");
    cr_expect_str_eq(rtn_ctl_age(out, 7999), "7s");
    cr_expect_str_eq(rtn_ctl_age(out, 107000), "1m 47s");
    cr_expect_str_eq(rtn_ctl_age(out, 3600000), "1h 0m");
    cr_expect_str_eq(rtn_ctl_age(out, INT64_C(1051200000)), "12d 4h");
}

Test(ctl_format, time)
{
    cr_expect_str_eq(rtn_ctl_time(out, 84), "84us");
    cr_expect_str_eq(rtn_ctl_time(out, 1500), "1.5ms");
    cr_expect_str_eq(rtn_ctl_time(out, 99999), "100ms");
    cr_expect_str_eq(rtn_ctl_time(out, 2100000), "2.1s");
    cr_expect_str_eq(rtn_ctl_time(out, 67108864), "67s");
}
