/*
 * Clocks and dates. Dates are made and read by tables of English names and never by strftime or strptime, which
 * follow the locale.
 */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macros.h"

#define SECONDS_PER_DAY 86400
#define DAYS_PER_ERA INT64_C(146097) /* 400 years, after which all days of all months and weeks come again */

static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char long_days[7][10] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
static const char months[12][4] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
};

/* IMF-fixdate, the form of RFC 850, and that of asctime. The letters behind '%' are those of take_part(). */
static const char *const date_forms[] = {
    "%a, %d %b %Y %T GMT",
    "%A, %d-%b-%y %T GMT",
    "%a %b %e %T %Y",
};

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

/*
 * The date of a day that is counted from 1 January of the year -400. Years are counted from March here, so that the day
 * that may be missing is the last one: months of 31 and 30 days alternate then, five of them have 153.
 */
static void set_date(struct tm *tm, int64_t day)
{
    const int64_t since_march = day + DAYS_PER_ERA - 60; /* from 1 March of the year -800 */
    const int of_era = (int) (since_march % DAYS_PER_ERA);
    const int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int of_year = of_era - (365 * year + year / 4 - year / 100);
    const int month = (5 * of_year + 2) / 153; /* 0: March */

    tm->tm_wday = (int) ((day + 6) % 7); /* that day was a Saturday */
    tm->tm_mday = of_year - (153 * month + 2) / 5 + 1;
    tm->tm_mon = month < 10 ? month + 2 : month - 10;
    tm->tm_year = (int) (since_march / DAYS_PER_ERA) * 400 + year + (tm->tm_mon < 2 ? 1 : 0) - 800 - 1900;
}

/*
 * UTC, kept within the years 0 to 9999 so that a year always has four digits. Not by gmtime_r(), which takes a lock
 * that all threads share, and several times as long.
 */
static struct tm utc(time_t when)
{
    const time_t year_0 = -62167219200;
    const time_t year_9999_end = 253402300799;

    when = RTN_MAX(when, year_0);
    when = RTN_MIN(when, year_9999_end);
    const int64_t seconds = when - (year_0 - DAYS_PER_ERA * SECONDS_PER_DAY); /* positive, as all that follows */
    const int of_day = (int) (seconds % SECONDS_PER_DAY);
    struct tm tm = { .tm_hour = of_day / 3600, .tm_min = of_day / 60 % 60, .tm_sec = of_day % 60 };
    set_date(&tm, seconds / SECONDS_PER_DAY);
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

static void put_two_digits(char *at, unsigned value)
{
    at[0] = (char) ('0' + value / 10);
    at[1] = (char) ('0' + value % 10);
}

/* Not by snprintf(), which takes ten times as long: a reply with a file has such a date of its own. */
void rtn_clock_http_date(char out[RTN_HTTP_DATE_SIZE], time_t when)
{
    struct tm tm = utc(when);

    memcpy(out, "Sun, 01 Jan 1970 00:00:00 GMT", RTN_HTTP_DATE_SIZE);
    memcpy(out, days[tm.tm_wday], 3);
    put_two_digits(out + 5, two_digits(tm.tm_mday));
    memcpy(out + 8, months[tm.tm_mon], 3);
    put_two_digits(out + 12, year_digits(&tm) / 100);
    put_two_digits(out + 14, year_digits(&tm) % 100);
    put_two_digits(out + 17, two_digits(tm.tm_hour));
    put_two_digits(out + 20, two_digits(tm.tm_min));
    put_two_digits(out + 23, two_digits(tm.tm_sec));
}

/* The number of exactly `digits` digits at the front of *rest, which is moved past it; -1: there is none. */
static int take_number(struct rtn_str *rest, unsigned digits)
{
    int number = 0;
    if (rest->length < digits)
        return -1;
    for (unsigned i = 0; i < digits; i++) {
        char c = rest->data[i];
        if (c < '0' || c > '9')
            return -1;
        number = number * 10 + (c - '0');
    }
    *rest = (struct rtn_str){ rest->data + digits, rest->length - digits };
    return number;
}

static bool take_char(struct rtn_str *rest, char c)
{
    if (rest->length == 0 || rest->data[0] != c)
        return false;
    *rest = (struct rtn_str){ rest->data + 1, rest->length - 1 };
    return true;
}

/* Index of the one of `count` names, `stride` bytes apart, that *rest begins with; -1: none. */
static int take_name(struct rtn_str *rest, const char *names, size_t stride, int count)
{
    for (int i = 0; i < count; i++) {
        struct rtn_str name = rtn_str_of(names + (size_t) i * stride);
        if (rtn_str_starts_with(*rest, name)) {
            *rest = (struct rtn_str){ rest->data + name.length, rest->length - name.length };
            return i;
        }
    }
    return -1;
}

static bool take_time(struct rtn_str *rest, struct tm *tm)
{
    tm->tm_hour = take_number(rest, 2);
    if (!take_char(rest, ':'))
        return false;
    tm->tm_min = take_number(rest, 2);
    if (!take_char(rest, ':'))
        return false;
    tm->tm_sec = take_number(rest, 2);
    return tm->tm_hour >= 0 && tm->tm_hour < 24 && tm->tm_min >= 0 && tm->tm_min < 60 && tm->tm_sec >= 0 &&
           tm->tm_sec <= 60;
}

/* The century that makes it at most 50 years ahead of now. */
static int full_year(int year)
{
    struct tm today = utc(now(CLOCK_REALTIME).tv_sec);
    int this_year = today.tm_year + 1900;
    int full = this_year - this_year % 100 + year;
    if (full > this_year + 50)
        return full - 100;
    return full <= this_year - 50 ? full + 100 : full;
}

static bool take_year(struct rtn_str *rest, unsigned digits, struct tm *tm)
{
    int year = take_number(rest, digits);
    if (year < 0)
        return false;
    tm->tm_year = (digits == 2 ? full_year(year) : year) - 1900;
    return true;
}

static bool take_part(struct rtn_str *rest, char part, struct tm *tm)
{
    switch (part) {
    case 'a':
        return take_name(rest, days[0], sizeof(days[0]), RTN_ARRAY_LENGTH(days)) >= 0;
    case 'A':
        return take_name(rest, long_days[0], sizeof(long_days[0]), RTN_ARRAY_LENGTH(long_days)) >= 0;
    case 'b':
        tm->tm_mon = take_name(rest, months[0], sizeof(months[0]), RTN_ARRAY_LENGTH(months));
        return tm->tm_mon >= 0;
    case 'd':
        tm->tm_mday = take_number(rest, 2);
        return tm->tm_mday > 0;
    case 'e':
        tm->tm_mday = take_char(rest, ' ') ? take_number(rest, 1) : take_number(rest, 2);
        return tm->tm_mday > 0;
    case 'y':
        return take_year(rest, 2, tm);
    case 'Y':
        return take_year(rest, 4, tm);
    default:
        return take_time(rest, tm);
    }
}

static bool read_date(struct rtn_str text, const char *form, struct tm *tm)
{
    for (; *form != '\0'; form++) {
        bool good = *form == '%' ? take_part(&text, *++form, tm) : take_char(&text, *form);
        if (!good)
            return false;
    }
    return text.length == 0;
}

/* timegm() takes a 31st of February for a day of March. */
static bool day_exists(const struct tm *tm)
{
    struct tm day = { .tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = tm->tm_mday };
    (void) timegm(&day);
    return day.tm_mon == tm->tm_mon;
}

int rtn_clock_parse_http_date(struct rtn_str text, time_t *ret)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(date_forms); i++) {
        struct tm tm = { 0 };
        if (read_date(text, date_forms[i], &tm)) {
            if (!day_exists(&tm))
                return -EINVAL;
            *ret = timegm(&tm);
            return 0;
        }
    }
    return -EINVAL;
}

void rtn_clock_timestamp(char out[RTN_TIMESTAMP_SIZE])
{
    struct timespec ts = now(CLOCK_REALTIME);
    struct tm tm = utc(ts.tv_sec);

    (void) snprintf(out, RTN_TIMESTAMP_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year_digits(&tm),
                    two_digits(tm.tm_mon + 1), two_digits(tm.tm_mday), two_digits(tm.tm_hour), two_digits(tm.tm_min),
                    two_digits(tm.tm_sec), (unsigned) (ts.tv_nsec / 1000000) % 1000U);
}
