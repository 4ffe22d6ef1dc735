/* What a server makes of the routes, clients and modules of its configuration. [main] */
#ifndef RTN_SERVER_SERVER_ROUTES_H
#define RTN_SERVER_SERVER_ROUTES_H

#include "server/server.h"

/*
 * Routes, clients and modules, their instances and policies, and the router. 0; -ENOMEM; -EINVAL after adding errors,
 * of all.
 */
int rtn_server_routes_make(struct rtn_server *server, struct rtn_diags *diags);

/* Also of a server whose routes were made in part, or not at all. */
void rtn_server_routes_free(struct rtn_server *server);

#endif
