/* What hub.c and message.c share: the state of a port. [any] */
#ifndef RTN_HUB_HUB_INTERNAL_H
#define RTN_HUB_HUB_INTERNAL_H

#include "hub/message.h"

/*
 * A port's state: from below, 32 bits with the number of messages that were taken and not begun, 31 with the number of
 * threads that are inside of a send, and one that says that it is closed.
 */
#define RTN_HUB_WAITING_MASK UINT64_C(0xffffffff)
#define RTN_HUB_INSIDE (UINT64_C(1) << 32)
#define RTN_HUB_INSIDE_MASK (UINT64_C(0x7fffffff) << 32)
#define RTN_HUB_CLOSED (UINT64_C(1) << 63)

/* Something was pushed onto port->arrived, or still waits: the loop is to hear of it, once. */
void rtn_hub_tell(struct rtn_hub_port *port);

#endif
