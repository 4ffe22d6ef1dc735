#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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

enum { MUCH = 1000000 };

struct reader {
    int fd;
    size_t count;
    unsigned char sum;
};

static void *read_all(void *argument)
{
    struct reader *reader = argument;
    unsigned char bytes[777];
    ssize_t got = 0;

    while ((got = read(reader->fd, bytes, sizeof(bytes))) > 0) {
        for (ssize_t i = 0; i < got; i++)
            reader->sum = (unsigned char) (reader->sum * 31 + bytes[i]);
        reader->count += (size_t) got;
    }
    return NULL;
}

Test(fd, write_all_through_a_small_pipe)
{
    int fds[2];
    pthread_t thread;
    unsigned char *data = malloc(MUCH);
    unsigned char sum = 0;

    cr_assert_eq(pipe(fds), 0);
    for (size_t i = 0; i < MUCH; i++) {
        data[i] = (unsigned char) (i * 7 + i / 256);
        sum = (unsigned char) (sum * 31 + data[i]);
    }
    struct reader reader = { .fd = fds[0] };
    cr_assert_eq(pthread_create(&thread, NULL, read_all, &reader), 0);
    cr_assert_eq(rtn_fd_write_all(fds[1], data, MUCH), 0);
    rtn_fd_close(&fds[1]);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert_eq(reader.count, MUCH);
    cr_assert_eq(reader.sum, sum);
    free(data);
}

Test(fd, write_all_errors)
{
    int fds[2];

    (void) signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(pipe(fds), 0);
    rtn_fd_close(&fds[0]);
    cr_assert_eq(rtn_fd_write_all(fds[1], "x", 1), -EPIPE);
    cr_assert_eq(rtn_fd_write_all(-1, "", 0), 0);
    cr_assert_eq(rtn_fd_write_all(-1, "x", 1), -EBADF);
}
