/*
 * How a connection ends: at once, by a reset when its reply was given up, or after a while in which what the client
 * still sends is read and dropped, so that it gets to see the reply (RFC 9112, 9.6).
 */
#include <errno.h>
#include <sys/socket.h>

#include "proto/http1_internal.h"

#define LINGER_READ 16384

void rtn_http1_drop_request(struct rtn_connection *connection)
{
    if (connection->request == NULL)
        return;
    rtn_http1_give_request(connection->http, connection->request);
    connection->request = NULL;
}

/* The entry of an outgoing connection is kept for the next attempt. */
static void leave_directory(struct rtn_connection *connection)
{
    struct rtn_directory *directory = &connection->http->directory;
    const struct rtn_entry *entry = connection->entry;
    connection->entry = NULL;
    rtn_directory_seat(directory, rtn_directory_slot_of(connection->id))->connection = NULL;
    if (entry->client == NULL)
        rtn_directory_leave(directory, connection->id);
}

static void count_closed(const struct rtn_connection *connection, enum rtn_close_cause cause)
{
    rtn_stats_count(RTN_STATS_CLOSED + cause, 1);
    if (connection->outgoing)
        rtn_stats_count(RTN_STATS_OUTGOING_ENDED, 1);
    else if (rtn_session_is(connection->session, RTN_SESSION_WS))
        rtn_stats_count(RTN_STATS_WEBSOCKETS_ENDED, 1);
    else if (rtn_session_is(connection->session, RTN_SESSION_LINE))
        rtn_stats_count(RTN_STATS_LINES_ENDED, 1);
}

void rtn_http1_close(struct rtn_connection *connection, enum rtn_close_cause cause, const char *detail)
{
    struct rtn_http1 *http = connection->http;
    count_closed(connection, cause);
    rtn_http1_unwatch(connection, EV_READ | EV_WRITE);
    rtn_wheel_remove(&http->wheel, &connection->timeout);
    rtn_http1_dismiss(connection);
    if (connection->session != NULL)
        rtn_session_detach(connection->session);
    leave_directory(connection);
    rtn_http1_drop_resumptions(connection);
    rtn_http1_tell_replied(connection, false);
    if (connection->request != NULL && !connection->request->active)
        rtn_http1_drop_request(connection);
    rtn_stream_close(&connection->stream);
    connection->state = RTN_CONNECTION_CLOSED;
    connection->cause = cause;
    connection->detail = detail;
    http->handler->closed(connection);
}

/* The client must not take a reply that was given up for a whole one: it gets a reset (RFC 9112, 8). */
static void cut(struct rtn_connection *connection)
{
    struct linger linger = { .l_onoff = 1, .l_linger = 0 };
    (void) setsockopt(connection->stream.fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    if (connection->detail != NULL)
        rtn_http1_close(connection, connection->cause, connection->detail);
    else
        rtn_http1_close(connection, RTN_CLOSE_HANDLER, "the handler did not complete its reply");
}

static const struct {
    int error;
    enum rtn_close_cause cause;
    const char *detail;
    const char *of_session; /* NULL: the same */
} breaks[] = {
    { -EPIPE, RTN_CLOSE_LOST, "the client went away during the reply", "the peer went away" },
    { -ECONNRESET, RTN_CLOSE_LOST, "the client went away", "the peer went away" },
    { -ETIMEDOUT, RTN_CLOSE_TIMEOUT, "the client does not read its reply (timeouts.write)", NULL },
    { -ENOMEM, RTN_CLOSE_NETWORK, "memory is out", NULL },
    { -EIO, RTN_CLOSE_NETWORK, "a file became shorter while it was sent", NULL },
};

void rtn_http1_close_broken(struct rtn_connection *connection)
{
    if (connection->broken == -ECANCELED) {
        cut(connection);
        return;
    }
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(breaks); i++) {
        if (breaks[i].error == connection->broken) {
            bool session = connection->session != NULL && breaks[i].of_session != NULL;
            rtn_http1_close(connection, breaks[i].cause, session ? breaks[i].of_session : breaks[i].detail);
            return;
        }
    }
    rtn_http1_close(connection, RTN_CLOSE_NETWORK, "sending failed");
}

void rtn_http1_linger(struct rtn_connection *connection)
{
    if (rtn_stream_end(&connection->stream) < 0) {
        rtn_http1_close(connection, RTN_CLOSE_LOST, "the peer went away");
        return;
    }
    connection->state = RTN_CONNECTION_LINGER;
    rtn_http1_set_deadline(connection, rtn_http1_timeouts(connection->http)->linger);
    rtn_http1_watch(connection, EV_READ);
}

void rtn_http1_tell_replied(struct rtn_connection *connection, bool whole)
{
    struct rtn_request *request = connection->request;
    if (request == NULL || !request->leaving)
        return;
    request->leaving = false;
    if (!whole)
        request->response.length -= RTN_MIN(request->response.length, rtn_stream_left(&connection->stream));
    connection->http->handler->replied(request, whole);
}

/* Everything is sent and the connection is not kept. */
void rtn_http1_end(struct rtn_connection *connection)
{
    rtn_http1_tell_replied(connection, true);
    rtn_http1_drop_request(connection);
    if (connection->linger_after)
        rtn_http1_linger(connection);
    else
        rtn_http1_close(connection, connection->cause, connection->detail);
}

void rtn_http1_read_linger(struct rtn_connection *connection)
{
    char discarded[LINGER_READ];
    ssize_t n = recv(connection->stream.fd, discarded, sizeof(discarded), 0);
    if (n > 0)
        rtn_stats_count(RTN_STATS_BYTES_IN, (uint64_t) n);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    rtn_http1_close(connection, connection->cause, connection->detail);
}
