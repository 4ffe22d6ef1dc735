#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/clock.h"
#include "base/macros.h"

struct date_case {
    time_t when;
    const char *text;
};

Test(clock, http_date)
{
    static const struct date_case cases[] = {
        { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },    { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },    { 2147483647, "Tue, 19 Jan 2038 03:14:07 GMT" },
        { 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT" },   { -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
        { 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" }, { 253402300800, "Fri, 31 Dec 9999 23:59:59 GMT" },
        { INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT" },    { INT64_MIN, "Sat, 01 Jan 0000 00:00:00 GMT" },
    };
    char text[RTN_HTTP_DATE_SIZE];

    (void) setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cases); i++) {
        rtn_clock_http_date(text, cases[i].when);
        cr_expect_str_eq(text, cases[i].text);
    }
}

Test(clock, timestamp_is_now)
{
    char text[RTN_TIMESTAMP_SIZE];
    struct tm tm = { 0 };
    time_t before = time(NULL);

    rtn_clock_timestamp(text);
    time_t after = time(NULL);
    cr_assert_eq(strlen(text), RTN_TIMESTAMP_SIZE - 1);
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    cr_assert_not_null(rest);
    cr_assert_eq(rest[0], '.');
    cr_assert_eq(strspn(rest + 1, "0123456789"), 3);
    cr_assert_str_eq(rest + 4, "Z");
    /* time() may be served from a clock that lags by a tick. */
    cr_assert(timegm(&tm) >= before - 1 && timegm(&tm) <= after + 1);
}

Test(clock, monotonic_units_agree)
{
    int64_t ms = rtn_clock_ms();
    int64_t us = rtn_clock_us();
    int64_t ms_later = rtn_clock_ms();

    cr_assert_geq(us / 1000, ms);
    cr_assert_leq(us / 1000, ms_later);
}

Test(clock, after_carries_into_seconds_and_is_never_before_now)
{
    static const int64_t waits[] = { 0, 1, 999, 1000, 1999, 86400000 };

    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        int64_t before = rtn_clock_ms();
        struct timespec when = rtn_clock_after(CLOCK_MONOTONIC, waits[i]);
        int64_t when_ms = (int64_t) when.tv_sec * 1000 + when.tv_nsec / 1000000;
        cr_expect_geq(when_ms, before + waits[i]);
        cr_expect_leq(when_ms, rtn_clock_ms() + waits[i]);
        cr_expect(when.tv_nsec >= 0 && when.tv_nsec < 1000000000);
    }
}

Test(clock, reads_all_three_forms_of_dates)
{
    static const struct date_case cases[] = {
        { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
        { 784111777, "Sunday, 06-Nov-94 08:49:37 GMT" },
        { 784111777, "Sun Nov  6 08:49:37 1994" },
        { 784975777, "Wed Nov 16 08:49:37 1994" },
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
        { 951782400, "Tuesday, 29-Feb-00 00:00:00 GMT" },
        { -1, "Wed, 31 Dec 1969 23:59:59 GMT" },
        { 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
        { 1483228800, "Sat, 31 Dec 2016 23:59:60 GMT" },
        { 784111777, "Mon, 06 Nov 1994 08:49:37 GMT" },
    };

    (void) setenv("TZ", "Asia/Tokyo", 1);
    tzset();
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cases); i++) {
        time_t when = -7;
        cr_expect_eq(rtn_clock_parse_http_date(rtn_str_of(cases[i].text), &when), 0, "%s", cases[i].text);
        cr_expect_eq(when, cases[i].when, "%s", cases[i].text);
    }
}

Test(clock, refuses_what_is_no_date_of_http)
{
    static const char *const texts[] = {
        "",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06 Nov 19x4 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  0 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(texts); i++) {
        time_t when = -7;
        cr_expect_eq(rtn_clock_parse_http_date(rtn_str_of(texts[i]), &when), -EINVAL, "%s", texts[i]);
        cr_expect_eq(when, -7);
    }
    time_t when = -7;
    cr_expect_eq(rtn_clock_parse_http_date((struct rtn_str){ 0 }, &when), -EINVAL);
}

/* Every year of two digits is the one from 49 years ago to 50 years ahead that ends so. */
Test(clock, two_digits_of_a_year_are_the_nearest)
{
    time_t today = time(NULL);
    struct tm now;

    (void) gmtime_r(&today, &now);
    for (int year = now.tm_year + 1900 - 49; year <= now.tm_year + 1900 + 50; year++) {
        char text[64];
        time_t when = 0;
        struct tm tm;
        (void) snprintf(text, sizeof(text), "Sunday, 01-Mar-%02d 00:00:00 GMT", year % 100);
        cr_expect_eq(rtn_clock_parse_http_date(rtn_str_of(text), &when), 0);
        (void) gmtime_r(&when, &tm);
        cr_expect_eq(tm.tm_year + 1900, year, "%s", text);
    }
}

/* What is written is read back, over 400 years in odd steps. */
Test(clock, dates_survive_a_round_trip)
{
    for (time_t when = -6000000000; when < 7000000000; when += 3333333) {
        char text[RTN_HTTP_DATE_SIZE];
        time_t again = 0;
        rtn_clock_http_date(text, when);
        cr_assert_eq(rtn_clock_parse_http_date(rtn_str_of(text), &again), 0, "%s", text);
        cr_assert_eq(again, when, "%s", text);
    }
}

/* The C library knows the calendar, too. */
static void expect_date_of_library(time_t when)
{
    char text[RTN_HTTP_DATE_SIZE];
    char expected[64];
    struct tm tm;
    rtn_clock_http_date(text, when);
    cr_assert_not_null(gmtime_r(&when, &tm));
    (void) snprintf(expected, sizeof(expected), "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                    &"SunMonTueWedThuFriSat"[3 * tm.tm_wday], tm.tm_mday,
                    &"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                    tm.tm_sec);
    cr_assert_str_eq(text, expected);
}

/* After 400 years all days come again. Less than a day at a time, so that the time of day changes, too. */
Test(clock, every_day_of_the_calendar_has_its_date)
{
    const time_t step = 86399;
    const time_t era = (time_t) 146097 * 86400;
    const time_t starts[] = { -62167219200, -era, 0, 253402300799 - era };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(starts); i++) {
        for (time_t at = 0; at <= era; at += step)
            expect_date_of_library(starts[i] + at);
    }
    expect_date_of_library(253402300799);
}
