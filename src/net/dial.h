/*
 * Connecting to others without waiting: names are looked up on threads of their own, addresses are tried one after the
 * other. [loop]
 */
#ifndef RTN_NET_DIAL_H
#define RTN_NET_DIAL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/un.h>

#include "net/resolver.h"

struct rtn_dial_target {
    struct rtn_str host; /* a name or an address without brackets */
    int port;
    struct rtn_str path; /* of a unix socket; absent: TCP */
};

struct rtn_dial; /* one attempt, from the name to the connected socket */

/*
 * Begins. The target is copied. done(data, fd, peer, length, NULL) with a connected, non-blocking socket (with
 * TCP_NODELAY), which is the receiver's, or done(data, -1, NULL, 0, reason) with words for the log ("no such host",
 * "connection refused"); peer and reason are valid during the call, and the dial has ended with it. Once, on the loop,
 * never before this function has returned. NULL when memory is out.
 */
struct rtn_dial *rtn_dial(struct rtn_loop *loop, struct rtn_resolver *resolver, const struct rtn_dial_target *target,
                          void (*done)(void *data, int fd, const struct sockaddr *peer, socklen_t length,
                                       const char *reason),
                          void *data);

/* `done` will not be called. Not from within it. */
void rtn_dial_cancel(struct rtn_dial *dial);

#endif
