/*
 * Line servers: standard input and output as a connection, which is there once, and which connections there are.
 */
#include <string.h>

#include "net/stdio_bridge.h"
#include "proto/session_send.h"
#include "server/server_loop.h"

bool rtn_server_is_stdio(const struct rtn_config_listen *listen)
{
    return strcmp(listen->address, "stdio") == 0;
}

static bool has_stdio(const struct rtn_config_server *config)
{
    const struct rtn_config_listen *listen = config->listen.items;
    for (size_t i = 0; i < config->listen.count; i++) {
        if (rtn_server_is_stdio(&listen[i]))
            return true;
    }
    return false;
}

void rtn_server_stdio_open(struct rtn_server_loop *loop)
{
    if (has_stdio(loop->http.terms->config))
        rtn_server_stdio_begin(loop);
}

void rtn_server_stdio_begin(struct rtn_server_loop *loop)
{
    int fd = -1;
    if (loop->index != 0 || loop->accept.stdio != NULL)
        return;
    int r = rtn_stdio_bridge_new(&loop->accept.stdio, &fd);
    if (r == 0)
        r = rtn_http1_accept_stdio(&loop->http, fd);
    if (r < 0)
        rtn_log(RTN_LOG_ERROR, "standard input and output cannot be served: %s", strerror(-r));
}

size_t rtn_server_list_sessions(const struct rtn_server *server, unsigned kinds, bool accepted, bool outgoing,
                                uint64_t *ids, size_t capacity)
{
    size_t room = ids != NULL ? capacity : 0;
    size_t found = 0;
    for (unsigned i = 0; i < server->loop_count; i++) {
        size_t skip = RTN_MIN(found, room);
        found += rtn_session_list(&server->loops[i].http, kinds, accepted, outgoing, skip > 0 ? ids + skip : ids,
                                  room - skip);
    }
    return found;
}

size_t rtn_line_connections(const rtn_server *server, uint64_t *connections, size_t capacity)
{
    return rtn_server_list_sessions(server, RTN_SESSION_LINE, true, false, connections, capacity);
}
