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

struct rtn_fdstore;

struct rtn_listener {
    struct rtn_listener_socket {
        int fd;
        int loop; /* the loop that accepts from it, or RTN_LISTENER_ALL_LOOPS */
        bool inherited; /* others have opened it: clients may have connected before it was known here */
        bool kept; /* the service manager has a copy (listener_keep.h); [main] */
    } * sockets;
    size_t count;
    unsigned references; /* of servers: one takes the sockets of another over; [main] */
    char *address; /* as it was asked for */
    char *text; /* effective addresses, port 0 resolved: "127.0.0.1:41234"; several joined by a space */
    bool activated; /* the service manager's, which keeps them */
    struct rtn_activation *activation; /* where those go back to; NULL: none */
    const struct rtn_fdstore *store; /* of kept ones; NULL: a daemon before this one had them kept, if any are */
    bool stopped; /* new clients are refused */
    char *socket_file; /* to be removed on close; NULL: none */
    dev_t socket_device; /* of the socket file as bound: never remove somebody else's */
    ino_t socket_inode;
    mode_t default_mode; /* of the socket file, as the umask had it */
};

#define RTN_LISTENER_DEFAULT_MODE 0xffffffffU /* of a unix socket: as the umask has it */

/*
 * Opens `address` for `loops` loops: with more than one, TCP gets a socket per loop in a SO_REUSEPORT group;
 * unix and activated sockets are shared. `mode` is of a unix socket file. A stale socket file (nobody accepts)
 * is replaced. Sockets in `activation` that a daemon before this one has left are taken instead of binding, all that
 * have the address, as many as there are. Returns 0, or -errno with one sentence in `error` that says what is wrong and
 * what to do.
 */
int rtn_listener_open(const char *address, mode_t mode, unsigned loops, struct rtn_activation *activation,
                      struct rtn_listener **ret, struct rtn_buf *error);

/*
 * Opens and closes again. -EADDRINUSE only says that somebody, maybe this daemon's running self, has the address now.
 */
int rtn_listener_check(const char *address, struct rtn_buf *error);

/* One more has it. */
struct rtn_listener *rtn_listener_ref(struct rtn_listener *listener);

/*
 * True when loop number `loop` of `loops` accepts from the socket at `index`. Whatever their numbers are, for which the
 * sockets need not have been made, each socket has a loop and each loop a socket: nobody who waits there is forgotten.
 */
bool rtn_listener_is_for(const struct rtn_listener *listener, size_t index, unsigned loop, unsigned loops);

/* The mode of its socket file changes. 0, also without a file, or -errno. */
int rtn_listener_set_mode(const struct rtn_listener *listener, mode_t mode);

/*
 * New clients are refused from now on, unless somebody else has it too, and the socket file is removed; the descriptors
 * stay open, so that loops that still know them do no harm. Sockets of the service manager are left as they are:
 * clients wait there for whoever is started next. The same goes for kept ones, unless their store is serving: it has to
 * forget those. Accepts NULL.
 */
void rtn_listener_stop(struct rtn_listener *listener);

/* One less has it; the last one stops and closes it. No loop may know the descriptors any more. Accepts NULL. */
void rtn_listener_close(struct rtn_listener *listener);

#endif
