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

void rtn_connection_set_peer(struct rtn_connection *connection, const struct sockaddr *peer, socklen_t length)
{
    memset(&connection->peer, 0, sizeof(connection->peer));
    if (length > 0 && peer->sa_family == AF_UNIX)
        length = sizeof(peer->sa_family);
    memcpy(&connection->peer, peer, RTN_MIN((size_t) length, sizeof(connection->peer)));
}

void rtn_connection_format_peer(const struct rtn_connection *connection, char out[RTN_ADDR_TEXT_SIZE])
{
    const struct sockaddr *peer = &connection->peer.any;
    out[0] = '\0';
    if (peer->sa_family != AF_UNSPEC) /* an outgoing one that did not get so far */
        rtn_addr_format(out, peer, peer->sa_family == AF_UNIX ? sizeof(peer->sa_family) : sizeof(connection->peer));
}

const char *rtn_connection_peer_text(struct rtn_connection *connection)
{
    char text[RTN_ADDR_TEXT_SIZE];
    sa_family_t family = connection->peer.any.sa_family;
    if (connection->peer_text != NULL)
        return connection->peer_text;
    if (family != AF_INET && family != AF_INET6)
        return family == AF_UNSPEC ? "" : "unix:";
    rtn_connection_format_peer(connection, text);
    connection->peer_text = strdup(text);
    return connection->peer_text != NULL ? connection->peer_text : "";
}
