/*
 * The notification protocol without a library: one datagram to the socket that NOTIFY_SOCKET names, a path or, with
 * '@', an abstract name. A descriptor rides along as SCM_RIGHTS. The sender waits when the manager is slow to read, as
 * with any other implementation; datagrams arrive in order, so no answer is needed.
 */
#include "daemon/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"

static int manager_address(struct sockaddr_un *ret, socklen_t *ret_length)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL || (path[0] != '/' && path[0] != '@'))
        return -ENOTCONN;
    size_t length = strlen(path);
    if (length >= sizeof(ret->sun_path))
        return -ENAMETOOLONG;
    *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(ret->sun_path, path, length);
    if (path[0] == '@')
        ret->sun_path[0] = '\0';
    *ret_length = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length);
    return 0;
}

/* `fd` -1: none. */
static int send_text(const struct rtn_buf *text, int fd)
{
    struct sockaddr_un address;
    socklen_t length;
    int r = manager_address(&address, &length);
    if (r < 0)
        return r;
    RTN_CLEANUP(rtn_fd_close) int out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (out < 0)
        return -errno;
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { .space = { 0 } };
    struct iovec part = { .iov_base = text->data, .iov_len = text->length };
    struct msghdr message = { .msg_name = &address, .msg_namelen = length, .msg_iov = &part, .msg_iovlen = 1 };
    if (fd >= 0) {
        control.header =
            (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
        memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
        message.msg_control = control.space;
        message.msg_controllen = sizeof(control.space);
    }
    return sendmsg(out, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

void rtn_notify(const char *format, ...)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    rtn_buf_vprintf(&text, format, arguments);
    va_end(arguments);
    (void) send_text(&text, -1);
}

void rtn_notify_reloading(void)
{
    struct timespec now;
    (void) clock_gettime(CLOCK_MONOTONIC, &now);
    rtn_notify("RELOADING=1\nMONOTONIC_USEC=%lld", (long long) now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

int rtn_notify_fd(int fd, const char *format, ...)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    rtn_buf_vprintf(&text, format, arguments);
    va_end(arguments);
    return send_text(&text, fd);
}

static int64_t environment_number(const char *name)
{
    const char *text = getenv(name);
    int64_t number;
    return text != NULL && rtn_parse_int(rtn_str_of(text), &number) == 0 ? number : -1;
}

int64_t rtn_notify_watchdog_us(void)
{
    int64_t interval = environment_number("WATCHDOG_USEC");
    if (interval <= 0 || (getenv("WATCHDOG_PID") != NULL && environment_number("WATCHDOG_PID") != getpid()))
        return 0;
    return interval;
}
