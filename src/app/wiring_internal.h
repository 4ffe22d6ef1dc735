/* What the files of wirings share. [main] */
#ifndef RTN_APP_WIRING_INTERNAL_H
#define RTN_APP_WIRING_INTERNAL_H

#include "app/inbox.h"
#include "app/wiring.h"
#include "base/map.h"

struct rtn_wiring_sender {
    struct rtn_wiring_party party;
    const char *server; /* its name, which outlives a server that is stopped */
    struct rtn_wiring_sender *next;
};

/* One type. */
struct rtn_wire {
    struct rtn_hub_type *type;
    struct rtn_wiring_party declared; /* by whom first */
    struct rtn_wiring_party owner; /* instance is NULL: none */
    const char *to; /* the name of its server; NULL: none */
    struct rtn_wiring_sender *senders; /* in the order of the configuration */
    struct rtn_hub_port *port; /* of the owner, as the next */
    struct rtn_receiver *receiver;
    bool early; /* published by prepare */
};

struct rtn_wiring {
    struct rtn_hub *hub;
    struct rtn_map wires; /* by name, in the order in which they were declared */
    bool committed;
    struct rtn_arena arena;
};

static inline struct rtn_wire *rtn_wiring_at(const struct rtn_wiring *wiring, size_t index)
{
    return wiring->wires.entries[index].value;
}

/* wiring_text.c: 40 bytes, version 2, answer 16 bytes */
void rtn_wiring_append_shape(struct rtn_buf *out, const struct rtn_hub_shape *shape, bool version);

#endif
