/* A token is a thousand, so that a millisecond fills in `per_second` of them and nothing is lost by rounding. */
#include "rate.h"

#include <time.h>

#define TOKEN 1000

int64_t rate_now_ms(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void rate_init(struct rate *rate, int64_t per_second, int64_t burst)
{
    *rate = (struct rate){ .per_second = per_second, .burst = burst };
    rate->tokens = burst * TOKEN;
    rate->then_ms = rate_now_ms();
}

static void refill(struct rate *rate)
{
    int64_t now_ms = rate_now_ms();
    int64_t full = rate->burst * TOKEN;
    int64_t passed = now_ms - rate->then_ms;
    rate->then_ms = now_ms;
    /* Compared before it is multiplied: a connection may have been silent for ever. */
    if (passed >= (full - rate->tokens) / rate->per_second + 1) {
        rate->tokens = full;
        rate->refused = 0;
        return;
    }
    rate->tokens += passed * rate->per_second;
}

int64_t rate_take(struct rate *rate)
{
    refill(rate);
    if (rate->tokens >= TOKEN) {
        rate->tokens -= TOKEN;
        return 0;
    }
    rate->refused++;
    return (TOKEN - rate->tokens) / rate->per_second + 1;
}
