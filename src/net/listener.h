/*
 * Listening sockets: bound by main before anything runs, accepted from by the loops. [main] opens and
 * closes; the loops read `sockets` while they run
 */
#ifndef RTN_NET_LISTENER_H
#define RTN_NET_LISTENER_H

#include <sys/types.h>

#include "base/buf.h"
#include "net/activation.h"
#include "net/addr.h"

#define RTN_LISTENER_ALL_LOOPS (-1)

struct rtn_listener {
    struct rtn_listener_socket {
        int fd;
        int loop; /* the loop that accepts from it, or RTN_LISTENER_ALL_LOOPS */
    } * sockets;
    size_t count;
    char *text; /* effective addresses, port 0 resolved: "127.0.0.1:41234"; several joined by a space */
    bool activated; /* the service manager's, which keeps them */
    char *socket_file; /* to be removed on close; NULL: none */
    dev_t socket_device; /* of the socket file as bound: never remove somebody else's */
    ino_t socket_inode;
};

#define RTN_LISTENER_DEFAULT_MODE 0xffffffffU /* of a unix socket: as the umask has it */

/*
 * Opens `address` for `loops` loops: with more than one, TCP gets a socket per loop in a SO_REUSEPORT group;
 * unix and activated sockets are shared. `mode` is of a unix socket file. A stale socket file (nobody accepts)
 * is replaced. Returns 0, or -errno with one sentence in `error` that says what is wrong and what to do.
 */
int rtn_listener_open(const char *address, mode_t mode, unsigned loops, struct rtn_activation *activation,
                      struct rtn_listener **ret, struct rtn_buf *error);

/*
 * Opens and closes again. -EADDRINUSE only says that somebody, maybe this daemon's running self, has the address now.
 */
int rtn_listener_check(const char *address, struct rtn_buf *error);

/*
 * New clients are refused from now on, and the socket file is removed; the descriptors stay open, so that loops that
 * still know them do no harm. Sockets of the service manager are left as they are: clients wait there for whoever is
 * started next. Accepts NULL.
 */
void rtn_listener_stop(struct rtn_listener *listener);

/* Stops and closes. No loop may know the descriptors any more. Accepts NULL. */
void rtn_listener_close(struct rtn_listener *listener);

#endif
