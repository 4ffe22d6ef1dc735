/* Monotonic and wall-clock time, and the dates of HTTP. [any] */
#ifndef RTN_BASE_CLOCK_H
#define RTN_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

#include "base/str.h"

/* CLOCK_MONOTONIC. */
int64_t rtn_clock_ms(void);
int64_t rtn_clock_us(void);

/* The absolute time `ms` from now (0 or more) on `clock`, as the timed waits of POSIX want it. */
struct timespec rtn_clock_after(clockid_t clock, int64_t ms);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate, RFC 9110, 5.6.7), NUL-terminated, independent of the locale. */
#define RTN_HTTP_DATE_SIZE 30
void rtn_clock_http_date(char out[RTN_HTTP_DATE_SIZE], time_t when);

/*
 * Reads a date of HTTP in any of its three forms (RFC 9110, 5.6.7). A year of two digits is taken as one that is at
 * most 50 years ahead of now. -EINVAL for anything else; whether the day of the week is the right one is not looked at.
 */
int rtn_clock_parse_http_date(struct rtn_str text, time_t *ret);

/* "2026-11-21T08:49:37.123Z" (RFC 3339), NUL-terminated, UTC, of CLOCK_REALTIME now. */
#define RTN_TIMESTAMP_SIZE 25
void rtn_clock_timestamp(char out[RTN_TIMESTAMP_SIZE]);

#endif
