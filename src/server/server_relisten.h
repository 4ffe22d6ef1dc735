/*
 * The addresses of a running server change: those that stay keep their sockets, with whoever waits there, new ones are
 * bound before anything else happens, and those that go take what waits and are closed. [main]
 */
#ifndef RTN_SERVER_SERVER_RELISTEN_H
#define RTN_SERVER_SERVER_RELISTEN_H

#include "server/server.h"

/* No loop has a socket any more that has gone. */
typedef void (*rtn_server_relisten_done)(struct rtn_server *server, void *data);

/*
 * Binds what `config` has and the server has not; it has as many loops. Nothing changes yet. 0, or -EINVAL after adding
 * errors at their lines; then all is undone.
 */
int rtn_server_relisten(struct rtn_server *server, const struct rtn_config_server *config, struct rtn_diags *diags);

/* Undoes that. Also of a server where nothing was begun. */
void rtn_server_relisten_undo(struct rtn_server *server);

/* The loops accept from the new sockets. The server must have a change begun. Cannot fail. */
void rtn_server_relisten_commit(struct rtn_server *server, rtn_server_relisten_done done, void *data);

/*
 * Before a server is drained whose sockets, all or some, another one has taken over: what waits there is left to that
 * one.
 */
void rtn_server_hand_over(struct rtn_server *server);

#endif
