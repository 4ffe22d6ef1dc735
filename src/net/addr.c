/* Taking listen addresses apart, and writing socket addresses for people. No name is resolved here. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/un.h>

#include "base/macros.h"

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int copy(char *out, size_t size, struct rtn_str s)
{
    if (s.length >= size)
        return -EINVAL;
    memcpy(out, s.data, s.length);
    out[s.length] = '\0';
    return 0;
}

static int parse_tcp(const char *text, struct rtn_addr *ret)
{
    const char *colon = strrchr(text, ':');
    struct rtn_str host = { text, colon != NULL ? (size_t) (colon - text) : 0 };
    if (host.length >= 2 && host.data[0] == '[' && host.data[host.length - 1] == ']')
        host = (struct rtn_str){ host.data + 1, host.length - 2 };
    struct rtn_str port = rtn_str_of(colon != NULL ? colon + 1 : text);
    int64_t number;
    if (rtn_parse_int(port, &number) < 0 || number < 0 || number > 65535)
        return -EINVAL;
    ret->kind = RTN_ADDR_TCP;
    if (copy(ret->host, sizeof(ret->host), host) < 0)
        return -EINVAL;
    return copy(ret->port, sizeof(ret->port), port);
}

int rtn_addr_parse(const char *text, struct rtn_addr *ret)
{
    struct rtn_addr addr = { 0 };
    int r = 0;
    if (starts_with(text, "unix:")) {
        addr.kind = RTN_ADDR_UNIX;
        addr.name = text + strlen("unix:");
    } else if (starts_with(text, "systemd:")) {
        addr.kind = RTN_ADDR_SYSTEMD;
        addr.name = text + strlen("systemd:");
    } else {
        r = parse_tcp(text, &addr);
    }
    if (r == 0)
        *ret = addr;
    return r;
}

static void format_v6(char out[RTN_ADDR_TEXT_SIZE], const struct sockaddr_in6 *v6)
{
    char host[INET6_ADDRSTRLEN];
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, sizeof(host));
        snprintf(out, RTN_ADDR_TEXT_SIZE, "%s:%u", host, ntohs(v6->sin6_port));
        return;
    }
    inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
    snprintf(out, RTN_ADDR_TEXT_SIZE, "[%s]:%u", host, ntohs(v6->sin6_port));
}

static void format_unix(char out[RTN_ADDR_TEXT_SIZE], const struct sockaddr_un *un, socklen_t length)
{
    size_t path_length =
        length > offsetof(struct sockaddr_un, sun_path) ? length - offsetof(struct sockaddr_un, sun_path) : 0;
    if (path_length > 0 && un->sun_path[0] == '\0')
        snprintf(out, RTN_ADDR_TEXT_SIZE, "unix:@%.*s", (int) path_length - 1, un->sun_path + 1);
    else
        snprintf(out, RTN_ADDR_TEXT_SIZE, "unix:%.*s", (int) path_length, un->sun_path);
}

void rtn_addr_format(char out[RTN_ADDR_TEXT_SIZE], const struct sockaddr *address, socklen_t length)
{
    char host[INET_ADDRSTRLEN];
    switch (address->sa_family) {
    case AF_INET: {
        const struct sockaddr_in *v4 = (const void *) address;
        inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
        snprintf(out, RTN_ADDR_TEXT_SIZE, "%s:%u", host, ntohs(v4->sin_port));
        return;
    }
    case AF_INET6:
        format_v6(out, (const void *) address);
        return;
    case AF_UNIX:
        format_unix(out, (const void *) address, length);
        return;
    default:
        snprintf(out, RTN_ADDR_TEXT_SIZE, "address family %d", address->sa_family);
    }
}

static bool is_equal_unix(const struct sockaddr *a, socklen_t a_length, const struct sockaddr *b, socklen_t b_length)
{
    const char *a_name = ((const struct sockaddr_un *) a)->sun_path;
    const char *b_name = ((const struct sockaddr_un *) b)->sun_path;
    size_t head = offsetof(struct sockaddr_un, sun_path);
    if (a_length <= head || b_length <= head)
        return false;
    if (a_name[0] != '\0') /* a path ends at its NUL, which may be counted or not */
        return strncmp(a_name, b_name, RTN_MAX(a_length, b_length) - head) == 0;
    return a_length == b_length && memcmp(a_name, b_name, a_length - head) == 0;
}

static bool is_equal_v6(const struct sockaddr_in6 *a, const struct sockaddr_in6 *b)
{
    return a->sin6_port == b->sin6_port && a->sin6_scope_id == b->sin6_scope_id &&
           IN6_ARE_ADDR_EQUAL(&a->sin6_addr, &b->sin6_addr);
}

static bool is_equal_v4(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_port == b->sin_port && a->sin_addr.s_addr == b->sin_addr.s_addr;
}

bool rtn_addr_is_equal(const struct sockaddr *a, socklen_t a_length, const struct sockaddr *b, socklen_t b_length)
{
    if (a->sa_family != b->sa_family)
        return false;
    if (a->sa_family == AF_UNIX)
        return is_equal_unix(a, a_length, b, b_length);
    if (a->sa_family == AF_INET6)
        return is_equal_v6((const struct sockaddr_in6 *) a, (const struct sockaddr_in6 *) b);
    return a->sa_family == AF_INET && is_equal_v4((const struct sockaddr_in *) a, (const struct sockaddr_in *) b);
}

/* IPv4 as IPv6 has it; false: neither of them. */
static bool to_v6(const struct sockaddr *address, struct sockaddr_in6 *ret)
{
    if (address->sa_family == AF_INET6) {
        memcpy(ret, address, sizeof(*ret));
        return true;
    }
    if (address->sa_family != AF_INET)
        return false;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *) address;
    *ret = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = v4->sin_port };
    if (v4->sin_addr.s_addr == htonl(INADDR_ANY))
        return true;
    ret->sin6_addr.s6_addr[10] = 0xff;
    ret->sin6_addr.s6_addr[11] = 0xff;
    memcpy(&ret->sin6_addr.s6_addr[12], &v4->sin_addr, sizeof(v4->sin_addr));
    return true;
}

bool rtn_addr_overlaps(const struct sockaddr *a, const struct sockaddr *b)
{
    struct sockaddr_in6 a6;
    struct sockaddr_in6 b6;
    if (!to_v6(a, &a6) || !to_v6(b, &b6) || a6.sin6_port != b6.sin6_port)
        return false;
    return IN6_IS_ADDR_UNSPECIFIED(&a6.sin6_addr) || IN6_IS_ADDR_UNSPECIFIED(&b6.sin6_addr) ||
           IN6_ARE_ADDR_EQUAL(&a6.sin6_addr, &b6.sin6_addr);
}
