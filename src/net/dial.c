/*
 * One attempt to connect: begin -> (lookup) -> each address in turn -> done. It begins in the next iteration of the
 * loop, so that nothing is reported to a caller who does not have the dial yet, and from then on each step is a
 * callback: of the timer, the lookup, or the socket that has connected or failed.
 *
 * There is no timeout here: whoever dials has one for all that follows too, and cancels.
 */
#include "net/dial.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/macros.h"

struct rtn_dial {
    struct rtn_loop *loop;
    struct rtn_resolver *resolver;
    void (*done)(void *data, int fd, const struct sockaddr *peer, socklen_t length, const char *reason);
    void *data;

    struct ev_timer begin;
    struct rtn_lookup *lookup; /* while it runs */
    struct addrinfo *addresses; /* of TCP; freed at the end */
    struct addrinfo *at; /* being tried */
    struct ev_io connecting;
    int fd; /* -1: none */
    int error; /* why it fails if nothing works */

    struct sockaddr_un path; /* of a unix socket, described by the next */
    struct addrinfo socket;
    char port[8];
    char *host; /* NULL: unix socket */
};

static const char *reason_of(int error)
{
    static const struct {
        int error;
        const char *text;
    } reasons[] = {
        { ECONNREFUSED, "connection refused" },
        { ENOENT, "no such socket" },
        { ETIMEDOUT, "the host does not answer" },
        { ENETUNREACH, "the network cannot be reached" },
        { EHOSTUNREACH, "the host cannot be reached" },
        { EAGAIN, "the server accepts too slowly" },
        { EACCES, "permission denied" },
        { ENAMETOOLONG, "the path of the socket is too long" },
        { ENOMEM, "out of memory" },
        { ECANCELED, "the daemon is stopping" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(reasons); i++) {
        if (reasons[i].error == error)
            return reasons[i].text;
    }
    return strerror(error);
}

static void free_dial(struct rtn_dial *dial)
{
    if (dial->addresses != NULL)
        freeaddrinfo(dial->addresses);
    free(dial->host);
    free(dial);
}

static void fail(struct rtn_dial *dial, const char *reason)
{
    dial->done(dial->data, -1, NULL, 0, reason);
    free_dial(dial);
}

static void succeed(struct rtn_dial *dial)
{
    dial->done(dial->data, dial->fd, dial->at->ai_addr, dial->at->ai_addrlen, NULL);
    free_dial(dial);
}

/*
 * A port that nobody listens on may be the one that the system chose for us: TCP then connects the socket to itself
 * (RFC 9293, 3.5), and we would hold the port that the server wants back.
 */
static bool is_connected_to_itself(const struct rtn_dial *dial)
{
    struct sockaddr_storage own;
    socklen_t length = sizeof(own);
    return dial->at->ai_family != AF_UNIX && getsockname(dial->fd, (struct sockaddr *) &own, &length) == 0 &&
           length == dial->at->ai_addrlen && memcmp(&own, dial->at->ai_addr, length) == 0;
}

/* Why connecting failed, or 0. */
static int result_of(const struct rtn_dial *dial)
{
    int error = 0;
    socklen_t length = sizeof(error);
    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
        return errno;
    if (error == 0 && is_connected_to_itself(dial))
        return ECONNREFUSED;
    return error;
}

static int open_socket(struct rtn_dial *dial)
{
    const int on = 1;
    dial->fd = socket(dial->at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (dial->fd < 0)
        return errno;
    if (dial->at->ai_family == AF_UNIX)
        return 0;
    return setsockopt(dial->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ? errno : 0;
}

/* EINPROGRESS, the reason of a failure, or 0. */
static int connect_socket(struct rtn_dial *dial)
{
    int error = open_socket(dial);
    if (error != 0)
        return error;
    if (connect(dial->fd, dial->at->ai_addr, dial->at->ai_addrlen) < 0)
        return errno == EINTR ? EINPROGRESS : errno;
    return result_of(dial);
}

/* That this machine cannot go there says less than what another address answered. */
static bool says_little(int error)
{
    return error == ENETUNREACH || error == EHOSTUNREACH || error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

static void give_up_address(struct rtn_dial *dial, int error)
{
    rtn_fd_close(&dial->fd);
    if (dial->error == 0 || !says_little(error))
        dial->error = error;
    dial->at = dial->at->ai_next;
}

/* From dial->at on, until one is on its way or none is left. */
static void try_addresses(struct rtn_dial *dial)
{
    while (dial->at != NULL) {
        int error = connect_socket(dial);
        if (error == EINPROGRESS) {
            ev_io_set(&dial->connecting, dial->fd, EV_WRITE);
            ev_io_start(dial->loop->ev, &dial->connecting);
            return;
        }
        if (error == 0) {
            succeed(dial);
            return;
        }
        give_up_address(dial, error);
    }
    fail(dial, reason_of(dial->error));
}

static void on_connected(struct ev_loop *ev, struct ev_io *watcher, int events)
{
    (void) events;
    struct rtn_dial *dial = RTN_CONTAINER_OF(watcher, struct rtn_dial, connecting);
    ev_io_stop(ev, watcher);
    int error = result_of(dial);
    if (error == 0) {
        succeed(dial);
        return;
    }
    give_up_address(dial, error);
    try_addresses(dial);
}

static void on_lookup(void *data, struct addrinfo *addresses, const char *reason)
{
    struct rtn_dial *dial = data;
    dial->lookup = NULL;
    if (reason != NULL) {
        fail(dial, reason);
        return;
    }
    dial->addresses = addresses;
    dial->at = addresses;
    try_addresses(dial);
}

static void look_up(struct rtn_dial *dial)
{
    int r = rtn_lookup_begin(dial->resolver, dial->loop, dial->host, dial->port, on_lookup, dial, &dial->lookup);
    if (r < 0)
        fail(dial, reason_of(-r));
}

/* An address needs no thread. */
static bool is_address(struct rtn_dial *dial)
{
    const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    if (getaddrinfo(dial->host, dial->port, &hints, &dial->addresses) != 0)
        return false;
    dial->at = dial->addresses;
    return true;
}

static void on_begin(struct ev_loop *ev, struct ev_timer *watcher, int events)
{
    (void) ev;
    (void) events;
    struct rtn_dial *dial = RTN_CONTAINER_OF(watcher, struct rtn_dial, begin);
    if (dial->host == NULL || is_address(dial))
        try_addresses(dial);
    else
        look_up(dial);
}

/* One that is too long is no address: the dial has nothing to try. */
static void set_path(struct rtn_dial *dial, struct rtn_str path)
{
    dial->error = ENAMETOOLONG;
    if (path.length >= sizeof(dial->path.sun_path))
        return;
    dial->error = 0;
    dial->path.sun_family = AF_UNIX;
    memcpy(dial->path.sun_path, path.data, path.length);
    dial->socket =
        (struct addrinfo){ .ai_family = AF_UNIX,
                           .ai_addr = (struct sockaddr *) &dial->path,
                           .ai_addrlen = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + path.length + 1) };
    dial->at = &dial->socket;
}

static bool set_host(struct rtn_dial *dial, const struct rtn_dial_target *target)
{
    dial->host = rtn_str_dup(target->host);
    (void) snprintf(dial->port, sizeof(dial->port), "%d", target->port);
    return dial->host != NULL;
}

struct rtn_dial *rtn_dial(struct rtn_loop *loop, struct rtn_resolver *resolver, const struct rtn_dial_target *target,
                          void (*done)(void *data, int fd, const struct sockaddr *peer, socklen_t length,
                                       const char *reason),
                          void *data)
{
    struct rtn_dial *dial = calloc(1, sizeof(*dial));
    if (dial == NULL)
        return NULL;
    dial->loop = loop;
    dial->resolver = resolver;
    dial->done = done;
    dial->data = data;
    dial->fd = -1;
    if (target->path.data != NULL) {
        set_path(dial, target->path);
    } else if (!set_host(dial, target)) {
        free(dial);
        return NULL;
    }
    ev_init(&dial->connecting, on_connected);
    ev_timer_init(&dial->begin, on_begin, 0, 0);
    ev_timer_start(loop->ev, &dial->begin);
    return dial;
}

void rtn_dial_cancel(struct rtn_dial *dial)
{
    ev_timer_stop(dial->loop->ev, &dial->begin);
    ev_io_stop(dial->loop->ev, &dial->connecting);
    if (dial->lookup != NULL)
        rtn_lookup_cancel(dial->lookup);
    rtn_fd_close(&dial->fd);
    free_dial(dial);
}
