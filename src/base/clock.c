/*
 * Clocks and dates. Dates are made from tables of English names and never by strftime, whose output
 * follows the locale.
 */
#include "base/clock.h"

#include <stdio.h>

static struct timespec now(clockid_t id)
{
    struct timespec ts;

    (void) clock_gettime(id, &ts); /* cannot fail for the clocks used here */
    return ts;
}

int64_t rtn_clock_ms(void)
{
    struct timespec ts = now(CLOCK_MONOTONIC);
    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t rtn_clock_us(void)
{
    struct timespec ts = now(CLOCK_MONOTONIC);
    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct timespec rtn_clock_after(clockid_t clock, int64_t ms)
{
    struct timespec ts = now(clock);
    ts.tv_sec += (time_t) (ms / 1000);
    ts.tv_nsec += (long) (ms % 1000) * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

/* UTC, kept within the years 0 to 9999 so that a year always has four digits. */
static struct tm utc(time_t when)
{
    const time_t year_0 = -62167219200;
    const time_t year_9999_end = 253402300799;
    struct tm tm;

    if (when < year_0)
        when = year_0;
    if (when > year_9999_end)
        when = year_9999_end;
    (void) gmtime_r(&when, &tm);
    return tm;
}

/* The remainders never change anything: they tell the compiler that the output fits. */
static unsigned two_digits(int value)
{
    return (unsigned) value % 100U;
}

static unsigned year_digits(const struct tm *tm)
{
    return (unsigned) (tm->tm_year + 1900) % 10000U;
}

void rtn_clock_http_date(char out[RTN_HTTP_DATE_SIZE], time_t when)
{
    static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    struct tm tm = utc(when);

    (void) snprintf(out, RTN_HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT", days[tm.tm_wday],
                    two_digits(tm.tm_mday), months[tm.tm_mon], year_digits(&tm), two_digits(tm.tm_hour),
                    two_digits(tm.tm_min), two_digits(tm.tm_sec));
}

void rtn_clock_timestamp(char out[RTN_TIMESTAMP_SIZE])
{
    struct timespec ts = now(CLOCK_REALTIME);
    struct tm tm = utc(ts.tv_sec);

    (void) snprintf(out, RTN_TIMESTAMP_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year_digits(&tm),
                    two_digits(tm.tm_mon + 1), two_digits(tm.tm_mday), two_digits(tm.tm_hour), two_digits(tm.tm_min),
                    two_digits(tm.tm_sec), (unsigned) (ts.tv_nsec / 1000000) % 1000U);
}
