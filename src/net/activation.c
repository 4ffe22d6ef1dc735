/*
 * Socket activation without a library: three environment variables and descriptors from 3 up
 * (sd_listen_fds(3), sd_listen_fds_with_names(3)). A socket without a name is called "unknown", as there.
 */
#include "net/activation.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "net/addr.h"

#define FIRST_FD 3
#define MOST_FDS 1024

static int environment_number(const char *name, int64_t *ret)
{
    const char *text = getenv(name);
    return text != NULL ? rtn_parse_int(rtn_str_of(text), ret) : -ENOENT;
}

static bool is_listening_stream(int fd)
{
    int value;
    socklen_t length = sizeof(value);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length) < 0 || value != SOCK_STREAM)
        return false;
    length = sizeof(value);
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value != 0;
}

static int add(struct rtn_activation *activation, size_t index, struct rtn_str name)
{
    int fd = FIRST_FD + (int) index;
    int r = rtn_fd_set_cloexec(fd);
    if (r < 0)
        return r;
    activation->sockets[index].fd = fd;
    activation->sockets[index].name = rtn_str_dup(name);
    if (activation->sockets[index].name == NULL)
        return -ENOMEM;
    activation->count++;
    return 0;
}

static int read_sockets(struct rtn_activation *activation, size_t count)
{
    activation->sockets = calloc(count, sizeof(*activation->sockets));
    if (activation->sockets == NULL)
        return -ENOMEM;
    struct rtn_str names = rtn_str_of(getenv("LISTEN_FDNAMES"));
    for (size_t i = 0; i < count; i++) {
        struct rtn_str name;
        if (!rtn_str_next(&names, ':', &name) || name.length == 0)
            name = RTN_STR("unknown");
        int r = add(activation, i, name);
        if (r < 0)
            return r;
    }
    return 0;
}

int rtn_activation_read(struct rtn_activation *ret)
{
    struct rtn_activation activation = { 0 };
    int64_t pid;
    int64_t count;
    int r = 0;
    if (environment_number("LISTEN_PID", &pid) == 0 && pid == getpid() &&
        environment_number("LISTEN_FDS", &count) == 0 && count > 0) {
        r = count <= MOST_FDS ? read_sockets(&activation, (size_t) count) : -E2BIG;
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    if (r < 0) {
        rtn_activation_done(&activation);
        return r;
    }
    *ret = activation;
    return 0;
}

int rtn_activation_take(struct rtn_activation *activation, const char *name)
{
    for (size_t i = 0; i < activation->count; i++) {
        int fd = activation->sockets[i].fd;
        if (fd < 0 || strcmp(activation->sockets[i].name, name) != 0 || !is_listening_stream(fd))
            continue;
        activation->sockets[i].fd = -1;
        return fd;
    }
    return -1;
}

static bool was_left(const struct rtn_activation_socket *socket)
{
    return socket->fd >= 0 && strncmp(socket->name, RTN_ACTIVATION_KEPT, strlen(RTN_ACTIVATION_KEPT)) == 0;
}

static bool is_bound_to(int fd, const struct sockaddr *address, socklen_t length, int v6_only)
{
    struct sockaddr_storage bound;
    socklen_t bound_length = sizeof(bound);
    if (getsockname(fd, (struct sockaddr *) &bound, &bound_length) < 0 ||
        !rtn_addr_is_equal((struct sockaddr *) &bound, bound_length, address, length))
        return false;
    int value;
    socklen_t value_length = sizeof(value);
    if (v6_only < 0)
        return true;
    return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &value_length) == 0 && value == v6_only;
}

int rtn_activation_take_bound(struct rtn_activation *activation, const struct sockaddr *address, socklen_t length,
                              int v6_only)
{
    for (size_t i = 0; activation != NULL && i < activation->count; i++) {
        struct rtn_activation_socket *socket = &activation->sockets[i];
        if (!was_left(socket) || !is_bound_to(socket->fd, address, length, v6_only) || !is_listening_stream(socket->fd))
            continue;
        int fd = socket->fd;
        socket->fd = -1;
        return fd;
    }
    return -1;
}

static bool is_in_the_way(int fd, const struct sockaddr *address)
{
    struct sockaddr_storage bound;
    socklen_t length = sizeof(bound);
    return getsockname(fd, (struct sockaddr *) &bound, &length) == 0 &&
           rtn_addr_overlaps((struct sockaddr *) &bound, address);
}

/* They stay open: their names are needed by rtn_activation_drop(). */
bool rtn_activation_evict(struct rtn_activation *activation, const struct sockaddr *address)
{
    bool found = false;
    for (size_t i = 0; activation != NULL && i < activation->count; i++) {
        const struct rtn_activation_socket *socket = &activation->sockets[i];
        if (was_left(socket) && is_in_the_way(socket->fd, address))
            found = shutdown(socket->fd, SHUT_RDWR) == 0 || found;
    }
    return found;
}

void rtn_activation_drop(struct rtn_activation *activation, void (*unwanted)(const char *name))
{
    for (size_t i = 0; i < activation->count; i++) {
        struct rtn_activation_socket *socket = &activation->sockets[i];
        if (!was_left(socket))
            continue;
        unwanted(socket->name);
        (void) shutdown(socket->fd, SHUT_RDWR);
        rtn_fd_close(&socket->fd);
    }
}

void rtn_activation_give(struct rtn_activation *activation, const char *name, int fd)
{
    for (size_t i = 0; i < activation->count; i++) {
        if (activation->sockets[i].fd >= 0 || strcmp(activation->sockets[i].name, name) != 0)
            continue;
        activation->sockets[i].fd = fd;
        return;
    }
    rtn_fd_close(&fd);
}

char *rtn_activation_names(const struct rtn_activation *activation)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf names = { 0 };
    for (size_t i = 0; i < activation->count; i++)
        rtn_buf_printf(&names, "%s%s", i > 0 ? ", " : "", activation->sockets[i].name);
    return rtn_buf_steal(&names);
}

void rtn_activation_done(struct rtn_activation *activation)
{
    for (size_t i = 0; i < activation->count; i++) {
        rtn_fd_close(&activation->sockets[i].fd);
        free(activation->sockets[i].name);
    }
    free(activation->sockets);
    *activation = (struct rtn_activation){ 0 };
}
