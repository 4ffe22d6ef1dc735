/*
 * The notification protocol without a library: one datagram to the socket that NOTIFY_SOCKET names, a path or, with
 * '@', an abstract name.
 */
#include "daemon/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/buf.h"
#include "base/fd.h"

static void send_text(const char *path, const struct rtn_buf *text)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    RTN_CLEANUP(rtn_fd_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void) sendto(fd, text->data, text->length, MSG_NOSIGNAL, (struct sockaddr *) &address,
                  (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length));
}

void rtn_notify(const char *format, ...)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL)
        return;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    rtn_buf_vprintf(&text, format, arguments);
    va_end(arguments);
    send_text(path, &text);
}
