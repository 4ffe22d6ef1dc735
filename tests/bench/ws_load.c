/*
 * The peer of the WebSocket measurements: many connections from one thread, each with the same number of messages on
 * their way. All of them are the same frame, masked and compressed once, so that what is measured is the daemon.
 *
 *   ws_load -p PORT -u PATH -c CONNECTIONS [-d DEPTH] [-z] [-b] -t SECONDS | -n ROUNDS
 *
 * -d  messages that each connection has on their way at a time
 * -z  with permessage-deflate
 * -b  broadcast: the first connection sends, all receive, and it sends again when all have it
 * -t  for so many seconds
 * -n  ends after so many messages per connection; with -b, so many sent
 *
 * Says when all connections are open, and begins when it gets a line. Then writes the number of messages received and
 * the seconds they took, and holds the connections until its input ends.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define ZLIB_CONST
#include <zlib.h>

#define FRAME_MOST 256
#define HEADER_LENGTH 6 /* of a frame with a mask and less than 126 bytes */
#define INPUT_SIZE 65536
#define EVENTS 256

static const char text[] = "{\"kind\": \"measure\", \"text\": \"The quick brown fox jumps over the lazy dog.\", "
                           "\"number\": 1234567890123}";

struct connection {
    int fd;
    uint64_t to_send; /* messages that are not sent so far */
    uint64_t to_come; /* messages that have not come so far */
    unsigned char header[10]; /* of the frame that is being read */
    unsigned header_length;
    uint64_t left; /* bytes of its content */
};

static struct {
    int port;
    const char *path;
    unsigned count;
    unsigned depth;
    bool deflate;
    bool broadcast;
    double seconds; /* 0: until `rounds` were made */
    uint64_t rounds;
} options = { .depth = 1 };

static struct connection *connections;
static unsigned char *burst; /* options.depth frames */
static size_t frame_length;
static uint64_t received;
static unsigned unfinished; /* connections */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

/* Bytes of the message as they are sent, which refer to no other message. */
static size_t make_content(unsigned char *out, size_t room)
{
    if (!options.deflate) {
        memcpy(out, text, sizeof(text) - 1);
        return sizeof(text) - 1;
    }
    z_stream z = { .next_in = (const Bytef *) text, .avail_in = sizeof(text) - 1 };
    z.next_out = out;
    z.avail_out = (uInt) room;
    if (deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&z, Z_SYNC_FLUSH) != Z_OK)
        errx(1, "zlib failed");
    size_t length = room - z.avail_out - 4; /* the end of the flush stays behind (RFC 7692) */
    (void) deflateEnd(&z);
    return length;
}

static void make_burst(void)
{
    static const unsigned char mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    unsigned char frame[FRAME_MOST];
    size_t length = make_content(frame + HEADER_LENGTH, sizeof(frame) - HEADER_LENGTH);
    frame[0] = options.deflate ? 0xc1 : 0x81;
    frame[1] = (unsigned char) (0x80 | length);
    memcpy(frame + 2, mask, 4);
    for (size_t i = 0; i < length; i++)
        frame[HEADER_LENGTH + i] ^= mask[i & 3];
    frame_length = HEADER_LENGTH + length;
    burst = malloc(options.depth * frame_length);
    if (burst == NULL)
        err(1, "malloc");
    for (unsigned i = 0; i < options.depth; i++)
        memcpy(burst + i * frame_length, frame, frame_length);
}

static void shake_hands(int fd)
{
    char buffer[2048];
    int length = snprintf(buffer, sizeof(buffer),
                          "GET %s HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                          options.path, options.deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    if (write(fd, buffer, (size_t) length) != length)
        err(1, "write");
    size_t end = 0;
    while (end < 4 || memcmp(buffer + end - 4, "\r\n\r\n", 4) != 0) {
        if (end == sizeof(buffer) - 1 || read(fd, buffer + end, 1) != 1) /* nothing of what follows */
            errx(1, "no answer to the handshake");
        end++;
    }
    buffer[end] = '\0';
    if (strncmp(buffer, "HTTP/1.1 101 ", 13) != 0 || (strstr(buffer, "permessage-deflate") != NULL) != options.deflate)
        errx(1, "not the answer expected:\n%s", buffer);
}

static int open_connection(void)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t) options.port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
        err(1, "connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    shake_hands(fd);
    return fd;
}

/* So little is on its way that the socket takes it. */
static void send_messages(struct connection *connection, uint64_t count)
{
    if (count > connection->to_send)
        count = connection->to_send;
    connection->to_send -= count;
    while (count > 0) {
        size_t part = count < options.depth ? (size_t) count : options.depth;
        if (write(connection->fd, burst, part * frame_length) != (ssize_t) (part * frame_length))
            err(1, "write");
        count -= part;
    }
}

/* Sets what is left of a frame whose header is there; false when it is not there in full. */
static bool read_header(struct connection *connection)
{
    const unsigned char *header = connection->header;
    unsigned longer = header[1] == 127 ? 8 : header[1] == 126 ? 2 : 0;
    if (connection->header_length < 2 + longer)
        return false;
    connection->left = longer == 0 ? header[1] : 0;
    for (unsigned i = 0; i < longer; i++)
        connection->left = connection->left << 8 | header[2 + i];
    if ((header[0] & 0x0f) != 1)
        errx(1, "opcode %d came", header[0] & 0x0f);
    return true;
}

/* How many messages end in there. */
static uint64_t count_messages(struct connection *connection, const unsigned char *data, size_t length)
{
    uint64_t count = 0;
    for (size_t at = 0; at < length;) {
        if (connection->left == 0) {
            connection->header[connection->header_length++] = data[at++];
            if (connection->header_length < 2 || !read_header(connection))
                continue;
            connection->header_length = 0;
        }
        size_t part = length - at < connection->left ? length - at : (size_t) connection->left;
        connection->left -= part;
        at += part;
        count += connection->left == 0;
    }
    return count;
}

static void answer(struct connection *connection, uint64_t count)
{
    if (count > connection->to_come)
        errx(1, "more came than was sent");
    connection->to_come -= count;
    unfinished -= count > 0 && connection->to_come == 0;
    uint64_t rounds_before = received / options.count;
    received += count;
    if (options.broadcast)
        send_messages(&connections[0], received / options.count - rounds_before);
    else
        send_messages(connection, count);
}

static void take_input(struct connection *connection)
{
    static unsigned char input[INPUT_SIZE];
    ssize_t n = read(connection->fd, input, sizeof(input));
    if (n <= 0)
        errx(1, "a connection was closed");
    answer(connection, count_messages(connection, input, (size_t) n));
}

static void run(int epoll, double until)
{
    struct epoll_event events[EVENTS];
    while (unfinished > 0 && (until == 0 || now() < until)) {
        int count = epoll_wait(epoll, events, EVENTS, 60000);
        if (count <= 0)
            errx(1, "nothing came for a minute");
        for (int i = 0; i < count; i++)
            take_input(events[i].data.ptr);
    }
}

static int open_all(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc(options.count, sizeof(*connections));
    if (epoll < 0 || connections == NULL)
        err(1, "epoll_create1");
    uint64_t rounds = options.seconds > 0 ? UINT64_MAX : options.rounds;
    for (unsigned i = 0; i < options.count; i++) {
        struct connection *connection = &connections[i];
        connection->fd = open_connection();
        connection->to_come = rounds;
        connection->to_send = !options.broadcast || i == 0 ? rounds : 0;
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
            err(1, "epoll_ctl");
    }
    unfinished = rounds > 0 ? options.count : 0;
    return epoll;
}

/* A line, or the end of the input. */
static void wait_for_input(void)
{
    char byte = 0;
    fflush(stdout);
    while (byte != '\n' && read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

static void read_options(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "p:u:c:d:zbt:n:")) != -1) {
        switch (option) {
        case 'p':
            options.port = atoi(optarg);
            break;
        case 'u':
            options.path = optarg;
            break;
        case 'c':
            options.count = (unsigned) atoi(optarg);
            break;
        case 'd':
            options.depth = (unsigned) atoi(optarg);
            break;
        case 'z':
            options.deflate = true;
            break;
        case 'b':
            options.broadcast = true;
            break;
        case 't':
            options.seconds = atof(optarg);
            break;
        case 'n':
            options.rounds = strtoull(optarg, NULL, 10);
            break;
        default:
            exit(2);
        }
    }
    if (options.port == 0 || options.path == NULL || options.count == 0 || options.depth == 0)
        errx(2, "-p, -u and -c are needed");
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    make_burst();
    int epoll = open_all();
    puts("open");
    wait_for_input();
    double start = now();
    for (unsigned i = 0; i < options.count; i++)
        send_messages(&connections[i], options.depth);
    run(epoll, options.seconds > 0 ? start + options.seconds : 0);
    double took = now() - start;
    printf("%llu %.6f\n", (unsigned long long) received, took);
    wait_for_input();
    return 0;
}
