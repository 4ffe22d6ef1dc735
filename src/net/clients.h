/*
 * What the clients of one server are doing, by address: how many connections each has open, and a token bucket of
 * requests for each. An IPv6 client is its /64, since it may have all of that. [any thread]
 *
 * Memory is bounded: a client is remembered while it has connections open or its bucket is not full again, and of those
 * without connections a fixed number at most.
 */
#ifndef RTN_NET_CLIENTS_H
#define RTN_NET_CLIENTS_H

#include "base/cidr.h"

struct rtn_clients;

struct rtn_clients_limits {
    unsigned connections; /* at once; 0: no limit */
    unsigned rate; /* requests per second; 0: no limit */
    unsigned burst; /* requests that may come at once; at least 1 */
};

/* 0 or -ENOMEM. */
int rtn_clients_new(const struct rtn_clients_limits *limits, struct rtn_clients **ret);

/* Accepts NULL. Nobody else may be using it. */
void rtn_clients_free(struct rtn_clients *clients);

/*
 * A connection was opened. True when it counts, and rtn_clients_close() has to come for it; false when the client has
 * as many as it may. Out of memory counts as having too many.
 */
bool rtn_clients_open(struct rtn_clients *clients, const struct rtn_ip *address, int64_t now_ms);
void rtn_clients_close(struct rtn_clients *clients, const struct rtn_ip *address, int64_t now_ms);

/* False: rtn_clients_request() is 0. */
bool rtn_clients_limit_requests(const struct rtn_clients *clients);

/* A request, of a client with or without connections of its own. 0, or the milliseconds until one would be taken. */
int64_t rtn_clients_request(struct rtn_clients *clients, const struct rtn_ip *address, int64_t now_ms);

/* Other limits from now on. What is known of clients stays, connections that were opened without a limit do not count.
 */
void rtn_clients_tune(struct rtn_clients *clients, const struct rtn_clients_limits *limits);

/* There is a limit of connections now: one that is opened counts. */
bool rtn_clients_counts(const struct rtn_clients *clients);

/* How many clients are remembered. */
size_t rtn_clients_count(struct rtn_clients *clients);

#endif
