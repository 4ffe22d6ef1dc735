/*
 * Opening listening sockets. A port of its own goes to [::] with IPv4 included, to 0.0.0.0 where there is
 * no IPv6. SO_REUSEPORT would hide that another process has the port, so a group is preceded by a plain
 * bind that fails in that case.
 */
#include "net/listener_internal.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"

static const struct {
    int error;
    const char *text;
} explanations[] = {
    { EADDRINUSE, "the address is in use (ss -lxtnp shows by which program)" },
    { EACCES, "permission denied; ports below 1024 need CAP_NET_BIND_SERVICE or a systemd socket, "
              "a unix socket needs a folder that the daemon may write to" },
    { EPERM, "permission denied; ports below 1024 need CAP_NET_BIND_SERVICE or a systemd socket" },
    { EADDRNOTAVAIL, "no interface of this machine has that address (ip addr shows them)" },
    { ENOENT, "the folder of the socket does not exist" },
    { ENOTDIR, "the folder of the socket is not a folder" },
    { ENOTSOCK, "there is a file that is not a socket" },
    { EAFNOSUPPORT, "this machine does not support that kind of address" },
};

static int explain(struct rtn_buf *error, const char *address, int r)
{
    const char *text = strerror(-r);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(explanations); i++) {
        if (explanations[i].error == -r)
            text = explanations[i].text;
    }
    rtn_buf_printf(error, "cannot listen on %s: %s", address, text);
    return r;
}

static int set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/*
 * Connections get TCP_NODELAY from the socket that they come in by, as it was when they were established. So it is set
 * before the socket listens; whoever accepts from one that is inherited sets it for each.
 */
static int set_tcp_options(int fd)
{
    int r = set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return r < 0 ? r : set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

/* A bound socket that does not listen yet, or -errno. `v6_only` -1: not IPv6. */
int rtn_listener_bind(const struct sockaddr *address, socklen_t length, bool reuse_port, int v6_only)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    int r = 0;
    if (address->sa_family != AF_UNIX)
        r = set_tcp_options(fd);
    if (r == 0 && reuse_port)
        r = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (r == 0 && v6_only >= 0)
        r = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6_only);
    if (r == 0 && bind(fd, address, length) < 0)
        r = -errno;
    if (r < 0) {
        rtn_fd_close(&fd);
        return r;
    }
    return fd;
}

static int add_socket(struct rtn_listener *listener, int fd, int loop, bool inherited)
{
    struct rtn_listener_socket *sockets =
        reallocarray(listener->sockets, listener->count + 1, sizeof(*listener->sockets));
    if (sockets == NULL) {
        rtn_fd_close(&fd);
        return -ENOMEM;
    }
    listener->sockets = sockets;
    listener->sockets[listener->count++] =
        (struct rtn_listener_socket){ .fd = fd, .loop = loop, .inherited = inherited };
    return 0;
}

int rtn_listener_listen(struct rtn_listener *listener, int fd, int loop)
{
    if (listen(fd, SOMAXCONN) < 0) {
        int r = -errno;
        rtn_fd_close(&fd);
        return r;
    }
    return add_socket(listener, fd, loop, false);
}

/* Appends the address that `fd` really has, and stores it in *ret. */
int rtn_listener_note_address(struct rtn_listener *listener, int fd, struct sockaddr_storage *ret,
                              socklen_t *ret_length)
{
    *ret_length = sizeof(*ret);
    if (getsockname(fd, (struct sockaddr *) ret, ret_length) < 0)
        return -errno;
    char text[RTN_ADDR_TEXT_SIZE];
    rtn_addr_format(text, (struct sockaddr *) ret, *ret_length);
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    if (listener->text != NULL)
        rtn_buf_printf(&all, "%s ", listener->text);
    rtn_buf_append_text(&all, text);
    free(listener->text);
    listener->text = rtn_buf_steal(&all);
    return 0;
}

/* Sockets that were left. 1: there were some, and the address gets no others; 0: there were none; -errno. */
static int inherit(struct rtn_listener *listener, struct rtn_activation *activation, const struct sockaddr *address,
                   socklen_t length, int v6_only)
{
    int fd;
    int found = 0;
    while ((fd = rtn_activation_take_bound(activation, address, length, v6_only)) >= 0) {
        int r = rtn_fd_set_nonblocking(fd);
        r = r < 0 ? r : add_socket(listener, fd, found++, true);
        if (r < 0)
            return r;
        listener->sockets[listener->count - 1].kept = true;
    }
    if (found == 0)
        return 0;
    struct sockaddr_storage bound;
    socklen_t bound_length;
    int r = rtn_listener_note_address(listener, listener->sockets[listener->count - 1].fd, &bound, &bound_length);
    return r < 0 ? r : 1;
}

static int open_alone(struct rtn_listener *listener, const struct sockaddr *address, socklen_t length, int v6_only)
{
    int fd = rtn_listener_bind(address, length, false, v6_only);
    if (fd < 0)
        return fd;
    int r = rtn_listener_listen(listener, fd, 0);
    if (r < 0)
        return r;
    struct sockaddr_storage bound;
    socklen_t bound_length;
    return rtn_listener_note_address(listener, fd, &bound, &bound_length);
}

static int open_group(struct rtn_listener *listener, const struct sockaddr *address, socklen_t length, int v6_only,
                      unsigned loops)
{
    int probe = rtn_listener_bind(address, length, false, v6_only);
    if (probe < 0)
        return probe;
    int r = listen(probe, 1) < 0 ? -errno : 0;
    rtn_fd_close(&probe);
    if (r < 0)
        return r;

    struct sockaddr_storage bound;
    socklen_t bound_length = length;
    memcpy(&bound, address, length);
    for (unsigned i = 0; i < loops; i++) {
        int fd = rtn_listener_bind((struct sockaddr *) &bound, bound_length, true, v6_only);
        if (fd < 0)
            return fd;
        r = rtn_listener_listen(listener, fd, (int) i);
        if (r < 0)
            return r;
        if (i == 0) {
            r = rtn_listener_note_address(listener, fd, &bound, &bound_length);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

static int bind_address(struct rtn_listener *listener, const struct sockaddr *address, socklen_t length, int v6_only,
                        unsigned loops)
{
    if (loops == 1)
        return open_alone(listener, address, length, v6_only);
    return open_group(listener, address, length, v6_only, loops);
}

static int open_address(struct rtn_listener *listener, const struct sockaddr *address, socklen_t length, int v6_only,
                        unsigned loops, struct rtn_activation *activation)
{
    int r = inherit(listener, activation, address, length, v6_only);
    if (r != 0)
        return RTN_MIN(r, 0);
    r = bind_address(listener, address, length, v6_only, loops);
    if (r == -EADDRINUSE && rtn_activation_evict(activation, address))
        r = bind_address(listener, address, length, v6_only, loops);
    return r;
}

/* PORT alone: every address of the machine. */
static int open_any(struct rtn_listener *listener, const struct rtn_addr *addr, unsigned loops,
                    struct rtn_activation *activation)
{
    in_port_t port = htons((uint16_t) strtoul(addr->port, NULL, 10));
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = port, .sin6_addr = IN6ADDR_ANY_INIT };
    int r = open_address(listener, (struct sockaddr *) &v6, sizeof(v6), 0, loops, activation);
    if (r != -EAFNOSUPPORT && r != -EADDRNOTAVAIL)
        return r;
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = port, .sin_addr = { htonl(INADDR_ANY) } };
    return open_address(listener, (struct sockaddr *) &v4, sizeof(v4), -1, loops, activation);
}

static int open_host(struct rtn_listener *listener, const struct rtn_addr *addr, const char *text, unsigned loops,
                     struct rtn_activation *activation, struct rtn_buf *error)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    int r = getaddrinfo(addr->host, addr->port, &hints, &found);
    if (r != 0) {
        rtn_buf_printf(error, "cannot listen on %s: host \"%s\": %s", text, addr->host, gai_strerror(r));
        return -EINVAL;
    }
    /* A name may stand for addresses that this machine does not have, such as ::1 without IPv6: one is enough. */
    int missing = 0;
    for (struct addrinfo *info = found; info != NULL && r == 0; info = info->ai_next) {
        r = open_address(listener, info->ai_addr, info->ai_addrlen, info->ai_family == AF_INET6 ? 1 : -1, loops,
                         activation);
        if (r == -EADDRNOTAVAIL || r == -EAFNOSUPPORT) {
            missing = r;
            r = 0;
        }
    }
    freeaddrinfo(found);
    if (r == 0 && listener->count == 0)
        r = missing;
    return r < 0 ? explain(error, text, r) : 0;
}

static int open_systemd(struct rtn_listener *listener, const struct rtn_addr *addr, struct rtn_activation *activation,
                        struct rtn_buf *error)
{
    int fd;
    listener->activated = true;
    listener->activation = activation;
    while ((fd = rtn_activation_take(activation, addr->name)) >= 0) {
        int r = rtn_fd_set_nonblocking(fd);
        if (r == 0)
            r = add_socket(listener, fd, RTN_LISTENER_ALL_LOOPS, true);
        struct sockaddr_storage bound;
        socklen_t length;
        if (r == 0)
            r = rtn_listener_note_address(listener, fd, &bound, &length);
        if (r < 0)
            return r;
    }
    if (listener->count > 0)
        return 0;
    char *names = rtn_activation_names(activation);
    rtn_buf_printf(error,
                   "cannot listen on systemd:%s: the service manager passed no listening socket of that name "
                   "(FileDescriptorName=%s in a .socket unit); it passed: %s",
                   addr->name, addr->name, names != NULL && names[0] != '\0' ? names : "none");
    free(names);
    return -ENOENT;
}

int rtn_listener_open(const char *address, mode_t mode, unsigned loops, struct rtn_activation *activation,
                      struct rtn_listener **ret, struct rtn_buf *error)
{
    struct rtn_addr addr;
    int r = rtn_addr_parse(address, &addr);
    if (r < 0)
        return explain(error, address, r);
    struct rtn_listener *listener = calloc(1, sizeof(*listener));
    char *copy = strdup(address);
    if (listener == NULL || copy == NULL) {
        free(listener);
        free(copy);
        return explain(error, address, -ENOMEM);
    }
    listener->references = 1;
    listener->address = copy;

    size_t error_length = error->length;
    if (addr.kind == RTN_ADDR_UNIX)
        r = rtn_listener_open_unix(listener, &addr, mode, activation);
    else if (addr.kind == RTN_ADDR_SYSTEMD)
        r = open_systemd(listener, &addr, activation, error);
    else if (addr.host[0] == '\0')
        r = open_any(listener, &addr, loops, activation);
    else
        r = open_host(listener, &addr, address, loops, activation, error);

    if (r < 0) {
        if (error->length == error_length)
            (void) explain(error, address, r);
        rtn_listener_close(listener);
        return r;
    }
    *ret = listener;
    return 0;
}

int rtn_listener_check(const char *address, struct rtn_buf *error)
{
    struct rtn_addr addr;
    if (rtn_addr_parse(address, &addr) == 0 && addr.kind == RTN_ADDR_SYSTEMD)
        return 0; /* only the service manager knows */
    struct rtn_activation none = { 0 };
    struct rtn_listener *listener = NULL;
    int r = rtn_listener_open(address, RTN_LISTENER_DEFAULT_MODE, 1, &none, &listener, error);
    rtn_listener_close(listener);
    return r;
}
