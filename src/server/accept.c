/*
 * From listening sockets to connections: accept in batches, and a pause when descriptors or the connection
 * limit run out. New clients then wait in the kernel's queue; connections that are open go on. Accepting is
 * tried again when a connection of this loop ends, and once in a while, since descriptors may come free elsewhere.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/stdio_bridge.h"
#include "server/server_loop.h"

#define BATCH 64 /* most connections accepted per event, so that others get their turn */
#define CROWD 16 /* full batches in a row, after which they grow */
#define RETRY_SECONDS 0.25
#define CALM_SECONDS 1.0

static void start_watchers(struct rtn_server_loop *loop)
{
    for (size_t i = 0; i < loop->accept.watchers.count; i++)
        ev_io_start(loop->loop.ev, &loop->accept.watchers.items[i].io);
}

static void stop_watchers(struct rtn_server_loop *loop)
{
    for (size_t i = 0; i < loop->accept.watchers.count; i++)
        ev_io_stop(loop->loop.ev, &loop->accept.watchers.items[i].io);
}

static void pause_accept(struct rtn_server_loop *loop)
{
    loop->accept.paused = true;
    ev_timer_stop(loop->loop.ev, &loop->accept.calm);
    stop_watchers(loop);
}

static bool is_out_of_descriptors(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void pause_without_descriptors(struct rtn_server_loop *loop, int error)
{
    rtn_stats_count(RTN_STATS_PAUSED_SYSTEM, 1);
    pause_accept(loop);
    ev_timer_again(loop->loop.ev, &loop->accept.retry);
    if (loop->accept.complained)
        return;
    loop->accept.complained = true;
    struct rlimit limit = { 0 };
    (void) getrlimit(RLIMIT_NOFILE, &limit);
    rtn_log(
        RTN_LOG_WARN,
        "accepting pauses: %s (limit %llu descriptors); %u connections go on, new ones wait until descriptors are free",
        error == EMFILE ? "too many open files" : "the system is out of descriptors or memory",
        (unsigned long long) limit.rlim_cur, loop->http.connection_count);
}

static unsigned accepted_count(const struct rtn_server_loop *loop)
{
    return loop->http.connection_count - loop->http.outgoing_count;
}

static void pause_at_limit(struct rtn_server_loop *loop)
{
    rtn_stats_count(RTN_STATS_PAUSED_LIMIT, 1);
    pause_accept(loop);
    if (loop->accept.complained)
        return;
    loop->accept.complained = true;
    rtn_log(RTN_LOG_WARN, "accepting pauses: %u connections are open (limits.connections); new ones wait",
            accepted_count(loop));
}

/* An error that nobody has foreseen: not to be met again in each iteration. */
static void pause_after_error(struct rtn_server_loop *loop)
{
    rtn_log(RTN_LOG_ERROR, "accept failed, accepting pauses for a moment: %m");
    pause_accept(loop);
    ev_timer_again(loop->loop.ev, &loop->accept.retry);
}

static bool at_limit(const struct rtn_server_loop *loop)
{
    return accepted_count(loop) >= loop->http.terms->connection_limit;
}

/* Errors that concern only the connection that was being accepted (accept(2)). */
static bool is_connection_error(int error)
{
    static const int errors[] = { ECONNABORTED, EINTR,  EPROTO,       ENETDOWN,   ENOPROTOOPT,
                                  EHOSTDOWN,    ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(errors); i++) {
        if (errors[i] == error)
            return true;
    }
    return false;
}

static void take(struct rtn_server_loop *loop, int fd, const struct sockaddr_storage *peer, socklen_t length,
                 const struct rtn_accept_watcher *watcher)
{
    int on = 1;
    if (peer->ss_family != AF_UNIX && watcher->inherited)
        (void) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (peer->ss_family != AF_UNIX && loop->http.terms->lines != NULL) /* which may be silent for ever */
        (void) setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (rtn_http1_accept(&loop->http, fd, (const struct sockaddr *) peer, length, watcher->proxy_protocol) < 0)
        pause_without_descriptors(loop, ENOMEM);
}

/* One connection. False when there is none, or accepting has to stop for now. */
static bool accept_one(struct rtn_server_loop *loop, const struct rtn_accept_watcher *watcher)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);
    peer.ss_family = AF_UNSPEC;
    int fd = accept4(watcher->io.fd, (struct sockaddr *) &peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        take(loop, fd, &peer, length, watcher);
        return !loop->accept.paused;
    }
    if (is_connection_error(errno))
        return true;
    if (is_out_of_descriptors(errno))
        pause_without_descriptors(loop, errno);
    else if (errno != EAGAIN && errno != EWOULDBLOCK)
        pause_after_error(loop);
    return false;
}

/*
 * As many as came the last time: what is left is reported again, and a call that finds nobody is spared. Events that
 * keep filling the batch are a crowd, of which more is taken at once.
 */
static void accept_batch(struct rtn_server_loop *loop, struct rtn_accept_watcher *watcher)
{
    for (unsigned taken = 0; taken < watcher->batch; taken++) {
        if (at_limit(loop)) {
            pause_at_limit(loop);
            return;
        }
        if (!accept_one(loop, watcher)) {
            watcher->batch = RTN_MAX(taken, 1U);
            watcher->filled = 0;
            return;
        }
    }
    if (++watcher->filled < CROWD)
        return;
    watcher->filled = 0;
    watcher->batch = RTN_MIN(watcher->batch * 2, (unsigned) BATCH);
}

static void on_acceptable(struct ev_loop *ev, struct ev_io *io, int events)
{
    (void) ev;
    (void) events;
    accept_batch(io->data, RTN_CONTAINER_OF(io, struct rtn_accept_watcher, io));
}

static void on_retry(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) events;
    ev_timer_stop(ev, timer);
    rtn_accept_resume(timer->data);
}

/* No pause for a while: only now is it over for the log, which a flood of short connections would fill otherwise. */
static void on_calm(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) events;
    struct rtn_server_loop *loop = timer->data;
    ev_timer_stop(ev, timer);
    loop->accept.complained = false;
    rtn_log(RTN_LOG_NOTICE, "accepting goes on");
}

static void add_watchers(struct rtn_server_loop *loop, const struct rtn_listener *listener, bool proxy_protocol,
                         struct rtn_accept_watchers *ret)
{
    for (size_t i = 0; i < listener->count; i++) {
        if (!rtn_listener_is_for(listener, i, loop->index, (unsigned) loop->server->config->loops))
            continue;
        struct rtn_accept_watcher *watcher = &ret->items[ret->count++];
        ev_io_init(&watcher->io, on_acceptable, listener->sockets[i].fd, EV_READ);
        watcher->io.data = loop;
        watcher->proxy_protocol = proxy_protocol;
        watcher->inherited = listener->sockets[i].inherited;
        watcher->batch = 1;
    }
}

int rtn_accept_watchers_new(struct rtn_server_loop *loop, struct rtn_listener *const *listeners,
                            const struct rtn_config_server *config, struct rtn_accept_watchers *ret)
{
    size_t most = 0;
    for (size_t i = 0; i < config->listen.count; i++)
        most += listeners[i] != NULL ? listeners[i]->count : 0;
    *ret = (struct rtn_accept_watchers){ .items = calloc(most + 1, sizeof(*ret->items)) };
    if (ret->items == NULL)
        return -ENOMEM;
    const struct rtn_config_listen *listen = config->listen.items;
    for (size_t i = 0; i < config->listen.count; i++) {
        if (listeners[i] != NULL)
            add_watchers(loop, listeners[i], listen[i].proxy_protocol, ret);
    }
    return 0;
}

static void init_timers(struct rtn_server_loop *loop)
{
    ev_timer_init(&loop->accept.retry, on_retry, 0., RETRY_SECONDS);
    ev_timer_init(&loop->accept.calm, on_calm, 0., CALM_SECONDS);
    loop->accept.retry.data = loop;
    loop->accept.calm.data = loop;
}

int rtn_accept_init(struct rtn_server_loop *loop)
{
    const struct rtn_server *server = loop->server;
    init_timers(loop);
    return rtn_accept_watchers_new(loop, server->listeners, server->config, &loop->accept.watchers);
}

void rtn_accept_done(struct rtn_server_loop *loop)
{
    rtn_stdio_bridge_free(loop->accept.stdio);
    free(loop->accept.watchers.items);
    loop->accept = (struct rtn_accept){ 0 };
}

void rtn_accept_open(struct rtn_server_loop *loop)
{
    loop->accept.open = true;
    start_watchers(loop);
    rtn_server_stdio_open(loop);
}

static void take_waiting(struct rtn_server_loop *loop, const struct rtn_accept_watcher *watcher)
{
    for (unsigned taken = 0; taken < SOMAXCONN && !loop->accept.paused && !at_limit(loop); taken++) {
        if (!accept_one(loop, watcher))
            return;
    }
}

static bool has_socket(const struct rtn_accept_watchers *watchers, int fd)
{
    for (size_t i = 0; i < watchers->count; i++) {
        if (watchers->items[i].io.fd == fd)
            return true;
    }
    return false;
}

void rtn_accept_change(struct rtn_server_loop *loop, struct rtn_accept_watchers watchers, const int *given,
                       size_t given_count)
{
    struct rtn_accept *accept = &loop->accept;
    for (size_t i = 0; i < accept->watchers.count && accept->open; i++) {
        const struct rtn_accept_watcher *watcher = &accept->watchers.items[i];
        bool is_given = false;
        for (size_t j = 0; j < given_count; j++)
            is_given = is_given || given[j] == watcher->io.fd;
        if (!is_given && !has_socket(&watchers, watcher->io.fd))
            take_waiting(loop, watcher);
    }
    stop_watchers(loop);
    free(accept->watchers.items);
    accept->watchers = watchers;
    if (accept->open && !accept->paused)
        start_watchers(loop);
}

void rtn_accept_close(struct rtn_server_loop *loop)
{
    for (size_t i = 0; i < loop->accept.watchers.count; i++)
        take_waiting(loop, &loop->accept.watchers.items[i]);
    loop->accept.open = false;
    ev_timer_stop(loop->loop.ev, &loop->accept.retry);
    ev_timer_stop(loop->loop.ev, &loop->accept.calm);
    stop_watchers(loop);
}

void rtn_accept_resume(struct rtn_server_loop *loop)
{
    struct rtn_accept *accept = &loop->accept;
    if (!accept->open || !accept->paused || at_limit(loop))
        return;
    accept->paused = false;
    ev_timer_stop(loop->loop.ev, &accept->retry);
    start_watchers(loop);
    for (size_t i = 0; i < accept->watchers.count && !accept->paused; i++)
        accept_batch(loop, &accept->watchers.items[i]);
    if (!accept->paused && accept->complained)
        ev_timer_again(loop->loop.ev, &accept->calm);
}
