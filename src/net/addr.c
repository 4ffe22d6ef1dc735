/* Taking listen addresses apart, and writing socket addresses for people. No name is resolved here. */
#include "net/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/un.h>

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
