/*
 * What has happened between two pictures that the daemon gave of itself (GET /status.json): rates and latencies of
 * servers and routes. [main]
 */
#ifndef RTN_CTL_CTL_RATES_H
#define RTN_CTL_CTL_RATES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Names point into the later picture. */
struct rtn_ctl_rate {
    const char *server;
    const char *route; /* NULL: of the server as a whole */
    double requests; /* a second, as all that are no counts */
    double errors; /* of them, answered with 5xx or not at all */
    int64_t p50_us; /* of requests in between; 0: there were none */
    int64_t p99_us;
    double load; /* requests at work at the same time, on average */
    /* Of servers only: */
    bool up; /* else it has stopped */
    int64_t running; /* workers */
    int64_t workers; /* there may be; 0: none */
    int64_t beside; /* of those running: stuck, and others work in their place */
    int64_t queued; /* tasks and messages that wait */
    int64_t http; /* connections, as the next two */
    int64_t websocket;
    int64_t line;
    double messages; /* and lines, in and out */
    double in; /* bytes */
    double out;
    int64_t stalls; /* since the start */
};

struct rtn_ctl_rates {
    double seconds; /* between the pictures; 0: there is only one, and nothing has a rate */
    double cpu; /* processors in use */
    struct rtn_ctl_rate *servers;
    size_t server_count;
    struct rtn_ctl_rate *routes; /* of all servers, those that did nothing too */
    size_t route_count;
};

enum rtn_ctl_order { RTN_CTL_BY_REQUESTS, RTN_CTL_BY_P99, RTN_CTL_BY_ERRORS, RTN_CTL_BY_NAME, RTN_CTL_ORDERS };

/* `before` may be NULL, or of a daemon that ran before this one: then there are no rates. Aborts without memory. */
void rtn_ctl_rates_make(const json_t *before, const json_t *now, struct rtn_ctl_rates *ret);
void rtn_ctl_rates_done(struct rtn_ctl_rates *rates);

/* The most first, names by the alphabet. */
void rtn_ctl_rates_sort(struct rtn_ctl_rate *rates, size_t count, enum rtn_ctl_order order);

/* The value that `share` (0 to 1) of what came in between is not above: the end of its bucket; 0: nothing came. */
int64_t rtn_ctl_percentile(const json_t *before, const json_t *now, double share);

#endif
