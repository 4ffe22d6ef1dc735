/*
 * Connections that a server makes for its modules, and sockets that modules give it. They are spread over its loops in
 * turn.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/ws_log.h"
#include "base/fd.h"
#include "base/header.h"
#include "proto/ws_client.h"
#include "server/server_loop.h"

#define DEFAULT_CONNECT_MS 10000
#define DEFAULT_RECONNECT_MAX_MS 60000
#define DEFAULT_PING_MS 30000
#define DEFAULT_PONG_MS 10000
#define DEFAULT_WRITE_MS 30000
#define DEFAULT_CLOSE_MS 5000
#define DEFAULT_SIZE (INT64_C(1024) * 1024)
#define OPTION_MOST (INT64_C(1) << 40) /* milliseconds or bytes: what is larger means for ever */

static const struct rtn_config_deflate usual_deflate = { .on = true,
                                                         .server_max_window_bits = 15,
                                                         .client_max_window_bits = 15,
                                                         .memory_level = 8,
                                                         .effort = RTN_EFFORT_DEFAULT,
                                                         .min_size = 64 };

static struct rtn_server_loop *next_loop(struct rtn_server *server)
{
    unsigned turn = atomic_fetch_add_explicit(&server->outgoing_turn, 1, memory_order_relaxed);
    return server->loop_count > 0 ? &server->loops[turn % server->loop_count] : &server->loops[0];
}

int rtn_server_order_client(struct rtn_http1 *http, const struct rtn_ws_client_spec *spec, uint64_t *id)
{
    struct rtn_instance *instance = spec->owner;
    if (!rtn_instance_begin(instance))
        return -ECANCELED;
    int r = rtn_ws_client_new(http, spec, id);
    if (r < 0)
        rtn_instance_over(instance);
    return r;
}

/* For modules */

static const struct rtn_ws_handler *find_handler(const struct rtn_loaded *loaded, const char *name)
{
    for (size_t i = 0; i < loaded->ws_count; i++) {
        if (strcmp(loaded->ws[i].name, name) == 0)
            return &loaded->ws[i];
    }
    return NULL;
}

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? RTN_MIN(value, OPTION_MOST) : fallback;
}

/* The members that the caller has; the others are zero. */
static struct rtn_ws_options known_options(const struct rtn_ws_options *options)
{
    struct rtn_ws_options known = { 0 };
    if (options != NULL)
        memcpy(&known, options, RTN_MIN(options->struct_size, sizeof(known)));
    else
        known.struct_size = sizeof(known);
    return known;
}

static const char *find_problem_of_options(const char *url, const struct rtn_ws_options *options)
{
    struct rtn_ws_url parts;
    struct rtn_str name;
    const char *problem = rtn_ws_url_words(rtn_ws_url_read(rtn_str_of(url), &parts));
    if (problem == NULL && options->struct_size == 0)
        problem = "the options have no struct_size";
    for (size_t i = 0; problem == NULL && options->headers != NULL && options->headers[i] != NULL; i++)
        problem = rtn_header_words(rtn_header_check(rtn_str_of(options->headers[i]), &name));
    for (size_t i = 0; problem == NULL && options->protocols != NULL && options->protocols[i] != NULL; i++) {
        if (!rtn_is_token(rtn_str_of(options->protocols[i])))
            problem = "a subprotocol is no token";
    }
    return problem;
}

static const char *find_problem(const struct rtn_instance *owner, const char *url, const char *handler,
                                const struct rtn_ws_options *options)
{
    if (owner == NULL)
        return "the instance is none of this server";
    if (url == NULL || handler == NULL)
        return url == NULL ? "there is no URL" : "there is no name of a handler";
    return find_problem_of_options(url, options);
}

static struct rtn_ws_client_spec make_spec(const char *url, const struct rtn_ws_options *options,
                                           const struct rtn_ws_handler *handler, struct rtn_instance *instance)
{
    struct rtn_ws_client_spec spec = {
        .url = url,
        .headers = options->headers,
        .protocols = options->protocols != NULL ? options->protocols : handler->protocols,
        .reconnect = or_default(options->reconnect, 0),
        .reconnect_max = or_default(options->reconnect_max, DEFAULT_RECONNECT_MAX_MS),
        .connect_timeout = or_default(options->connect_timeout, DEFAULT_CONNECT_MS),
        .policy = { .session = { .message_limit = or_default(options->message, DEFAULT_SIZE),
                                 .backlog_limit = or_default(options->backlog, DEFAULT_SIZE),
                                 .write_timeout = DEFAULT_WRITE_MS },
                    .streamed = handler->fragment != NULL,
                    .ping_timeout = options->ping < 0 ? 0 : or_default(options->ping, DEFAULT_PING_MS),
                    .pong_timeout = or_default(options->pong, DEFAULT_PONG_MS),
                    .close_timeout = DEFAULT_CLOSE_MS },
        .fd = options->connected ? options->fd : -1,
        .owner = instance,
        .handler = handler,
        .data = options->data,
        .destroy = options->destroy,
    };
    if (options->deflate)
        spec.deflate = usual_deflate;
    return spec;
}

/* As for those that are accepted: small messages do not wait for each other. Not of a unix socket. */
static void send_at_once(int fd)
{
    int on = 1;
    (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int take_socket(int fd)
{
    int type = 0;
    socklen_t length = sizeof(type);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0 || type != SOCK_STREAM)
        return -ENOTSOCK;
    send_at_once(fd);
    return rtn_fd_set_nonblocking(fd);
}

int rtn_ws_connect(rtn_server *server, const char *url, const struct rtn_ws_options *options, const char *handler,
                   void *instance, uint64_t *connection)
{
    const struct rtn_ws_options known = known_options(options);
    RTN_CLEANUP(rtn_instances_give_back) struct rtn_instance *owner = rtn_server_instance(server, instance);
    const char *problem = find_problem(owner, url, handler, &known);
    if (problem != NULL) {
        struct rtn_str shown = rtn_ws_log_url(url != NULL ? url : "");
        rtn_log(RTN_LOG_ERROR, "rtn_ws_connect: \"%.*s\": %s", RTN_STR_ARG(shown), problem);
        return -EINVAL;
    }
    const struct rtn_ws_handler *row = find_handler(owner->loaded, handler);
    if (row == NULL)
        return -ENOENT;
    if (row->threads != 0 && row->threads < owner->threads) {
        rtn_log(RTN_LOG_ERROR, "rtn_ws_connect: handler %s states a lower thread model than that of %s", handler,
                owner->place.text);
        return -EINVAL;
    }
    int r = known.connected ? take_socket(known.fd) : 0;
    if (r < 0)
        return r;
    const struct rtn_ws_client_spec spec = make_spec(url, &known, row, owner);
    uint64_t id = 0;
    r = rtn_server_order_client(&next_loop(server)->http, &spec, &id);
    if (r == 0 && connection != NULL)
        *connection = id;
    return r;
}

size_t rtn_ws_connections(const rtn_server *server, unsigned roles, uint64_t *connections, size_t capacity)
{
    bool accepted = (roles & RTN_WS_ACCEPTED) != 0;
    bool outgoing = (roles & RTN_WS_OUTGOING) != 0;
    return rtn_server_list_sessions(server, RTN_SESSION_WS, accepted, outgoing, connections, capacity);
}

/* A socket on its way to the loop that is to serve it. */
struct adoption {
    struct rtn_mail mail;
    struct rtn_http1 *http;
    int fd;
};

static void on_adoption(struct rtn_mail *mail)
{
    struct adoption *adoption = RTN_CONTAINER_OF(mail, struct adoption, mail);
    struct sockaddr_storage peer = { 0 };
    socklen_t length = sizeof(peer);
    if (getpeername(adoption->fd, (struct sockaddr *) &peer, &length) < 0 || !rtn_http1_may_keep_alive(adoption->http))
        rtn_fd_close(&adoption->fd);
    else if (rtn_http1_accept(adoption->http, adoption->fd, (struct sockaddr *) &peer, length, false) < 0)
        rtn_log(RTN_LOG_ERROR, "an adopted socket cannot be served: memory is out");
    free(adoption);
}

int rtn_adopt_socket(rtn_server *server, int fd)
{
    struct rtn_http1 *http = &next_loop(server)->http;
    if (!rtn_http1_may_keep_alive(http))
        return -ECANCELED;
    struct adoption *adoption = malloc(sizeof(*adoption));
    if (adoption == NULL)
        return -ENOMEM;
    int r = take_socket(fd);
    if (r < 0) {
        free(adoption);
        return r;
    }
    *adoption = (struct adoption){ .mail = { .deliver = on_adoption }, .http = http, .fd = fd };
    rtn_loop_post(http->loop, &adoption->mail);
    return 0;
}
