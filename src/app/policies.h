/*
 * What is true for the requests and sessions of a place, from its own keys, else from those of its server. They belong
 * to a program and not to an instance, which may outlive the configuration that it was made by. [main]
 */
#ifndef RTN_APP_POLICIES_H
#define RTN_APP_POLICIES_H

#include "app/instance.h"

/* Of requests; of a route with `instance`. */
void rtn_policies_route(const struct rtn_instance *instance, const struct rtn_config_server *server,
                        const struct rtn_config_route *route, struct rtn_policy *ret);

/* Of WebSocket connections; all-zero when the instance has no handler for them. */
void rtn_policies_ws_route(const struct rtn_instance *instance, const struct rtn_config_server *server,
                           const struct rtn_config_route *route, struct rtn_ws_policy *ret);

/* The same of those that a client makes. */
void rtn_policies_ws_client(const struct rtn_instance *instance, const struct rtn_config_client *client,
                            struct rtn_ws_policy *ret);

#endif
