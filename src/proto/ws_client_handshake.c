/*
 * The opening handshake of an outgoing connection (RFC 6455, 4.1): sends the request and reads the answer, which is
 * kept until it is complete. Then ws.c has the connection, and what the server sent behind its answer.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "proto/ws_client_internal.h"
#include "proto/ws_internal.h"

#define READ_STEP 4096

static int set_protocol(struct rtn_ws *ws, struct rtn_str protocol)
{
    if (protocol.length == 0)
        return 0;
    ws->protocol = rtn_str_dup(protocol);
    return ws->protocol != NULL ? 0 : -ENOMEM;
}

static void open_session(struct rtn_ws_client *client, const struct rtn_ws_answer *answer)
{
    struct rtn_ws *ws = rtn_ws_of(client->connection->session);
    struct rtn_ws_deflate_terms terms;
    int compressed = rtn_ws_deflate_confirm(&client->spec.deflate, answer->extensions, &terms);
    int r = compressed > 0 ? rtn_ws_set_compression(ws, &terms) : compressed;
    if (r == -EPROTO) {
        rtn_ws_client_fail(client, RTN_CLOSE_PROTOCOL, "the server chose an extension that was not offered");
        return;
    }
    if (r == 0)
        r = set_protocol(ws, answer->protocol);
    if (r == 0)
        r = rtn_session_keep_unread(&ws->session, client->input.data + answer->length,
                                    client->input.length - answer->length);
    if (r < 0) {
        rtn_ws_client_fail(client, RTN_CLOSE_NETWORK, "memory is out");
        return;
    }
    rtn_buf_done(&client->input);
    rtn_session_open(&ws->session);
}

static void read_answer(struct rtn_ws_client *client)
{
    struct rtn_ws_answer answer = { 0 };
    const char *text = NULL;
    int r = rtn_ws_answer_read(&client->request, rtn_buf_str(&client->input), &answer, &text);
    if (r > 0)
        open_session(client, &answer);
    else if (r < 0)
        rtn_ws_client_fail(client, RTN_CLOSE_PROTOCOL, text);
}

static void on_answer(struct rtn_connection *connection)
{
    struct rtn_ws_client *client = rtn_ws_of(connection->session)->client;
    if (client->stop_posted) /* given up: what was answered is of no interest */
        return;
    char *at = rtn_buf_try_reserve(&client->input, READ_STEP);
    if (at == NULL) {
        rtn_ws_client_fail(client, RTN_CLOSE_NETWORK, "memory is out");
        return;
    }
    ssize_t n = recv(connection->stream.fd, at, READ_STEP, 0);
    if (n > 0) {
        rtn_stats_count(RTN_STATS_BYTES_IN, (uint64_t) n);
        client->input.length += (size_t) n;
        read_answer(client);
    } else if (n == 0) {
        rtn_ws_client_fail(client, RTN_CLOSE_LOST, "the server closed the connection during the handshake");
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        rtn_ws_client_fail(client, RTN_CLOSE_NETWORK, strerror(errno));
    }
}

static void on_writable(struct rtn_connection *connection)
{
    int r = rtn_stream_flush(&connection->stream);
    if (r < 0 && r != -EAGAIN)
        rtn_ws_client_fail(rtn_ws_of(connection->session)->client, RTN_CLOSE_LOST, strerror(-r));
    else if (r == 0)
        rtn_http1_unwatch(connection, EV_WRITE);
}

static void on_io(struct ev_loop *ev, struct ev_io *watcher, int events)
{
    (void) ev;
    rtn_http1_take_events(watcher, events, on_io, on_answer, on_writable);
}

static void send_request(struct rtn_ws_client *client)
{
    struct rtn_connection *connection = client->connection;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    rtn_ws_request_write(&client->request, &text);
    const struct rtn_piece piece = { .data = text.data, .length = text.length };
    int r = rtn_stream_send(&connection->stream, &piece, 1);
    if (r < 0) {
        rtn_ws_client_fail(client, RTN_CLOSE_LOST, strerror(-r));
        return;
    }
    ev_io_init(&connection->io, on_io, connection->stream.fd, EV_NONE);
    rtn_http1_set_watched(connection, rtn_stream_pending(&connection->stream) ? EV_READ | EV_WRITE : EV_READ);
}

void rtn_ws_client_begin_handshake(struct rtn_ws_client *client, int fd, const struct sockaddr *peer, socklen_t length)
{
    struct rtn_connection *connection = client->connection;
    connection->stream.fd = fd;
    rtn_connection_set_peer(connection, peer, length);
    rtn_buf_clear(&client->input);
    rtn_buf_clear(&client->offer);
    if (client->spec.deflate.on)
        rtn_ws_deflate_offer(&client->spec.deflate, &client->offer);
    client->request = (struct rtn_ws_request){ .url = &client->url,
                                               .headers = client->spec.headers,
                                               .protocols = client->spec.protocols,
                                               .extensions = rtn_buf_str(&client->offer) };
    if (rtn_ws_key_make(client->request.key) < 0)
        rtn_ws_client_fail(client, RTN_CLOSE_NETWORK, "no random bytes");
    else
        send_request(client);
}
