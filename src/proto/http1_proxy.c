/*
 * The PROXY header in front of a connection's first request. It is read into the buffer of that request, which begins
 * behind it. Only trusted peers of listeners with proxy_protocol send it, and they have to; it replaces the peer.
 */
#include <stdlib.h>

#include "proto/http1_internal.h"
#include "proto/proxy_protocol.h"

static void set_peer(struct rtn_connection *connection, const struct rtn_proxy_header *header)
{
    free(connection->peer_text);
    connection->peer_text = NULL;
    rtn_connection_set_peer(connection, (const struct sockaddr *) &header->source, header->address_length);
    /* "unix" among the trusted is about sockets of this machine, not about those that a proxy tells of. */
    connection->trusted = connection->peer.any.sa_family != AF_UNIX && rtn_http1_is_trusted(connection);
}

bool rtn_http1_read_proxy(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    struct rtn_proxy_header header;
    const char *problem = NULL;
    enum rtn_proxy_result result =
        rtn_proxy_parse(request->buffer + request->start, request->end - request->start, &header, &problem);
    if (result == RTN_PROXY_MORE)
        return false;
    if (result == RTN_PROXY_BROKEN) {
        rtn_http1_close(connection, RTN_CLOSE_PROTOCOL, problem);
        return false;
    }
    connection->expects_proxy = false;
    request->start += header.length;
    request->parsed = request->start;
    if (!header.local)
        set_peer(connection, &header);
    rtn_http1_set_deadline(connection, rtn_http1_timeouts(connection->http)->header);
    return rtn_http1_admit(connection) && !rtn_http1_give_back_unused(connection);
}
