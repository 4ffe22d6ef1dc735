/*
 * Lines to the journal in its native protocol: one datagram of FIELD=value lines per line. The format
 * option has no say here, since journalctl formats. The journal keeps time and process itself.
 *
 * Datagrams stay far below every socket buffer, because messages are cut; so there is no need for the
 * protocol's way of passing large entries in a file.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/fd.h"
#include "log/log_sink.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

static void append_field(const char *name, struct rtn_str value, struct rtn_buf *out)
{
    rtn_buf_append_text(out, name);
    rtn_buf_append_char(out, '=');
    rtn_log_escape(value, out);
    rtn_buf_append_char(out, '\n');
}

void rtn_log_journal_fields(const struct rtn_log_line *line, struct rtn_buf *out)
{
    append_field("MESSAGE", line->message, out);
    rtn_buf_printf(out, "PRIORITY=%d\nSYSLOG_IDENTIFIER=retinued\nTID=%d\n", rtn_log_priority(line->level),
                   (int) line->tid);
    if (line->server != NULL)
        append_field("RETINUE_SERVER", rtn_str_of(line->server), out);
    append_field("RETINUE_THREAD", rtn_str_of(line->thread), out);
    if (line->request != NULL)
        append_field("RETINUE_REQUEST", rtn_str_of(line->request), out);
}

int rtn_log_journal_connect(struct rtn_log *log, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    RTN_CLEANUP(rtn_fd_close) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
        return -errno;
    log->fd = fd;
    fd = -1;
    return 0;
}

static int send_datagram(int fd, struct rtn_str bytes)
{
    ssize_t sent = -1;

    do {
        sent = send(fd, bytes.data, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : 0;
}

/* The socket is gone and may be back under the same name: the journal has been started again. */
static int reconnect_and_send(struct rtn_log *log, struct rtn_str bytes)
{
    int old = log->fd;
    int r = rtn_log_journal_connect(log, log->path);

    if (r < 0)
        return r;
    rtn_fd_close(&old);
    return send_datagram(log->fd, bytes);
}

static int journal_write(struct rtn_log *log, const struct rtn_log_line *line)
{
    rtn_buf_clear(&log->buf);
    rtn_log_journal_fields(line, &log->buf);
    int r = send_datagram(log->fd, rtn_buf_str(&log->buf));
    if (r == -EAGAIN) {
        struct pollfd poll_fd = { .fd = log->fd, .events = POLLOUT };
        if (poll(&poll_fd, 1, RTN_LOG_WAIT) > 0)
            r = send_datagram(log->fd, rtn_buf_str(&log->buf));
    }
    if (r == -ECONNREFUSED || r == -ENOTCONN || r == -ECONNRESET)
        r = reconnect_and_send(log, rtn_buf_str(&log->buf));
    return r;
}

static int journal_open(struct rtn_log *log, const struct rtn_log_options *options)
{
    const char *path = options->path != NULL ? options->path : JOURNAL_SOCKET;
    int r = rtn_log_journal_connect(log, path);

    if (r < 0)
        return r;
    log->path = rtn_str_dup(rtn_str_of(path));
    if (log->path != NULL)
        return 0;
    rtn_fd_close(&log->fd);
    return -ENOMEM;
}
static void journal_close(struct rtn_log *log)
{
    rtn_fd_close(&log->fd);
    free(log->path);
    log->path = NULL;
}

const struct rtn_log_sink rtn_log_journal_sink = { journal_open, journal_write, journal_close };
