/*
 * Ranges of IP addresses: "10.0.0.0/8", "2001:db8::/32", or one address. Pure functions. [any]
 */
#ifndef RTN_BASE_CIDR_H
#define RTN_BASE_CIDR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/str.h"

/* An address in network byte order; IPv4 is kept as IPv4-mapped IPv6 (::ffff:a.b.c.d), so that both compare. */
struct rtn_ip {
    uint8_t bytes[16];
};

struct rtn_cidr {
    struct rtn_ip address; /* bits behind the prefix are zero */
    unsigned prefix; /* of 128; an IPv4 /8 is 104 */
};

/* Returns NULL with *ret filled, or what is wrong with `text` in words ("bits behind the prefix are set" is one). */
const char *rtn_cidr_parse(struct rtn_str text, struct rtn_cidr *ret);

/* An IPv6 range contains IPv4 only when it is written as one of ::ffff:0:0/96: "::/0" is every IPv6 address. */
bool rtn_cidr_contains(const struct rtn_cidr *range, const struct rtn_ip *address);

/* True when one of them does. */
bool rtn_cidr_any_contains(const struct rtn_cidr *ranges, size_t count, const struct rtn_ip *address);

/* IPv4 or IPv6 text, without brackets, port or zone. 0 or -EINVAL. */
int rtn_ip_parse(struct rtn_str text, struct rtn_ip *ret);

/* Of a socket address. False when it is neither IPv4 nor IPv6. */
bool rtn_ip_of(const struct sockaddr *address, struct rtn_ip *ret);

#define RTN_IP_TEXT_SIZE 46 /* with NUL */

/* "127.0.0.1" or "2001:db8::1". */
void rtn_ip_format(const struct rtn_ip *address, char out[RTN_IP_TEXT_SIZE]);

bool rtn_ip_is_v4(const struct rtn_ip *address);

#endif
