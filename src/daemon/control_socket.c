/*
 * The socket file has mode 0600 from the moment that it listens, and only the peer's user as the kernel knows it counts
 * for what a client may do. When all places are taken, the client that has been silent longest makes room.
 */
#include "daemon/control_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "daemon/control_client.h"
#include "daemon/control_order.h"
#include "daemon/daemon_state.h"
#include "net/listener.h"

#define MOST_CLIENTS 32
#define RETRY_SECONDS 1. /* when accepting fails */

struct rtn_control_socket {
    struct rtn_daemon *daemon;
    struct rtn_listener *listener;
    struct ev_loop *ev;
    struct ev_io accept;
    struct ev_timer retry;
    struct ev_prepare sweep; /* frees the dead, outside of their callbacks */
    struct rtn_list clients;
    struct rtn_list dead;
};

/* Clients */

/* With credentials of another user, or without any, a client may only look. */
static bool may_order(int fd)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && (peer.uid == 0 || peer.uid == geteuid());
}

static unsigned count_clients(const struct rtn_control_socket *control)
{
    unsigned count = 0;
    RTN_LIST_FOREACH (node, &control->clients)
        count++;
    return count;
}

/* False: all of them wait for answers. */
static bool make_room(struct rtn_control_socket *control)
{
    RTN_LIST_FOREACH (node, &control->clients) {
        struct rtn_control_client *client = RTN_CONTAINER_OF(node, struct rtn_control_client, node);
        if (client->call != NULL)
            continue;
        rtn_control_client_close(client);
        return true;
    }
    return false;
}

static void on_retry(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) events;
    struct rtn_control_socket *control = RTN_CONTAINER_OF(timer, struct rtn_control_socket, retry);
    ev_io_start(ev, &control->accept);
}

static void on_connection(struct ev_loop *ev, struct ev_io *io, int events)
{
    (void) events;
    struct rtn_control_socket *control = RTN_CONTAINER_OF(io, struct rtn_control_socket, accept);
    struct sockaddr_un peer;
    socklen_t length = sizeof(peer);
    int fd = accept4(io->fd, (struct sockaddr *) &peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED))
        return;
    if (fd < 0) {
        ev_io_stop(ev, &control->accept);
        ev_timer_set(&control->retry, RETRY_SECONDS, 0.);
        ev_timer_start(ev, &control->retry);
        return;
    }
    if (count_clients(control) >= MOST_CLIENTS && !make_room(control)) {
        rtn_fd_close(&fd);
        return;
    }
    (void) rtn_control_client_new(control->daemon, fd, may_order(fd), &control->clients, &control->dead, ev);
}

static void sweep(struct rtn_control_socket *control)
{
    for (struct rtn_list *node = rtn_list_pop(&control->dead); node != NULL; node = rtn_list_pop(&control->dead))
        rtn_control_client_free(RTN_CONTAINER_OF(node, struct rtn_control_client, node));
}

static void on_prepare(struct ev_loop *ev, struct ev_prepare *prepare, int events)
{
    (void) ev;
    (void) events;
    sweep(RTN_CONTAINER_OF(prepare, struct rtn_control_socket, sweep));
}

/* Its place */

static bool is_chosen(const struct rtn_daemon *daemon)
{
    return daemon->generation->config->daemon.control != NULL;
}

/* The place that is taken when none is chosen has to be there already. */
static bool is_usable(const char *path)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf folder = { 0 };
    const char *slash = strrchr(path, '/');
    rtn_buf_append(&folder, path, (size_t) (slash - path));
    return access(folder.data, W_OK | X_OK) == 0;
}

static const char *explain(int r)
{
    return r == -EADDRINUSE ? "a daemon that runs has it; stop that one, or choose another path"
           : r == -EACCES   ? "permission denied: the daemon may not write to its folder"
           : r == -ENOENT   ? "its folder does not exist"
           : r == -ENOTDIR  ? "its folder is not a folder"
           : r == -ENOTSOCK ? "there is a file that is not a socket"
                            : strerror(-r);
}

static int open_listener(const char *path, struct rtn_listener **ret)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf address = { 0 };
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf error = { 0 };
    struct rtn_activation none = { 0 };
    rtn_buf_printf(&address, "unix:%s", path);
    return rtn_listener_open(address.data, 0600, 1, &none, ret, &error);
}

static void add_problem(struct rtn_daemon *daemon, enum rtn_severity severity, const char *path, int r)
{
    rtn_diags_add(&daemon->diags, severity, rtn_schema_mark(daemon->generation->config->daemon.node, "control"),
                  "cannot make the control socket %s: %s", path, explain(r));
}

void rtn_control_socket_check(struct rtn_daemon *daemon)
{
    const char *path = rtn_config_control_path(daemon->generation->config);
    struct rtn_listener *listener = NULL;
    if (path == NULL || !is_chosen(daemon))
        return;
    int r = open_listener(path, &listener);
    rtn_listener_close(listener);
    if (r < 0)
        add_problem(daemon, r == -EADDRINUSE ? RTN_SEVERITY_WARNING : RTN_SEVERITY_ERROR, path, r);
}

/* Another daemon may have the usual place: that keeps none from being started. */
static bool do_without(const char *path, int r)
{
    rtn_log(RTN_LOG_WARN, "there is no control socket: %s: %s", path, explain(r));
    return true;
}

bool rtn_control_socket_open(struct rtn_daemon *daemon)
{
    const char *path = rtn_config_control_path(daemon->generation->config);
    struct rtn_listener *listener;
    if (path == NULL)
        return true;
    if (!is_chosen(daemon) && !is_usable(path)) {
        rtn_log(RTN_LOG_INFO, "there is no control socket: the folder of %s is not there, or not ours to write to",
                path);
        return true;
    }
    int r = open_listener(path, &listener);
    if (r < 0 && !is_chosen(daemon))
        return do_without(path, r);
    if (r < 0) {
        add_problem(daemon, RTN_SEVERITY_ERROR, path, r);
        return rtn_daemon_report(daemon);
    }
    struct rtn_control_socket *control = calloc(1, sizeof(*control));
    if (control == NULL) {
        rtn_listener_close(listener);
        return false;
    }
    control->daemon = daemon;
    control->listener = listener;
    rtn_list_init(&control->clients);
    rtn_list_init(&control->dead);
    rtn_list_init(&daemon->levels);
    daemon->control_socket = control;
    return true;
}

void rtn_control_socket_start(struct rtn_daemon *daemon)
{
    struct rtn_control_socket *control = daemon->control_socket;
    if (control == NULL)
        return;
    control->ev = daemon->ev;
    ev_io_init(&control->accept, on_connection, control->listener->sockets[0].fd, EV_READ);
    ev_timer_init(&control->retry, on_retry, 0., 0.);
    ev_prepare_init(&control->sweep, on_prepare);
    ev_io_start(control->ev, &control->accept);
    ev_prepare_start(control->ev, &control->sweep);
}

void rtn_control_socket_stop(struct rtn_daemon *daemon)
{
    if (daemon->control_socket != NULL)
        rtn_listener_stop(daemon->control_socket->listener);
}

void rtn_control_socket_done(struct rtn_daemon *daemon)
{
    struct rtn_control_socket *control = daemon->control_socket;
    if (control == NULL)
        return;
    daemon->control_socket = NULL;
    rtn_control_level_done(daemon);
    if (control->ev != NULL) {
        ev_io_stop(control->ev, &control->accept);
        ev_timer_stop(control->ev, &control->retry);
        ev_prepare_stop(control->ev, &control->sweep);
    }
    RTN_LIST_FOREACH (node, &control->clients)
        rtn_control_client_close(RTN_CONTAINER_OF(node, struct rtn_control_client, node));
    sweep(control);
    rtn_listener_close(control->listener);
    free(control);
}
