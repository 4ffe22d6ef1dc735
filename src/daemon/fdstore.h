/* The service manager keeps the listening sockets beyond the life of the process: net/listener_keep.h. [main] */
#ifndef RTN_DAEMON_FDSTORE_H
#define RTN_DAEMON_FDSTORE_H

struct rtn_daemon;

/*
 * The listeners that there are now are kept; sockets that a daemon before this one has left and nobody wants are given
 * up. To be called when all listen, before the manager is told so, and whenever listeners have come.
 */
void rtn_fdstore_update(struct rtn_daemon *daemon);

/* The daemon stops: whatever is kept stays for the next one, which may be started already. */
void rtn_fdstore_leave(struct rtn_daemon *daemon);

#endif
