/*
 * Addresses of listeners and peers. [any]
 */
#ifndef RTN_NET_ADDR_H
#define RTN_NET_ADDR_H

#include <sys/socket.h>

#include "base/str.h"

enum rtn_addr_kind { RTN_ADDR_TCP, RTN_ADDR_UNIX, RTN_ADDR_SYSTEMD };

/* A listen address taken apart: PORT, HOST:PORT, [V6]:PORT, unix:PATH, unix:@NAME, systemd:NAME. */
struct rtn_addr {
    enum rtn_addr_kind kind;
    char host[256]; /* of TCP; "" for all addresses */
    char port[8]; /* decimal */
    const char *name; /* unix path or systemd name; points into the text */
};

/* 0 or -EINVAL. Callers have checked the form before and say what is wrong. */
int rtn_addr_parse(const char *text, struct rtn_addr *ret);

/* "127.0.0.1:80", "[::1]:80", "unix:/path", "unix:" for an unnamed peer. IPv4 inside IPv6 is shown as IPv4. */
#define RTN_ADDR_TEXT_SIZE 128
void rtn_addr_format(char out[RTN_ADDR_TEXT_SIZE], const struct sockaddr *address, socklen_t length);

/* The same address to bind to; a port or a name included. */
bool rtn_addr_is_equal(const struct sockaddr *a, socklen_t a_length, const struct sockaddr *b, socklen_t b_length);

/* True when listening on both is refused: the same port, and one address or a wildcard that holds the other. */
bool rtn_addr_overlaps(const struct sockaddr *a, const struct sockaddr *b);

#endif
