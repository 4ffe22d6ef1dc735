/*
 * The peer of the WebSocket measurements: many connections from one thread, so cheap that what is measured is the
 * daemon. Each frame is masked with a mask of its own, and what comes back is compared.
 *
 *   ws_load MODE -p PORT -u PATH -c CONNECTIONS [-s SIZE] [-d DEPTH] [-z] -t SECONDS | -n COUNT
 *
 * echo       each connection sends messages, DEPTH of them on their way
 * broadcast  the first connection sends, all receive; DEPTH messages that not all of them have
 * connect    opens, shakes hands and closes, CONNECTIONS at a time
 * idle       each connection sends COUNT messages and stays open
 * requests   each connection sends one HTTP request and stays open
 *
 * -s  bytes of a message (100)
 * -z  with permessage-deflate
 * -t  for so many seconds
 * -n  ends after so many messages per connection; of a broadcast, so many sent; of connect, so many connections
 *
 * Says when all connections are open, and begins when it gets a line. Then writes the number of messages received (of
 * connections, with connect), the seconds they took and how many of these it had the processor, and holds the
 * connections until its input ends.
 */
#include <err.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "ws_frame.h"
#include "ws_socket.h"

#define INPUT_SIZE (256 * 1024)
#define EVENTS 1024
#define DEPTH_MOST 64

/* With 1000: normal. */
static const unsigned char close_frame[] = { FRAME_CLOSE, 0x82, 0x21, 0x3d, 0x37, 0xfa, 0x22, 0xd5 };

struct connection {
    int fd;
    uint64_t to_send; /* messages that are not sent so far */
    uint64_t to_come; /* messages that have not come so far */
    struct frame_reader reader;
};

struct mode {
    const char *name;
    void (*open)(void);
    void (*begin)(void);
    void (*input)(struct connection *connection);
};

static struct {
    const struct mode *mode;
    int port;
    const char *path;
    unsigned count;
    unsigned depth;
    size_t size;
    bool deflate;
    double seconds; /* 0: until `rounds` were made */
    uint64_t rounds;
} options = { .depth = 1, .size = 100 };

static int epoll;
static struct connection *connections;
static unsigned char *burst; /* has room for options.depth frames */
static uint64_t received;
static unsigned unfinished; /* connections */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

static double processor_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double) time.tv_sec + (double) time.tv_nsec / 1e9;
}

static uint64_t rounds(void)
{
    return options.seconds > 0 ? UINT64_MAX : options.rounds;
}

static void watch(struct connection *connection)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, connection->fd, &event) < 0)
        err(1, "epoll_ctl");
}

/* echo, broadcast, idle */

static void send_messages(struct connection *connection, uint64_t count)
{
    if (count > connection->to_send)
        count = connection->to_send;
    connection->to_send -= count;
    size_t length = 0;
    for (uint64_t i = 0; i < count; i++)
        length += frame_put(burst + length);
    if (length > 0)
        send_all(connection->fd, burst, length);
}

static uint64_t read_messages(struct connection *connection)
{
    static unsigned char input[INPUT_SIZE];
    ssize_t n = read(connection->fd, input, sizeof(input));
    if (n <= 0)
        errx(1, "a connection was closed");
    uint64_t count = frame_count(&connection->reader, input, (size_t) n);
    if (count > connection->to_come)
        errx(1, "more came than was sent");
    connection->to_come -= count;
    unfinished -= count > 0 && connection->to_come == 0;
    received += count;
    return count;
}

static void open_all(void)
{
    for (unsigned i = 0; i < options.count; i++) {
        struct connection *connection = &connections[i];
        connection->fd = connect_to_daemon(options.port, i);
        connection->to_come = connection->to_send = rounds();
        widen(connection->fd, options.depth * frame_room());
        send_handshake(connection->fd, options.path, options.deflate);
        read_handshake(connection->fd, options.deflate);
        watch(connection);
    }
    unfinished = rounds() > 0 ? options.count : 0;
}

static void begin_echo(void)
{
    for (unsigned i = 0; i < options.count; i++)
        send_messages(&connections[i], options.depth);
}

static void on_echo(struct connection *connection)
{
    send_messages(connection, read_messages(connection));
}

static void begin_broadcast(void)
{
    send_messages(&connections[0], options.depth);
}

/* A message is over when the last connection has it. Those under way are told apart by their number. */
static void on_broadcast(struct connection *connection)
{
    static unsigned have[DEPTH_MOST]; /* connections that have it */
    uint64_t before = connection->to_come;
    uint64_t over = 0;
    (void) read_messages(connection);
    for (uint64_t i = before; i > connection->to_come; i--) {
        unsigned *slot = &have[i % options.depth];
        if (++*slot < options.count)
            continue;
        *slot = 0;
        over++;
    }
    send_messages(&connections[0], over);
}

/* connect */

static void open_one(struct connection *connection)
{
    connection->to_come = 1;
    connection->fd = connect_to_daemon(options.port, 0);
    send_handshake(connection->fd, options.path, options.deflate);
    watch(connection);
}

static void open_none(void)
{
    unfinished = 1;
    if (options.count > rounds())
        options.count = (unsigned) rounds();
}

static void begin_connect(void)
{
    for (unsigned i = 0; i < options.count; i++)
        open_one(&connections[i]);
}

/* The answer to the handshake, then that to the closing frame, then the end. */
static void on_connect(struct connection *connection)
{
    char rest[256];
    if (connection->to_come > 0) {
        read_handshake(connection->fd, options.deflate);
        connection->to_come = 0;
        send_all(connection->fd, close_frame, sizeof(close_frame));
        return;
    }
    if (read(connection->fd, rest, sizeof(rest)) > 0)
        return;
    close(connection->fd);
    if (++received + options.count <= rounds())
        open_one(connection);
    else if (received == rounds())
        unfinished = 0;
}

/* requests */

static void open_requests(void)
{
    char text[2048];
    int length = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", options.path);
    for (unsigned i = 0; i < options.count; i++) {
        char answer[2048];
        connections[i].fd = connect_to_daemon(options.port, i);
        send_all(connections[i].fd, text, (size_t) length);
        read_answer(connections[i].fd, "hello world\n", answer, sizeof(answer));
        received++;
    }
}

static void begin_nothing(void)
{
}

static const struct mode modes[] = {
    { "echo", open_all, begin_echo, on_echo },          { "broadcast", open_all, begin_broadcast, on_broadcast },
    { "idle", open_all, begin_echo, on_echo },          { "connect", open_none, begin_connect, on_connect },
    { "requests", open_requests, begin_nothing, NULL },
};

static void run(double until)
{
    static struct epoll_event events[EVENTS];
    while (unfinished > 0 && (until == 0 || now() < until)) {
        int count = epoll_wait(epoll, events, EVENTS, 60000);
        if (count <= 0)
            errx(1, "nothing came for a minute");
        for (int i = 0; i < count; i++)
            options.mode->input(events[i].data.ptr);
    }
}

/* A line, or the end of the input. */
static void wait_for_input(void)
{
    char byte = 0;
    fflush(stdout);
    while (byte != '\n' && read(STDIN_FILENO, &byte, 1) > 0)
        continue;
}

static const struct mode *find_mode(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (strcmp(modes[i].name, name) == 0)
            return &modes[i];
    }
    errx(2, "no such mode");
}

static void read_options(int argc, char **argv)
{
    int option;
    options.mode = find_mode(argv[1]);
    while ((option = getopt(argc - 1, argv + 1, "p:u:c:s:d:zt:n:")) != -1) {
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
        case 's':
            options.size = strtoull(optarg, NULL, 10);
            break;
        case 'd':
            options.depth = (unsigned) atoi(optarg);
            break;
        case 'z':
            options.deflate = true;
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
    if (options.port == 0 || options.path == NULL || options.count == 0)
        errx(2, "-p, -u and -c are needed");
    if (options.depth == 0 || options.depth > DEPTH_MOST || options.size == 0)
        errx(2, "-d is from 1 to %d, -s at least 1", DEPTH_MOST);
}

static void prepare(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
    }
    content_init(options.size, options.deflate);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    connections = calloc(options.count, sizeof(*connections));
    burst = malloc(options.depth * frame_room());
    if (epoll < 0 || connections == NULL || burst == NULL)
        err(1, "no memory");
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    prepare();
    options.mode->open();
    puts("open");
    wait_for_input();
    double start = now();
    double used = processor_time();
    options.mode->begin();
    run(options.seconds > 0 ? start + options.seconds : 0);
    double took = now() - start;
    printf("%llu %.6f %.6f\n", (unsigned long long) received, took, processor_time() - used);
    wait_for_input();
    return 0;
}
