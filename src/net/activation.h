/*
 * Sockets handed over by the service manager (sd_listen_fds(3)), each used once: those of its own socket units are
 * found by name; those that a daemon before this one left with it (listener_keep.h), by the address they are bound to.
 * [main]
 */
#ifndef RTN_NET_ACTIVATION_H
#define RTN_NET_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#define RTN_ACTIVATION_KEPT "listen-" /* begins the names of sockets that a daemon has left */

struct rtn_activation {
    struct rtn_activation_socket {
        char *name;
        int fd;
    } * sockets;
    size_t count;
};

/*
 * Reads LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, removes them from the environment, and marks the
 * descriptors close-on-exec. No sockets (count 0) when the variables are not for this process. 0 or -errno.
 */
int rtn_activation_read(struct rtn_activation *ret);

/* The next unused listening stream socket called `name`: its descriptor, now the caller's; -1 when there is none. */
int rtn_activation_take(struct rtn_activation *activation, const char *name);

/*
 * The next unused listening socket that was left and is bound to the address, now the caller's; -1 when there is none.
 * `v6_only`: what IPV6_V6ONLY has to be; -1: any. `activation` may be NULL.
 */
int rtn_activation_take_bound(struct rtn_activation *activation, const struct sockaddr *address, socklen_t length,
                              int v6_only);

/*
 * Sockets that were left, are unused, and are in the way of who binds the address, listen no more. True when there was
 * one. `activation` may be NULL.
 */
bool rtn_activation_evict(struct rtn_activation *activation, const struct sockaddr *address);

/* Closes the unused sockets that were left, after refusing their clients; `unwanted` gets the name of each. */
void rtn_activation_drop(struct rtn_activation *activation, void (*unwanted)(const char *name));

/* Such a socket is not used any more: the next who asks gets it. */
void rtn_activation_give(struct rtn_activation *activation, const char *name, int fd);

/* The names there are, comma-separated, for messages: malloc'ed, "" when none; NULL when memory is out. */
char *rtn_activation_names(const struct rtn_activation *activation);

/* Closes what nobody took. */
void rtn_activation_done(struct rtn_activation *activation);

#endif
