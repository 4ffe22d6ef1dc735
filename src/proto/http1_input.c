/*
 * Reading: one recv() per event, into the buffer of the request. A read that does not fill the buffer has emptied the
 * socket, so nobody asks again.
 */
#include <errno.h>
#include <sys/socket.h>

#include "proto/http1_internal.h"

#define FIRST_READ 2048 /* least room offered to a read */
#define MOST_READ 65536 /* so that one client with much to say does not hold up the others */

/*
 * The rest of the body when its length is known, so that a large one is not copied often. Handlers keep what they were
 * told about the head: from the first piece on nothing moves, and there is room whenever the pieces were consumed.
 */
int rtn_http1_make_room(struct rtn_request *request)
{
    if (request->stage < RTN_REQUEST_BODY)
        return rtn_request_make_room(request, FIRST_READ);
    size_t wanted = FIRST_READ;
    bool streamed = request->policy->request_body == RTN_BODY_STREAMED;
    if (streamed && request->active)
        return request->end < request->capacity ? 0 : -ENOMEM;
    if (request->stage == RTN_REQUEST_BODY && request->policy->request_body != RTN_BODY_NONE) {
        if (!request->coding_seen)
            wanted = (size_t) RTN_MIN(request->body_left, (uint64_t) MOST_READ);
        else if (streamed || request->body_received > FIRST_READ)
            wanted = MOST_READ;
    }
    return rtn_request_make_room(request, RTN_MAX(wanted, 1U));
}

ssize_t rtn_http1_receive(struct rtn_request *request)
{
    ssize_t n;
    do {
        n = recv(request->connection->stream.fd, request->buffer + request->end,
                 RTN_MIN(request->capacity - request->end, MOST_READ), 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    rtn_stats_count(RTN_STATS_BYTES_IN, (uint64_t) n);
    request->end += (size_t) n;
    return n;
}

struct rtn_request *rtn_http1_own_request(struct rtn_connection *connection)
{
    if (connection->request == NULL) {
        connection->request = rtn_http1_take_request(connection->http);
        if (connection->request != NULL)
            connection->request->connection = connection;
    }
    return connection->request;
}

bool rtn_http1_give_back_unused(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    if (request->stage != RTN_REQUEST_EMPTY || request->end != request->start)
        return false;
    rtn_http1_give_unused_request(connection->http, request);
    connection->request = NULL;
    return true;
}

static void on_end_of_input(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    if (request != NULL && request->active)
        rtn_http1_give_up(connection, 0, "the client closed the connection in the middle of a request", true,
                          RTN_CLOSE_LOST);
    else if (request == NULL || request->stage == RTN_REQUEST_EMPTY)
        rtn_http1_close(connection, RTN_CLOSE_CLIENT, "the client closed the connection");
    else
        rtn_http1_close(connection, RTN_CLOSE_LOST, "the client closed the connection in the middle of a request");
}

static void on_read_error(struct rtn_connection *connection, int error)
{
    bool reset = error == -ECONNRESET || error == -EPIPE;
    enum rtn_close_cause cause = reset ? RTN_CLOSE_LOST : RTN_CLOSE_NETWORK;
    const char *detail = reset ? "the client reset the connection" : "reading failed";
    if (connection->request != NULL && connection->request->active)
        rtn_http1_give_up(connection, 0, detail, true, cause);
    else
        rtn_http1_close(connection, cause, detail);
}

/* More of the body, which the active request waits for. */
static void go_on_with_body(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    request->expects_continue = false;
    if (rtn_request_parse(request) == RTN_REQUEST_BROKEN)
        rtn_http1_give_up(connection, request->error_status, request->error_text, true,
                          request->hostile ? RTN_CLOSE_SECURITY : RTN_CLOSE_PROTOCOL);
    else
        rtn_http1_run(connection);
}

void rtn_http1_read(struct rtn_connection *connection)
{
    struct rtn_request *request = rtn_http1_own_request(connection);
    if (request == NULL || rtn_http1_make_room(request) < 0) {
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "memory is out");
        return;
    }
    ssize_t n = rtn_http1_receive(request);
    if (n > 0 && request->active) {
        go_on_with_body(connection);
        return;
    }
    if (n > 0) {
        if (!connection->expects_proxy || rtn_http1_read_proxy(connection))
            rtn_http1_advance(connection);
        return;
    }
    (void) rtn_http1_give_back_unused(connection);
    if (n == 0)
        on_end_of_input(connection);
    else if (n == -EAGAIN)
        rtn_http1_looked_in_vain(connection->http);
    else
        on_read_error(connection, (int) n);
}

void rtn_http1_read_ahead(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    if (request->stage != RTN_REQUEST_COMPLETE || request->end == request->capacity) {
        rtn_http1_unwatch(connection, EV_READ);
        return;
    }
    ssize_t n = rtn_http1_receive(request);
    if (n == 0)
        on_end_of_input(connection);
    else if (n < 0 && n != -EAGAIN)
        on_read_error(connection, (int) n);
}
