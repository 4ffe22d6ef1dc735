/* What hub.c and message.c share: the state of a port. [any] */
#ifndef RTN_HUB_HUB_INTERNAL_H
#define RTN_HUB_HUB_INTERNAL_H

#include "hub/message.h"

/*
 * A port's state: from below, 31 bits with the number of threads that are inside of a send, one that says that it is
 * closed, and 32 with the number of messages that were ever taken, which begins again at 0. Less those that were begun,
 * they wait.
 */
#define RTN_HUB_INSIDE UINT64_C(1)
#define RTN_HUB_INSIDE_MASK UINT64_C(0x7fffffff)
#define RTN_HUB_CLOSED (UINT64_C(1) << 31)
#define RTN_HUB_TAKEN (UINT64_C(1) << 32)

static inline uint32_t rtn_hub_taken(uint64_t state)
{
    return (uint32_t) (state >> 32);
}

/* What it takes of a message's memory. */
static inline size_t rtn_message_size(size_t copied)
{
    return offsetof(struct rtn_message, copy) + copied + 1;
}

/* Something was pushed onto port->arrived, or still waits: the loop is to hear of it, once. */
void rtn_hub_tell(struct rtn_hub_port *port);

#endif
