/* Thin wrappers that turn errno into return values and keep errno where it matters. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void rtn_fd_close(int *fd)
{
    int saved = errno;

    /* Linux has closed the descriptor even when it says EINTR; closing again could hit someone else's. */
    if (*fd >= 0)
        (void) close(*fd);
    *fd = -1;
    errno = saved;
}

int rtn_fd_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0)
        return -errno;
    if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

int rtn_fd_set_cloexec(int fd)
{
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0)
        return -errno;
    if (fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0)
        return -errno;
    return 0;
}
