/* Slots and the references that they stand for. */
#include "app/slots.h"

#include <stdlib.h>

struct rtn_slot *rtn_slots_make(struct rtn_connection *connection, struct rtn_instance *instance)
{
    struct rtn_slot *slot = rtn_connection_slot(connection, instance);
    if (slot != NULL)
        return slot;
    slot = rtn_connection_make_slot(connection, instance);
    if (slot != NULL && !connection->outgoing)
        rtn_instance_ref(instance);
    return slot;
}

void rtn_slots_end_first(struct rtn_connection *connection)
{
    struct rtn_slot *slot = connection->slots;
    struct rtn_instance *instance = slot->key;
    connection->slots = slot->next;
    free(slot);
    if (!connection->outgoing)
        rtn_instance_unref(instance);
}
