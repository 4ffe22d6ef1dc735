/*
 * The state SENDING: a reply is complete but has not left. Memory goes out when the socket has room, files on a worker,
 * and the client has to take some of it within timeouts.write.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "proto/http1_internal.h"

int rtn_http1_unsent(const struct rtn_connection *connection)
{
    int bytes = 0;
    return ioctl(connection->stream.fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

void rtn_http1_begin_write_timeout(struct rtn_connection *connection)
{
    connection->unsent = rtn_http1_unsent(connection);
    const struct rtn_request *request = connection->request;
    bool of_route = request != NULL && request->leaving;
    rtn_http1_set_deadline(connection,
                           of_route ? request->policy->write_timeout : rtn_http1_timeouts(connection->http)->write);
}

static void send_files_on_worker(struct rtn_connection *connection)
{
    connection->broken = rtn_http1_give_to_worker(connection);
    if (connection->broken == 0)
        connection->http->handler->send_files(connection);
    else
        rtn_http1_close_broken(connection);
}

static void wait_until_writable(struct rtn_connection *connection)
{
    rtn_http1_watch(connection, EV_WRITE);
    rtn_http1_begin_write_timeout(connection);
}

/* The socket is full, or a file is next: stop reading until everything is sent. */
void rtn_http1_wait_until_sent(struct rtn_connection *connection)
{
    connection->state = RTN_CONNECTION_SENDING;
    rtn_http1_unwatch(connection, EV_READ);
    if (rtn_stream_defers_next(&connection->stream)) {
        send_files_on_worker(connection);
        return;
    }
    wait_until_writable(connection);
}

/* Some of the queue could be sent. */
static void on_sent(struct rtn_connection *connection, int r)
{
    if (connection->state == RTN_CONNECTION_WAITING) {
        connection->request->write_deadline = 0;
        rtn_http1_run(connection);
        return;
    }
    if (r == -EAGAIN) {
        rtn_http1_begin_write_timeout(connection);
        return;
    }
    rtn_http1_unwatch(connection, EV_WRITE);
    if (r == -EINPROGRESS)
        send_files_on_worker(connection);
    else if (connection->close_after)
        rtn_http1_end(connection);
    else
        rtn_http1_go_on(connection);
}

void rtn_http1_on_writable(struct rtn_connection *connection)
{
    int r = rtn_stream_flush(&connection->stream);
    if (r < 0 && r != -EAGAIN && r != -EINPROGRESS) {
        connection->broken = r;
        rtn_http1_close_broken(connection);
        return;
    }
    on_sent(connection, r);
}

/* Files have been sent as far as the socket took them. */
void rtn_http1_wait_for_socket(struct rtn_connection *connection)
{
    connection->state = RTN_CONNECTION_SENDING;
    rtn_http1_unwatch(connection, EV_READ);
    wait_until_writable(connection);
}
