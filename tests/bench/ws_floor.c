/*
 * The floor of WebSocket: the least that a server of one thread can do for a message, as floor.c does for a request.
 * One loop of epoll; one recv for what has come, one send for all that goes to a connection because of it, unmasked on
 * the way from one buffer to the other. It believes its clients: texts are not looked at, and the key is the one that
 * ws_load sends.
 *
 *   ws_floor PORT
 *
 * What comes on /topic goes to all that are on it, what comes on another path goes back.
 */
#include <err.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "floor_listen.h"

#define EVENTS 1024
#define BUFFER_SIZE (128 * 1024)
#define SUBSCRIBERS 65536
#define OPCODE_CLOSE 8

#define HANDSHAKE                                                \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n" \
    "Connection: Upgrade\r\n"                                    \
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

struct connection {
    int fd;
    bool open; /* hands were shaken */
    bool subscribed;
    size_t length; /* of what has come */
    unsigned char input[BUFFER_SIZE];
};

struct frame {
    const unsigned char *content;
    const unsigned char *mask;
    uint64_t length;
    unsigned opcode;
};

static struct connection *subscribers[SUBSCRIBERS];
static size_t subscriber_count;
static unsigned char output[BUFFER_SIZE];
static size_t output_length;

/* It waits when the socket is full: the client reads whatever we do. */
static void send_all(int fd, const void *data, size_t length)
{
    (void) send(fd, data, length, MSG_NOSIGNAL);
}

/* Returns the length of the frame; 0: it is not there in full. */
static size_t read_frame(const unsigned char *at, size_t length, struct frame *frame)
{
    unsigned longer = length < 2 ? 0 : (at[1] & 0x7f) == 127 ? 8 : (at[1] & 0x7f) == 126 ? 2 : 0;
    size_t header = 6 + longer;
    if (length < header)
        return 0;
    frame->opcode = at[0] & 0x0f;
    frame->length = longer == 0 ? at[1] & 0x7f : 0;
    for (unsigned i = 0; i < longer; i++)
        frame->length = frame->length << 8 | at[2 + i];
    frame->mask = at + 2 + longer;
    frame->content = at + header;
    if (frame->length > BUFFER_SIZE - header)
        errx(1, "a message is too long");
    return length < header + frame->length ? 0 : header + (size_t) frame->length;
}

static void unmask(unsigned char *restrict to, const struct frame *frame)
{
    const unsigned char *restrict from = frame->content;
    uint32_t mask;
    memcpy(&mask, frame->mask, sizeof(mask));
    uint64_t wide = (uint64_t) mask << 32 | mask;
    size_t i = 0;
    for (; i + sizeof(wide) <= frame->length; i += sizeof(wide)) {
        uint64_t word;
        memcpy(&word, from + i, sizeof(word));
        word ^= wide;
        memcpy(to + i, &word, sizeof(word));
    }
    for (; i < frame->length; i++)
        to[i] = from[i] ^ frame->mask[i & 3];
}

static void put_frame(const struct frame *frame)
{
    unsigned char *to = output + output_length;
    unsigned longer = frame->length > UINT16_MAX ? 8 : frame->length > 125 ? 2 : 0;
    to[0] = (unsigned char) (0x80 | frame->opcode);
    to[1] = longer == 8 ? 127 : longer == 2 ? 126 : (unsigned char) frame->length;
    for (unsigned i = 0; i < longer; i++)
        to[2 + i] = (unsigned char) (frame->length >> 8 * (longer - 1 - i));
    unmask(to + 2 + longer, frame);
    output_length += 2 + longer + (size_t) frame->length;
}

static void send_output(const struct connection *connection)
{
    if (!connection->subscribed) {
        send_all(connection->fd, output, output_length);
        return;
    }
    for (size_t i = 0; i < subscriber_count; i++)
        send_all(subscribers[i]->fd, output, output_length);
}

/* What has come in full goes out, the rest to the begin of the buffer. */
static void take_frames(struct connection *connection)
{
    struct frame frame = { 0 };
    size_t at = 0;
    output_length = 0;
    for (size_t n; (n = read_frame(connection->input + at, connection->length - at, &frame)) > 0; at += n)
        put_frame(&frame);
    connection->length -= at;
    memmove(connection->input, connection->input + at, connection->length);
    if (output_length > 0)
        send_output(connection);
    if (frame.opcode == OPCODE_CLOSE)
        (void) shutdown(connection->fd, SHUT_WR);
}

static void shake_hands(struct connection *connection)
{
    static const char topic[] = "GET /topic ";
    if (memmem(connection->input, connection->length, "\r\n\r\n", 4) == NULL)
        return;
    connection->open = true;
    connection->length = 0;
    connection->subscribed = memcmp(connection->input, topic, sizeof(topic) - 1) == 0;
    if (connection->subscribed && subscriber_count == SUBSCRIBERS)
        errx(1, "too many connections");
    if (connection->subscribed)
        subscribers[subscriber_count++] = connection;
    send_all(connection->fd, HANDSHAKE, sizeof(HANDSHAKE) - 1);
}

static void end(struct connection *connection)
{
    for (size_t i = 0; connection->subscribed && i < subscriber_count; i++) {
        if (subscribers[i] == connection)
            subscribers[i] = subscribers[--subscriber_count];
    }
    close(connection->fd);
    free(connection);
}

static void serve(struct connection *connection)
{
    size_t room = sizeof(connection->input) - connection->length;
    ssize_t n = recv(connection->fd, connection->input + connection->length, room, 0);
    if (n <= 0) {
        end(connection);
        return;
    }
    connection->length += (size_t) n;
    if (connection->open)
        take_frames(connection);
    else
        shake_hands(connection);
}

static void take_connection(int epoll, int listener)
{
    struct connection *connection = malloc(sizeof(*connection));
    if (connection == NULL)
        err(1, "malloc");
    connection->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    connection->open = connection->subscribed = false;
    connection->length = 0;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    if (connection->fd < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        err(1, "accept");
}

int main(int argc, char **argv)
{
    if (argc != 2)
        errx(2, "usage: ws_floor PORT");
    static struct epoll_event events[EVENTS];
    int listener = floor_listen((int) strtol(argv[1], NULL, 10));
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = { .events = EPOLLIN };
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0)
        err(1, "epoll");
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                take_connection(epoll, listener);
            else
                serve(events[i].data.ptr);
        }
    }
}
