/*
 * One end of a socket pair is the connection; a thread carries bytes between the other and the descriptors 0 and 1. In
 * each direction there is one buffer, which is filled when it is empty. Descriptors are left blocking: they are asked
 * before they are read, and written to in pieces that they take when they say so.
 */
#include "net/stdio_bridge.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "loop/loop.h"

#define INPUT_SIZE 16384
#define FAREWELL_MS 1000 /* for what is still to be written when it is freed */

/* Bytes on their way. */
struct lane {
    char bytes[INPUT_SIZE];
    size_t start;
    size_t end;
};

struct rtn_stdio_bridge {
    pthread_t thread;
    int pair; /* our end */
    int stop; /* an eventfd */
    bool stopping;
    bool input_ended;
    struct lane in; /* from standard input */
    struct lane out; /* to standard output */
};

enum { INPUT, OUTPUT, PAIR, STOP, COUNT };

static bool is_empty(const struct lane *lane)
{
    return lane->start == lane->end;
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

/* Of read() or recv() into an empty lane: false at the end. */
static bool took(struct lane *lane, ssize_t n)
{
    if (n <= 0)
        return n < 0 && is_passing(errno);
    lane->start = 0;
    lane->end = (size_t) n;
    return true;
}

/* Of write() or send() from a lane: false when nothing can be written any more. */
static bool gave(struct lane *lane, ssize_t n)
{
    if (n < 0)
        return is_passing(errno);
    lane->start += (size_t) n;
    return true;
}

static void end_input(struct rtn_stdio_bridge *bridge)
{
    bridge->input_ended = true;
    (void) shutdown(bridge->pair, SHUT_WR);
}

static void read_input(struct rtn_stdio_bridge *bridge)
{
    if (!took(&bridge->in, read(STDIN_FILENO, bridge->in.bytes, sizeof(bridge->in.bytes))))
        end_input(bridge);
}

/* What cannot be told to the connection is of no use. */
static void give_input(struct rtn_stdio_bridge *bridge)
{
    struct lane *in = &bridge->in;
    if (gave(in, send(bridge->pair, in->bytes + in->start, in->end - in->start, MSG_DONTWAIT | MSG_NOSIGNAL)))
        return;
    in->start = in->end;
    end_input(bridge);
}

static bool take_output(struct rtn_stdio_bridge *bridge)
{
    return took(&bridge->out, recv(bridge->pair, bridge->out.bytes, sizeof(bridge->out.bytes), MSG_DONTWAIT));
}

/* A pipe that can be written to takes PIPE_BUF bytes without blocking. */
static bool write_output(struct rtn_stdio_bridge *bridge)
{
    struct lane *out = &bridge->out;
    size_t length = out->end - out->start;
    return gave(out, write(STDOUT_FILENO, out->bytes + out->start, length < PIPE_BUF ? length : PIPE_BUF));
}

/* A descriptor below 0 is not looked at. */
static void ask(const struct rtn_stdio_bridge *bridge, struct pollfd fds[COUNT])
{
    bool wants_input = is_empty(&bridge->in) && !bridge->input_ended && !bridge->stopping;
    fds[INPUT] = (struct pollfd){ .fd = wants_input ? STDIN_FILENO : -1, .events = POLLIN };
    fds[OUTPUT] = (struct pollfd){ .fd = STDOUT_FILENO };
    fds[PAIR] = (struct pollfd){ .fd = bridge->pair };
    fds[STOP] = (struct pollfd){ .fd = bridge->stopping ? -1 : bridge->stop, .events = POLLIN };
    if (is_empty(&bridge->out))
        fds[PAIR].events |= POLLIN;
    else
        fds[OUTPUT].events |= POLLOUT;
    if (!is_empty(&bridge->in))
        fds[PAIR].events |= POLLOUT;
    if (fds[PAIR].events == 0) /* it would tell of its end again and again */
        fds[PAIR].fd = -1;
}

/* False when the connection or standard output is at its end. */
static bool carry(struct rtn_stdio_bridge *bridge, const struct pollfd fds[COUNT])
{
    bridge->stopping = bridge->stopping || fds[STOP].revents != 0;
    if (fds[INPUT].revents != 0)
        read_input(bridge);
    if (fds[PAIR].revents != 0 && !is_empty(&bridge->in))
        give_input(bridge);
    if (is_empty(&bridge->out))
        return (fds[OUTPUT].revents & (POLLERR | POLLHUP | POLLNVAL)) == 0 &&
               (fds[PAIR].revents == 0 || take_output(bridge));
    return fds[OUTPUT].revents == 0 || write_output(bridge);
}

static void *run(void *data)
{
    struct rtn_stdio_bridge *bridge = data;
    struct pollfd fds[COUNT];
    bool goes_on = true;
    while (goes_on) {
        ask(bridge, fds);
        int r = poll(fds, COUNT, -1);
        goes_on = r >= 0 ? carry(bridge, fds) : errno == EINTR;
    }
    rtn_fd_close(&bridge->pair);
    return NULL;
}

static int start(struct rtn_stdio_bridge *bridge)
{
    bridge->stop = eventfd(0, EFD_CLOEXEC);
    if (bridge->stop < 0)
        return -errno;
    return rtn_thread_start(&bridge->thread, run, bridge);
}

int rtn_stdio_bridge_new(struct rtn_stdio_bridge **ret, int *fd)
{
    int pair[2];
    struct rtn_stdio_bridge *bridge = malloc(sizeof(*bridge));
    if (bridge == NULL)
        return -ENOMEM;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        int r = -errno;
        free(bridge);
        return r;
    }
    *bridge = (struct rtn_stdio_bridge){ .pair = pair[0], .stop = -1 };
    int r = rtn_fd_set_nonblocking(pair[1]);
    if (r == 0)
        r = start(bridge);
    if (r < 0) {
        rtn_fd_close(&pair[1]);
        rtn_fd_close(&bridge->pair);
        rtn_fd_close(&bridge->stop);
        free(bridge);
        return r;
    }
    *ret = bridge;
    *fd = pair[1];
    return 0;
}

/* A thread that is stuck in a write to a terminal that nobody reads is cut off: it holds nothing. */
static void join(struct rtn_stdio_bridge *bridge)
{
    struct timespec until = rtn_clock_after(CLOCK_REALTIME, FAREWELL_MS);
    if (pthread_timedjoin_np(bridge->thread, NULL, &until) == 0)
        return;
    (void) pthread_cancel(bridge->thread);
    (void) pthread_join(bridge->thread, NULL);
}

void rtn_stdio_bridge_free(struct rtn_stdio_bridge *bridge)
{
    if (bridge == NULL)
        return;
    const uint64_t one = 1;
    (void) !write(bridge->stop, &one, sizeof(one));
    join(bridge);
    rtn_fd_close(&bridge->pair);
    rtn_fd_close(&bridge->stop);
    free(bridge);
}
