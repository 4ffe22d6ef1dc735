/*
 * The control socket: who may connect, how many, and where its file is. [main]
 */
#ifndef RTN_DAEMON_CONTROL_SOCKET_H
#define RTN_DAEMON_CONTROL_SOCKET_H

#include <stdbool.h>

struct rtn_daemon;
struct rtn_control_socket;

/* Binds it, when there is to be one. False after an error was added to the daemon's diagnostics. */
bool rtn_control_socket_open(struct rtn_daemon *daemon);

/* For -n: adds an error when it could not be bound, a warning when it is in use; makes no file. */
void rtn_control_socket_check(struct rtn_daemon *daemon);

/* Clients are served from now on, on main's loop. No effect without a socket, as the next. */
void rtn_control_socket_start(struct rtn_daemon *daemon);

/* Its file goes away, and new clients are refused. May come twice, and from a daemon that has to end at once. */
void rtn_control_socket_stop(struct rtn_daemon *daemon);

/* Stops it, drops its clients, and frees it. The loop must still be there. */
void rtn_control_socket_done(struct rtn_daemon *daemon);

#endif
