/*
 * Lines to stderr or to a file: an ordinary line leaves in one write(2).
 *
 * No line waits long, whether the descriptor blocks or not: poll(2) says first that there is room, and no write is
 * larger than PIPE_BUF, which a pipe with room takes without blocking. A line that waited in vain is dropped, and for
 * a while so are all others at once: a reader that hangs costs lines, it does not stop the daemon. The next line that
 * gets through has one before it that tells how many were lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "log/log_sink.h"

/* Returns 0 when fd can be written, -EAGAIN when it cannot until `deadline`. Errors are left to write(2). */
static int wait_writable(int fd, int64_t deadline)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

    for (;;) {
        int64_t left = deadline - rtn_clock_ms();
        int ready = poll(&poll_fd, 1, (int) RTN_MAX(left, 0));
        if (ready > 0)
            return 0;
        if (ready == 0)
            return -EAGAIN;
        if (errno != EINTR)
            return -errno;
    }
}

/* Writes all of it or fails; *ret_written says how much was written either way. */
static int write_bytes(int fd, struct rtn_str bytes, int64_t deadline, size_t *ret_written)
{
    for (*ret_written = 0; *ret_written < bytes.length;) {
        int r = wait_writable(fd, deadline);
        if (r < 0)
            return r;
        ssize_t written = write(fd, bytes.data + *ret_written, RTN_MIN(bytes.length - *ret_written, (size_t) PIPE_BUF));
        if (written >= 0)
            *ret_written += (size_t) written;
        else if (errno != EINTR && (errno != EAGAIN || rtn_clock_ms() >= deadline))
            return -errno;
    }
    return 0;
}

static int write_line(struct rtn_log *log, const struct rtn_log_line *line, int64_t deadline)
{
    size_t written = 0;

    rtn_buf_clear(&log->buf);
    if (log->torn)
        rtn_buf_append_char(&log->buf, '\n');
    if (log->look == RTN_LOG_LOOK_JSON)
        rtn_log_json_line(line, &log->buf);
    else
        rtn_log_text_line(log->look, line, &log->buf);
    rtn_buf_append_char(&log->buf, '\n');
    int r = write_bytes(log->fd, rtn_buf_str(&log->buf), deadline, &written);
    if (r == 0)
        log->torn = false;
    else if (written > 0)
        log->torn = true;
    return r;
}

/* In the name of the thread whose line got through. */
static int tell_drops(struct rtn_log *log, const struct rtn_log_line *next, int64_t deadline)
{
    struct rtn_log_line line = *next;
    uint64_t drops = rtn_log_drops(log);
    char text[64];

    if (drops == log->told)
        return 0;
    (void) snprintf(text, sizeof(text), "log lines lost before this one: %" PRIu64, drops - log->told);
    line.level = RTN_LOG_WARN;
    line.message = rtn_str_of(text);
    int r = write_line(log, &line, deadline);
    if (r == 0)
        log->told = drops;
    return r;
}

static int stream_write(struct rtn_log *log, const struct rtn_log_line *line)
{
    int64_t now = rtn_clock_ms();

    if (now < log->paused_until)
        return -EAGAIN;
    int r = tell_drops(log, line, now + RTN_LOG_WAIT);
    if (r == 0)
        r = write_line(log, line, now + RTN_LOG_WAIT);
    if (r == -EAGAIN)
        log->paused_until = rtn_clock_ms() + RTN_LOG_PAUSE;
    return r;
}

int rtn_log_stderr_line(const struct rtn_log_line *line)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf buf = { 0 };
    size_t written = 0;

    rtn_log_text_line(RTN_LOG_LOOK_PLAIN, line, &buf);
    rtn_buf_append_char(&buf, '\n');
    return write_bytes(STDERR_FILENO, rtn_buf_str(&buf), rtn_clock_ms() + RTN_LOG_WAIT, &written);
}

/* JOURNAL_STREAM is "DEVICE:INODE" of the socket; a child may have inherited it with another stderr. */
bool rtn_log_stderr_is_journal(void)
{
    struct rtn_str rest = rtn_str_of(getenv("JOURNAL_STREAM"));
    struct rtn_str device;
    int64_t device_number = 0;
    int64_t inode_number = 0;
    struct stat st;

    if (!rtn_str_next(&rest, ':', &device) || rtn_parse_int(device, &device_number) < 0 ||
        rtn_parse_int(rest, &inode_number) < 0)
        return false;
    return fstat(STDERR_FILENO, &st) == 0 && st.st_dev == (dev_t) device_number && st.st_ino == (ino_t) inode_number;
}

/* https://no-color.org: set to anything but an empty string. */
static bool wants_color(void)
{
    const char *no_color = getenv("NO_COLOR");

    return (no_color == NULL || *no_color == '\0') && isatty(STDERR_FILENO) == 1;
}

static int stderr_open(struct rtn_log *log, const struct rtn_log_options *options)
{
    log->fd = STDERR_FILENO;
    if (options->format == RTN_LOG_JSON)
        log->look = RTN_LOG_LOOK_JSON;
    else if (rtn_log_stderr_is_journal())
        log->look = RTN_LOG_LOOK_PRIORITY;
    else
        log->look = wants_color() ? RTN_LOG_LOOK_COLOR : RTN_LOG_LOOK_PLAIN;
    return 0;
}

static void stderr_close(struct rtn_log *log)
{
    log->fd = -1;
}

static int open_file(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    return fd < 0 ? -errno : fd;
}

static int file_open(struct rtn_log *log, const struct rtn_log_options *options)
{
    if (options->path == NULL)
        return -EINVAL;
    int fd = open_file(options->path);
    if (fd < 0)
        return fd;
    log->path = rtn_str_dup(rtn_str_of(options->path));
    if (log->path == NULL) {
        rtn_fd_close(&fd);
        return -ENOMEM;
    }
    log->fd = fd;
    log->look = options->format == RTN_LOG_JSON ? RTN_LOG_LOOK_JSON : RTN_LOG_LOOK_PLAIN;
    return 0;
}

static void file_close(struct rtn_log *log)
{
    rtn_fd_close(&log->fd);
    free(log->path);
    log->path = NULL;
}

int rtn_log_stream_reopen(struct rtn_log *log)
{
    int fd = open_file(log->path);
    if (fd < 0)
        return fd;
    (void) pthread_mutex_lock(&log->mutex);
    int old = log->fd;
    log->fd = fd;
    log->torn = false;
    log->paused_until = 0;
    (void) pthread_mutex_unlock(&log->mutex);
    rtn_fd_close(&old);
    return 0;
}

const struct rtn_log_sink rtn_log_stderr_sink = { stderr_open, stream_write, stderr_close };
const struct rtn_log_sink rtn_log_file_sink = { file_open, stream_write, file_close };
