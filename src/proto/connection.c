/* What handlers can ask of a connection: their slot on it, and the peer's address. */
#include "proto/connection.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "proto/http1_internal.h"

struct rtn_slot *rtn_connection_slot(const struct rtn_connection *connection, const void *key)
{
    struct rtn_slot *slot = connection->slots;
    while (slot != NULL && slot->key != key)
        slot = slot->next;
    return slot;
}

struct rtn_slot *rtn_connection_make_slot(struct rtn_connection *connection, void *key)
{
    struct rtn_slot *slot = rtn_connection_slot(connection, key);
    if (slot != NULL)
        return slot;
    slot = malloc(sizeof(*slot));
    if (slot == NULL)
        return NULL;
    *slot = (struct rtn_slot){ .next = connection->slots, .key = key, .connection = connection };
    connection->slots = slot;
    return slot;
}

bool rtn_connection_is_gone(const struct rtn_connection *connection)
{
    if (connection->broken != 0 || connection->stream.fd < 0 || rtn_http1_is_taken(connection))
        return true;
    struct pollfd poller = { .fd = connection->stream.fd, .events = POLLRDHUP };
    return poll(&poller, 1, 0) > 0 && (poller.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

const char *rtn_connection_peer_text(struct rtn_connection *connection)
{
    if (connection->peer_text != NULL)
        return connection->peer_text;
    if (connection->peer.any.sa_family == AF_UNSPEC)
        return ""; /* an outgoing one that did not get so far */
    if (connection->peer.any.sa_family != AF_INET && connection->peer.any.sa_family != AF_INET6)
        return "unix:";
    char text[RTN_ADDR_TEXT_SIZE];
    rtn_addr_format(text, &connection->peer.any, connection->peer_length);
    connection->peer_text = strdup(text);
    return connection->peer_text != NULL ? connection->peer_text : "";
}
