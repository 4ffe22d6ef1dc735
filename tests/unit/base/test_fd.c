#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/fd.h"
#include "base/macros.h"

Test(fd, close_keeps_errno)
{
    int fds[2];
    int none = -1;

    cr_assert_eq(pipe(fds), 0);
    errno = ENOTTY;
    int copy = fds[0];
    rtn_fd_close(&fds[0]);
    rtn_fd_close(&fds[0]);
    rtn_fd_close(&none);
    rtn_fd_close(&copy); /* closed already: EBADF must not show */
    cr_assert_eq(errno, ENOTTY);
    cr_assert_eq(fds[0], -1);
    cr_assert_eq(fcntl(fds[1], F_GETFD), 0);
    rtn_fd_close(&fds[1]);
}

Test(fd, cleanup_closes)
{
    int number = -1;

    {
        RTN_CLEANUP(rtn_fd_close) int fd = open("/dev/null", O_RDONLY);
        number = fd;
        cr_assert_geq(fcntl(number, F_GETFD), 0);
    }
    cr_assert_eq(fcntl(number, F_GETFD), -1);
}

Test(fd, flags)
{
    int fd = open("/dev/null", O_RDONLY);

    cr_assert_eq(rtn_fd_set_nonblocking(fd), 0);
    cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    cr_assert_eq(rtn_fd_set_cloexec(fd), 0);
    cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    rtn_fd_close(&fd);
    cr_assert_eq(rtn_fd_set_nonblocking(-1), -EBADF);
    cr_assert_eq(rtn_fd_set_cloexec(-1), -EBADF);
}
