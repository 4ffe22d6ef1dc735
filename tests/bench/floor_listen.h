/* The listening socket of the floors. */
#ifndef BENCH_FLOOR_LISTEN_H
#define BENCH_FLOOR_LISTEN_H

#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static int floor_listen(int port)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((uint16_t) port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 || /* connections have it from here */
        bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 4096) < 0)
        err(1, "port %d", port);
    return fd;
}

#endif
