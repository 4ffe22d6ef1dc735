/*
 * The floor: the least that a server of one thread can do for a request, so that what others take above it is their
 * own. One loop of epoll; one recv for what has come, one send for the replies to it. Replies are ready before anybody
 * asks, with the header fields that ours have. It believes its clients: whatever ends with an empty line is a request,
 * and a request that comes in pieces ends it.
 *
 *   floor PORT FILE
 *
 * GET / is answered with a greeting, GET /f... with the file by sendfile, POST with its own body. "close" in a request
 * for the greeting ends the connection.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "floor_listen.h"

#define EVENTS 512
#define INPUT_SIZE 65536
#define DESCRIPTORS 65536
#define PIPELINED 64 /* requests in one recv, at most */

#define HEAD "HTTP/1.1 200 OK\r\nDate: Sun, 22 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
#define GREETING HEAD "Content-Length: 12\r\n\r\nhello world\n"
#define LAST_GREETING HEAD "Content-Length: 12\r\nConnection: close\r\n\r\nhello world\n"

static char greetings[PIPELINED * (sizeof(GREETING) - 1)];
static char file_head[sizeof(HEAD) + 64];
static size_t file_head_length;
static off_t file_size;
static int file;
static off_t sent[DESCRIPTORS]; /* of the file, to each connection; 0: none is being sent */
static uint32_t watched[DESCRIPTORS]; /* events of each connection */
static int epoll;

/* Edges, so that nothing has to be said about a connection after this. */
static void watch(int fd, uint32_t events)
{
    struct epoll_event event = { .events = events | EPOLLET, .data.fd = fd };
    if (epoll_ctl(epoll, watched[fd] == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) < 0)
        err(1, "epoll_ctl");
    watched[fd] = events;
}

static void end(int fd)
{
    close(fd);
    sent[fd] = 0;
    watched[fd] = 0;
}

static void send_all(int fd, const void *data, size_t length, int flags)
{
    if (send(fd, data, length, flags | MSG_NOSIGNAL) != (ssize_t) length && errno != EPIPE && errno != ECONNRESET)
        err(1, "send");
}

/* As much as the socket takes; the rest when it takes more. */
static void send_file(int fd)
{
    if (sendfile(fd, file, &sent[fd], (size_t) (file_size - sent[fd])) < 0 && errno != EAGAIN)
        end(fd); /* the peer has gone */
    else if (sent[fd] == file_size)
        sent[fd] = 0;
    else if (!(watched[fd] & EPOLLOUT))
        watch(fd, EPOLLIN | EPOLLOUT);
}

static void begin_file(int fd)
{
    send_all(fd, file_head, file_head_length, MSG_MORE);
    send_file(fd);
}

static void echo(int fd, const char *input, size_t length)
{
    static char output[sizeof(HEAD) + 64 + INPUT_SIZE];
    static const char name[] = "Content-Length: ";
    const char *field = memmem(input, length, name, sizeof(name) - 1);
    const char *content = memmem(input, length, "\r\n\r\n", 4);
    if (field == NULL || content == NULL)
        errx(1, "a body without its length");
    size_t body = strtoul(field + sizeof(name) - 1, NULL, 10);
    if (content + 4 + body != input + length)
        errx(1, "a body came in pieces");
    int head = snprintf(output, sizeof(output), HEAD "Content-Length: %zu\r\n\r\n", body);
    memcpy(output + head, content + 4, body);
    send_all(fd, output, (size_t) head + body, 0);
}

static void send_last(int fd)
{
    send_all(fd, LAST_GREETING, sizeof(LAST_GREETING) - 1, 0);
    end(fd);
}

/* Each ends with an empty line. */
static size_t count_requests(const char *input, size_t length)
{
    const char *last = input + length;
    size_t count = 0;
    if (length < 4 || memcmp(last - 4, "\r\n\r\n", 4) != 0)
        errx(1, "a request came in pieces");
    for (const char *at = input; at < last; at++) {
        at = memchr(at, '\n', (size_t) (last - at)); /* the last is one */
        if (last - at > 2 && at[1] == '\r' && at[2] == '\n') {
            count++;
            at += 2;
        }
    }
    return count;
}

static void greet(int fd, const char *input, size_t length)
{
    size_t count = count_requests(input, length);
    if (count > PIPELINED)
        errx(1, "too many requests in one piece");
    if (count == 1 && memmem(input, length, "close\r\n", 7) != NULL)
        send_last(fd);
    else
        send_all(fd, greetings, count * (sizeof(GREETING) - 1), 0);
}

static void answer(int fd, const char *input, size_t length)
{
    static const char file_request[] = "GET /f";
    if (input[0] == 'P')
        echo(fd, input, length);
    else if (memcmp(input, file_request, sizeof(file_request) - 1) == 0)
        begin_file(fd);
    else
        greet(fd, input, length);
}

static void serve(int fd)
{
    static char input[INPUT_SIZE];
    ssize_t n = recv(fd, input, sizeof(input), 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n > 0)
        answer(fd, input, (size_t) n);
    else
        end(fd);
}

static void take_connections(int listener)
{
    int fd;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= DESCRIPTORS)
            errx(1, "too many connections");
        watch(fd, EPOLLIN);
    }
    if (errno != EAGAIN)
        err(1, "accept4");
}

static void make_replies(const char *path)
{
    struct stat status;
    for (size_t i = 0; i < PIPELINED; i++)
        memcpy(greetings + i * (sizeof(GREETING) - 1), GREETING, sizeof(GREETING) - 1);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) < 0)
        err(1, "%s", path);
    file_size = status.st_size;
    file_head_length =
        (size_t) snprintf(file_head, sizeof(file_head), HEAD "Content-Length: %lld\r\n\r\n", (long long) file_size);
}

static void run(int listener)
{
    struct epoll_event events[EVENTS];
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == listener)
                take_connections(listener);
            else if (sent[fd] > 0)
                send_file(fd);
            else if (events[i].events & ~(uint32_t) EPOLLOUT)
                serve(fd);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        errx(2, "usage: floor PORT FILE");
    signal(SIGPIPE, SIG_IGN);
    make_replies(argv[2]);
    int listener = floor_listen((int) strtol(argv[1], NULL, 10));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        err(1, "epoll_create1");
    watch(listener, EPOLLIN);
    run(listener);
}
