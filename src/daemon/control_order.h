/* Orders on the control socket. [main] Each ends in the answer, some of them later. */
#ifndef RTN_DAEMON_CONTROL_ORDER_H
#define RTN_DAEMON_CONTROL_ORDER_H

#include "daemon/control_client.h"

/* control_level.c: log levels, and when they return. */
void rtn_control_order_log_level(struct rtn_control_call *call);

/* Levels that were to return stay as they are. The loop must still be there. */
void rtn_control_level_done(struct rtn_daemon *daemon);

/* control_reload.c */
void rtn_control_order_reload(struct rtn_control_call *call);

/* control_order.c */
void rtn_control_order_stop(struct rtn_control_call *call);
void rtn_control_order_drain(struct rtn_control_call *call);

#endif
