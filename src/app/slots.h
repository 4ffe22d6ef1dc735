/*
 * What instances keep on connections, and with it a reference of the instance: it is told of the end of the connection.
 * Those of outgoing connections are held by the order of the connection already. [owner's thread]
 */
#ifndef RTN_APP_SLOTS_H
#define RTN_APP_SLOTS_H

#include "app/instance.h"
#include "proto/connection.h"

/* The slot of the instance, made when missing; NULL when memory is out. */
struct rtn_slot *rtn_slots_make(struct rtn_connection *connection, struct rtn_instance *instance);

/* The first of the connection is done with. */
void rtn_slots_end_first(struct rtn_connection *connection);

#endif
