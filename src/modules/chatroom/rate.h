/* A token bucket: how fast one connection may talk. [owner's thread] */
#ifndef CHATROOM_RATE_H
#define CHATROOM_RATE_H

#include <stdint.h>

struct rate {
    int64_t per_second;
    int64_t burst; /* so many at once when it was quiet before */
    int64_t tokens; /* thousandths */
    int64_t then_ms;
    int64_t refused; /* since the bucket was full */
};

void rate_init(struct rate *rate, int64_t per_second, int64_t burst);

/* 0: go on; else the milliseconds after which the next one will be taken. */
int64_t rate_take(struct rate *rate);

/* Milliseconds of a clock that is never set. */
int64_t rate_now_ms(void);

#endif
