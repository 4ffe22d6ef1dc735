/*
 * Connecting to others without waiting: names are looked up on threads of their own, addresses are tried one after the
 * other. [loop] unless a function says otherwise
 */
#ifndef RTN_NET_DIAL_H
#define RTN_NET_DIAL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/un.h>

#include "base/str.h"
#include "log/log.h"
#include "loop/loop.h"

/* Threads that look up names (getaddrinfo), at most 4, started when needed. One for the process. [main] */
struct rtn_resolver;
int rtn_resolver_new(struct rtn_log *log, const _Atomic int *log_level, struct rtn_resolver **ret);

/* Waits for lookups that run, each at most `ms`. All dials must have ended or been cancelled. Accepts NULL. */
void rtn_resolver_free(struct rtn_resolver *resolver, int64_t ms);

struct rtn_dial_target {
    struct rtn_str host; /* a name or an address without brackets */
    int port;
    struct rtn_str path; /* of a unix socket; absent: TCP */
};

struct rtn_dial; /* one attempt, from the name to the connected socket */

/*
 * Begins. The target is copied. done(data, fd, peer, length, NULL) with a connected, non-blocking socket (with
 * TCP_NODELAY), or done(data, -1, NULL, 0, reason) with words for the log ("no such host", "connection refused"),
 * which are valid during the call; once, on the loop, never before this function has returned. NULL when memory is out.
 */
struct rtn_dial *rtn_dial(struct rtn_loop *loop, struct rtn_resolver *resolver, const struct rtn_dial_target *target,
                          void (*done)(void *data, int fd, const struct sockaddr *peer, socklen_t length,
                                       const char *reason),
                          void *data);

/* `done` will not be called. Not from within it. */
void rtn_dial_cancel(struct rtn_dial *dial);

#endif
