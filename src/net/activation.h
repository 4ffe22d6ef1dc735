/*
 * Sockets handed over by the service manager (sd_listen_fds(3)): found by name, each used once. [main]
 */
#ifndef RTN_NET_ACTIVATION_H
#define RTN_NET_ACTIVATION_H

#include <stddef.h>

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

/* The names there are, comma-separated, for messages: malloc'ed, "" when none; NULL when memory is out. */
char *rtn_activation_names(const struct rtn_activation *activation);

/* Closes what nobody took. */
void rtn_activation_done(struct rtn_activation *activation);

#endif
