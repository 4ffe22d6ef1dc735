/*
 * The descriptor does not block: a FIFO that is full is waited for by poll(2), in short turns, so that whoever wants to
 * stop gets his way. What could be opened is told by the permissions of the file when it is there, else by those of its
 * folder.
 */
#include "log/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"

#define FILE_MODE 0640
#define POLL_MS 100

static int open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, FILE_MODE);
    return fd < 0 ? -errno : fd;
}

int rtn_log_file_open(struct rtn_log_file *file, const char *path)
{
    int fd = open_file(path);
    if (fd < 0)
        return fd;
    file->fd = fd;
    file->torn = false;
    atomic_init(&file->give_up_at, INT64_MAX);
    return 0;
}

int rtn_log_file_reopen(struct rtn_log_file *file, const char *path)
{
    int fd = open_file(path);
    if (fd < 0)
        return fd;
    rtn_fd_close(&file->fd);
    file->fd = fd;
    file->torn = false;
    return 0;
}

void rtn_log_file_close(struct rtn_log_file *file)
{
    rtn_fd_close(&file->fd);
}

/* 0 when the file can be written, or -EAGAIN when it is given up. */
static int wait_writable(const struct rtn_log_file *file)
{
    struct pollfd poll_fd = { .fd = file->fd, .events = POLLOUT };
    while (rtn_clock_ms() < atomic_load(&file->give_up_at)) {
        if (poll(&poll_fd, 1, POLL_MS) > 0)
            return 0;
    }
    return -EAGAIN;
}

static int write_bytes(const struct rtn_log_file *file, struct rtn_str bytes, size_t *ret_written)
{
    *ret_written = 0;
    while (*ret_written < bytes.length) {
        ssize_t written = write(file->fd, bytes.data + *ret_written, bytes.length - *ret_written);
        if (written >= 0) {
            *ret_written += (size_t) written;
        } else if (errno == EAGAIN) {
            int r = wait_writable(file);
            if (r < 0)
                return r;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static int mend(struct rtn_log_file *file)
{
    size_t written;
    int r = file->torn ? write_bytes(file, RTN_STR("\n"), &written) : 0;
    if (r == 0)
        file->torn = false;
    return r;
}

int rtn_log_file_write(struct rtn_log_file *file, struct rtn_str lines, size_t *ret_written)
{
    *ret_written = 0;
    if (lines.length == 0)
        return 0;
    int r = mend(file);
    if (r == 0)
        r = write_bytes(file, lines, ret_written);
    if (r < 0 && *ret_written > 0)
        file->torn = lines.data[*ret_written - 1] != '\n';
    return r;
}

static int check_folder(const char *path)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf folder = { 0 };
    const char *slash = strrchr(path, '/');
    if (slash != NULL)
        rtn_buf_append(&folder, path, (size_t) (slash - path));
    rtn_buf_append_text(&folder, slash != NULL ? "/" : ".");
    return access(folder.data, W_OK | X_OK) < 0 ? -errno : 0;
}

/* Opening a FIFO does no harm, and tells whether somebody reads it. */
static int check_fifo(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    (void) close(fd);
    return 0;
}

int rtn_log_file_check(const char *path)
{
    struct stat info;
    if (stat(path, &info) < 0)
        return errno == ENOENT ? check_folder(path) : -errno;
    if (S_ISDIR(info.st_mode))
        return -EISDIR;
    if (S_ISSOCK(info.st_mode))
        return -ENXIO;
    if (S_ISFIFO(info.st_mode))
        return check_fifo(path);
    return access(path, W_OK) < 0 ? -errno : 0;
}
