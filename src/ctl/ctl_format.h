/* Numbers as people read them, short. Each writes into `out` and returns it. [any] */
#ifndef RTN_CTL_CTL_FORMAT_H
#define RTN_CTL_CTL_FORMAT_H

#include <stdint.h>

#define RTN_CTL_FORMAT_MAX 32

/* "512 B", "9.0 MiB": at most four digits. */
char *rtn_ctl_bytes(char out[RTN_CTL_FORMAT_MAX], int64_t bytes);

/* "0", "7.5", "812", "12.3k", "4.6M". */
char *rtn_ctl_count(char out[RTN_CTL_FORMAT_MAX], double count);

/* Milliseconds since something: "250ms", "7s", "1m 47s", "3h 2m", "12d 4h". */
char *rtn_ctl_age(char out[RTN_CTL_FORMAT_MAX], int64_t ms);

/* A time that something takes, in microseconds: "84us", "1.5ms", "2.1s". */
char *rtn_ctl_time(char out[RTN_CTL_FORMAT_MAX], int64_t us);

#endif
