/*
 * Reading stops while a request is answered, so that a client has at most one, and what waits for it is bounded by one
 * answer. A client that sends nothing, or takes nothing, is cut when its time is up; until then it only has its place.
 */
#include "daemon/control_client.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "proto/status.h"

#define IDLE_SECONDS 300. /* between two requests */
#define PROGRESS_SECONDS 60. /* for the rest of a request, or for some more of the answer to be taken */

static void advance(struct rtn_control_client *client);

static void call_free(struct rtn_control_call *call)
{
    if (call == NULL)
        return;
    rtn_control_request_done(&call->request);
    free(call);
}

void rtn_control_client_close(struct rtn_control_client *client)
{
    if (client->fd < 0)
        return;
    ev_io_stop(client->ev, &client->read);
    ev_io_stop(client->ev, &client->write);
    ev_timer_stop(client->ev, &client->timer);
    rtn_fd_close(&client->fd);
    if (client->call != NULL)
        client->call->client = NULL;
    client->call = NULL;
    call_free(client->reading);
    client->reading = NULL;
    rtn_list_remove(&client->node);
    rtn_list_append(client->dead, &client->node);
}

void rtn_control_client_free(struct rtn_control_client *client)
{
    rtn_list_remove(&client->node);
    rtn_buf_done(&client->output);
    free(client);
}

static void wait_for(struct rtn_control_client *client, double seconds)
{
    ev_timer_stop(client->ev, &client->timer);
    ev_timer_set(&client->timer, seconds, 0.);
    ev_timer_start(client->ev, &client->timer);
}

/* Sending */

static bool is_sending(const struct rtn_control_client *client)
{
    return client->sent < client->output.length;
}

static void send_some(struct rtn_control_client *client)
{
    ssize_t n = 0;
    while (is_sending(client) && n >= 0) {
        n = send(client->fd, client->output.data + client->sent, client->output.length - client->sent,
                 MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            client->sent += (size_t) n;
        else if (n < 0 && errno == EINTR)
            n = 0;
    }
    if (n < 0 && errno != EAGAIN) {
        rtn_control_client_close(client);
        return;
    }
    if (is_sending(client)) {
        ev_io_start(client->ev, &client->write);
        wait_for(client, PROGRESS_SECONDS);
        return;
    }
    ev_io_stop(client->ev, &client->write);
    rtn_buf_done(&client->output);
    client->sent = 0;
    if (client->ends)
        rtn_control_client_close(client);
}

static void on_writable(struct ev_loop *ev, struct ev_io *io, int events)
{
    (void) ev;
    (void) events;
    struct rtn_control_client *client = RTN_CONTAINER_OF(io, struct rtn_control_client, write);
    send_some(client);
    advance(client);
}

/* Answers */

static void append_head(struct rtn_buf *out, int status, const char *type, size_t length, bool keep)
{
    struct rtn_str reason = rtn_status_reason(status);
    rtn_buf_printf(out, "HTTP/1.1 %d %.*s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nCache-Control: no-store\r\n",
                   status, (int) reason.length, reason.data, type, length);
    if (status == 405)
        rtn_buf_append_text(out, "Allow: GET, POST\r\n");
    rtn_buf_append_text(out, keep ? "\r\n" : "Connection: close\r\n\r\n");
}

void rtn_control_answer_as(struct rtn_control_call *call, int status, const char *type, struct rtn_str content)
{
    struct rtn_control_client *client = call->client;
    if (client != NULL) {
        client->call = NULL;
        rtn_list_remove(&client->node);
        rtn_list_append(client->clients, &client->node);
        client->ends = client->ends || !call->request.keep_alive;
        append_head(&client->output, status, type, content.length, !client->ends);
        rtn_buf_append_str(&client->output, content);
        send_some(client);
        advance(client);
    }
    call_free(call);
}

void rtn_control_answer(struct rtn_control_call *call, int status, struct rtn_str json)
{
    rtn_control_answer_as(call, status, "application/json", json);
}

void rtn_control_refuse(struct rtn_control_call *call, int status, const char *format, ...)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf sentence = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_json json = { .out = &text };
    va_list arguments;
    va_start(arguments, format);
    rtn_buf_vprintf(&sentence, format, arguments);
    va_end(arguments);
    rtn_json_object(&json);
    rtn_json_key(&json, "error");
    rtn_json_str(&json, rtn_buf_str(&sentence));
    rtn_json_end(&json);
    rtn_buf_append_char(&text, '\n');
    rtn_control_answer(call, status, rtn_buf_str(&text));
}

/* Reading */

static struct rtn_control_call *reading(struct rtn_control_client *client)
{
    if (client->reading == NULL)
        client->reading = calloc(1, sizeof(*client->reading));
    struct rtn_control_call *call = client->reading;
    if (call == NULL || call->daemon != NULL)
        return call;
    call->daemon = client->daemon;
    call->client = client;
    call->may_order = client->may_order;
    rtn_control_request_init(&call->request);
    return call;
}

/* One that is broken is the last: where the next would begin is not known. */
static void run(struct rtn_control_client *client)
{
    struct rtn_control_call *call = client->reading;
    client->reading = NULL;
    client->call = call;
    ev_io_stop(client->ev, &client->read);
    ev_timer_stop(client->ev, &client->timer);
    if (call->request.stage == RTN_CONTROL_COMPLETE)
        rtn_control_run(call);
    else
        rtn_control_refuse(call, call->request.status, "%s", call->request.problem);
}

/* False: more has to come first. */
static bool feed(struct rtn_control_client *client)
{
    struct rtn_control_call *call = reading(client);
    if (call == NULL) {
        rtn_control_client_close(client);
        return false;
    }
    size_t used = rtn_control_request_feed(&call->request, client->input, client->input_length);
    client->input_length -= used;
    memmove(client->input, client->input + used, client->input_length);
    if (call->request.stage == RTN_CONTROL_READING)
        return false;
    run(client);
    return true;
}

/* Goes on as far as it can: an answer may be there at once, and the next request behind the last. */
static void advance(struct rtn_control_client *client)
{
    if (client->advancing)
        return;
    client->advancing = true;
    bool more = true;
    while (more && client->fd >= 0 && client->call == NULL && !is_sending(client) && client->input_length > 0)
        more = feed(client);
    client->advancing = false;
    if (client->fd < 0 || client->call != NULL || is_sending(client))
        return;
    ev_io_start(client->ev, &client->read);
    wait_for(client, client->reading != NULL && client->reading->request.begun ? PROGRESS_SECONDS : IDLE_SECONDS);
}

/* The time is that of the whole request, not of every byte. */
static void on_readable(struct ev_loop *ev, struct ev_io *io, int events)
{
    (void) ev;
    (void) events;
    struct rtn_control_client *client = RTN_CONTAINER_OF(io, struct rtn_control_client, read);
    bool begun = client->reading != NULL && client->reading->request.begun;
    ssize_t n = recv(client->fd, client->input + client->input_length, sizeof(client->input) - client->input_length,
                     MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        rtn_control_client_close(client);
        return;
    }
    client->input_length += (size_t) n;
    if (!begun) {
        advance(client);
        return;
    }
    double left = ev_timer_remaining(client->ev, &client->timer);
    advance(client);
    if (client->fd >= 0 && client->reading != NULL && client->call == NULL && !is_sending(client))
        wait_for(client, RTN_MAX(left, 0.));
}

static void on_timeout(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) ev;
    (void) events;
    rtn_control_client_close(RTN_CONTAINER_OF(timer, struct rtn_control_client, timer));
}

struct rtn_control_client *rtn_control_client_new(struct rtn_daemon *daemon, int fd, bool may_order,
                                                  struct rtn_list *clients, struct rtn_list *dead, struct ev_loop *ev)
{
    struct rtn_control_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        rtn_fd_close(&fd);
        return NULL;
    }
    client->daemon = daemon;
    client->fd = fd;
    client->may_order = may_order;
    client->clients = clients;
    client->dead = dead;
    client->ev = ev;
    ev_io_init(&client->read, on_readable, fd, EV_READ);
    ev_io_init(&client->write, on_writable, fd, EV_WRITE);
    ev_timer_init(&client->timer, on_timeout, 0., 0.);
    rtn_list_append(clients, &client->node);
    ev_io_start(ev, &client->read);
    wait_for(client, IDLE_SECONDS);
    return client;
}
