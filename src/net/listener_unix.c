/*
 * Unix sockets and their files: a stale file (nobody accepts there any more) is replaced, a file that is not ours is
 * never removed.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/listener_internal.h"

static int unix_address(const struct rtn_addr *addr, struct sockaddr_un *ret, socklen_t *ret_length)
{
    size_t length = strlen(addr->name);
    if (length >= sizeof(ret->sun_path))
        return -ENAMETOOLONG;
    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(ret->sun_path, addr->name, length);
    *ret_length = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length);
    if (addr->name[0] == '@')
        ret->sun_path[0] = '\0';
    else
        ++*ret_length;
    return 0;
}

/* True for a socket that nobody accepts on any more. */
static bool is_stale(const struct sockaddr_un *un, socklen_t length)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused = connect(fd, (const struct sockaddr *) un, length) < 0 && errno == ECONNREFUSED;
    rtn_fd_close(&fd);
    return refused;
}

static int bind_unix(const struct sockaddr_un *un, socklen_t length)
{
    int fd = rtn_listener_bind((const struct sockaddr *) un, length, false, -1);
    struct stat st;
    if (fd != -EADDRINUSE || un->sun_path[0] == '\0' || lstat(un->sun_path, &st) < 0)
        return fd;
    if (!S_ISSOCK(st.st_mode))
        return -ENOTSOCK;
    if (!is_stale(un, length))
        return fd;
    if (unlink(un->sun_path) < 0)
        return -errno;
    return rtn_listener_bind((const struct sockaddr *) un, length, false, -1);
}

/* Of a file that a daemon before this one has made. */
static mode_t usual_mode(void)
{
    mode_t mask = umask(0);
    (void) umask(mask);
    return 0777 & ~mask;
}

static int note_socket_file(struct rtn_listener *listener, const char *path, mode_t mode, bool inherited)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return -errno;
    listener->socket_device = st.st_dev;
    listener->socket_inode = st.st_ino;
    listener->default_mode = inherited ? usual_mode() : st.st_mode & 0777;
    listener->socket_file = strdup(path);
    if (listener->socket_file == NULL)
        return -ENOMEM;
    return inherited || mode != RTN_LISTENER_DEFAULT_MODE ? rtn_listener_set_mode(listener, mode) : 0;
}

/* The one that was left, unless its file is gone, so that nobody would find it; else -1. */
static int take_unix(struct rtn_activation *activation, const struct sockaddr_un *un, socklen_t length)
{
    struct stat st;
    if (un->sun_path[0] != '\0' && (lstat(un->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode)))
        return -1;
    int fd = rtn_activation_take_bound(activation, (const struct sockaddr *) un, length, -1);
    return fd >= 0 && rtn_fd_set_nonblocking(fd) == 0 ? fd : -1;
}

int rtn_listener_open_unix(struct rtn_listener *listener, const struct rtn_addr *addr, mode_t mode,
                           struct rtn_activation *activation)
{
    struct sockaddr_un un;
    socklen_t length;
    int r = unix_address(addr, &un, &length);
    if (r < 0)
        return r;
    int fd = take_unix(activation, &un, length);
    bool inherited = fd >= 0;
    if (!inherited)
        fd = bind_unix(&un, length);
    if (fd < 0)
        return fd;
    if (un.sun_path[0] != '\0')
        r = note_socket_file(listener, un.sun_path, mode, inherited);
    if (r < 0) {
        rtn_fd_close(&fd);
        return r;
    }
    r = rtn_listener_listen(listener, fd, RTN_LISTENER_ALL_LOOPS);
    if (r < 0)
        return r;
    listener->sockets[0].kept = inherited;
    struct sockaddr_storage bound;
    return rtn_listener_note_address(listener, fd, &bound, &length);
}

void rtn_listener_remove_file(struct rtn_listener *listener)
{
    struct stat st;
    if (listener->socket_file != NULL && lstat(listener->socket_file, &st) == 0 &&
        st.st_dev == listener->socket_device && st.st_ino == listener->socket_inode)
        (void) unlink(listener->socket_file);
    free(listener->socket_file);
    listener->socket_file = NULL;
}
