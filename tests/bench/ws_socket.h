/* The sockets of ws_load: connections to the daemon, handshakes and requests on them. What fails ends the process. */
#ifndef BENCH_WS_SOCKET_H
#define BENCH_WS_SOCKET_H

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PER_ADDRESS 5000 /* connections from one address: ports are 28,000 */

/* So little is on its way that the socket takes it. */
static void send_all(int fd, const void *data, size_t length)
{
    if (send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t) length)
        err(1, "send");
}

/* Many more than one address has ports. */
static int connect_to_daemon(int port, unsigned number)
{
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons((uint16_t) port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const struct sockaddr_in from = { .sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK + number / PER_ADDRESS) };
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (fd < 0 || bind(fd, (const struct sockaddr *) &from, sizeof(from)) < 0 ||
        connect(fd, (const struct sockaddr *) &to, sizeof(to)) < 0)
        err(1, "connect");
    return fd;
}

/* Room for so much on its way: send_all() relies on it. Little has room as it is. */
static void widen(int fd, size_t length)
{
    int size = (int) (2 * length);
    if (size > 16384)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static void send_handshake(int fd, const char *path, bool deflate)
{
    char text[1024];
    int length = snprintf(text, sizeof(text),
                          "GET %s HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                          path, deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    send_all(fd, text, (size_t) length);
}

/* Of what has come it takes the head, or all with `body`, and nothing of what follows. Heads come in one piece. */
static void read_answer(int fd, const char *body, char *text, size_t room)
{
    ssize_t n = recv(fd, text, room - 1, MSG_PEEK);
    if (n <= 0)
        err(1, "no answer");
    text[n] = '\0';
    const char *end = strstr(text, "\r\n\r\n");
    if (end == NULL || strncmp(end + 4, body, strlen(body)) != 0)
        errx(1, "not the answer expected:\n%s", text);
    size_t length = (size_t) (end - text) + 4 + strlen(body);
    if (read(fd, text, length) != (ssize_t) length)
        err(1, "read");
    text[length] = '\0';
}

static void read_handshake(int fd, bool deflate)
{
    char text[2048];
    read_answer(fd, "", text, sizeof(text));
    if (strncmp(text, "HTTP/1.1 101 ", 13) != 0 || strstr(text, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == NULL ||
        (strstr(text, "permessage-deflate") != NULL) != deflate)
        errx(1, "not the answer expected:\n%s", text);
}

#endif
