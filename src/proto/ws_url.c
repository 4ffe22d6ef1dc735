/*
 * Reading the URLs of outgoing connections (RFC 6455, 3; RFC 3986): "ws://host[:port]/path?query", and for unix sockets
 * "ws+unix:/socket:/path?query", where the first colon behind the scheme ends the socket's path. Escapes stay as they
 * are. What cannot be connected to is refused here in words, so that nothing odd reaches a name server or a request.
 */
#include <arpa/inet.h>
#include <sys/un.h>

#include "base/macros.h"
#include "proto/ws_handshake.h"

#define DEFAULT_PORT 80
#define MOST_HOST 253 /* of a name (RFC 1035, 2.3.4, as text) */
#define MOST_SOCKET (sizeof(((struct sockaddr_un *) NULL)->sun_path) - 1)

static const char *check_characters(struct rtn_str text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char) text.data[i];
        if (c <= ' ' || c >= 0x7f)
            return "the URL has a character that must be percent-encoded";
        if (c == '#')
            return "the URL of a WebSocket has no fragment (#)";
    }
    return NULL;
}

static struct rtn_str behind(struct rtn_str s, size_t length)
{
    return (struct rtn_str){ s.data + length, s.length - length };
}

/* The part of `s` before the first of these characters. */
static struct rtn_str before(struct rtn_str s, const char *stops)
{
    size_t length = 0;
    while (length < s.length && strchr(stops, s.data[length]) == NULL)
        length++;
    return (struct rtn_str){ s.data, length };
}

static struct rtn_str target_of(struct rtn_str rest)
{
    return rest.length > 0 ? rest : RTN_STR("/");
}

/* "[::1]": its length with the brackets, or 0. */
static size_t literal_length(struct rtn_str s)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr parsed;
    size_t length = before(s, "]").length;
    if (length == s.length || length - 1 >= sizeof(address))
        return 0;
    memcpy(address, s.data + 1, length - 1);
    address[length - 1] = '\0';
    return inet_pton(AF_INET6, address, &parsed) == 1 ? length + 1 : 0;
}

static const char *read_literal(struct rtn_str authority, struct rtn_str *ret_host, struct rtn_str *ret_rest)
{
    size_t length = literal_length(authority);
    if (length == 0)
        return "what is in brackets is no IPv6 address";
    *ret_host = (struct rtn_str){ authority.data + 1, length - 2 };
    *ret_rest = behind(authority, length);
    return NULL;
}

static bool is_host_char(char c)
{
    return rtn_is_alnum(c) || c == '-' || c == '.' || c == '_';
}

static const char *read_name(struct rtn_str authority, struct rtn_str *ret_host, struct rtn_str *ret_rest)
{
    struct rtn_str host = before(authority, ":");
    if (host.length == 0)
        return "the host is missing";
    if (host.length > MOST_HOST)
        return "the host is too long";
    for (size_t i = 0; i < host.length; i++) {
        if (!is_host_char(host.data[i]))
            return "the host has a character that names of hosts do not have";
    }
    *ret_host = host;
    *ret_rest = behind(authority, host.length);
    return NULL;
}

/* ":80", or nothing. */
static const char *read_port(struct rtn_str text, int *ret)
{
    int64_t port = DEFAULT_PORT;
    if (text.length == 0) {
        *ret = DEFAULT_PORT;
        return NULL;
    }
    if (text.data[0] != ':')
        return "behind the host there is something other than a port";
    if (rtn_parse_int(behind(text, 1), &port) < 0 || port < 1 || port > 65535)
        return "the port is not a number from 1 to 65535";
    *ret = (int) port;
    return NULL;
}

static const char *read_tcp(struct rtn_str rest, struct rtn_ws_url *ret)
{
    struct rtn_str authority = before(rest, "/?");
    struct rtn_str port = { 0 };
    if (authority.length > 0 && memchr(authority.data, '@', authority.length) != NULL)
        return "the URL has a user; headers can carry one";
    bool literal = authority.length > 0 && authority.data[0] == '[';
    const char *wrong = (literal ? read_literal : read_name)(authority, &ret->host, &port);
    if (wrong == NULL)
        wrong = read_port(port, &ret->port);
    if (wrong != NULL)
        return wrong;
    ret->authority = authority;
    if (ret->port == DEFAULT_PORT) /* is not written (RFC 6455, 4.1) */
        ret->authority.length -= port.length;
    ret->target = target_of(behind(rest, authority.length));
    return NULL;
}

static const char *read_unix(struct rtn_str rest, struct rtn_ws_url *ret)
{
    struct rtn_str path = before(rest, ":");
    if (path.length == 0 || path.data[0] != '/')
        return "the path of the socket does not begin with /";
    if (path.length > MOST_SOCKET)
        return "the path of the socket is too long";
    struct rtn_str target = behind(rest, RTN_MIN(path.length + 1, rest.length));
    if (target.length > 0 && target.data[0] != '/' && target.data[0] != '?')
        return "what follows the path of the socket does not begin with /";
    ret->host = RTN_STR("");
    ret->authority = RTN_STR("localhost");
    ret->path = path;
    ret->target = target_of(target);
    return NULL;
}

static const char *refuse_tls(struct rtn_str rest, struct rtn_ws_url *ret)
{
    (void) rest;
    (void) ret;
    return "wss is not possible: there is no TLS yet";
}

static const struct {
    struct rtn_str prefix;
    const char *(*read)(struct rtn_str rest, struct rtn_ws_url *ret);
} schemes[] = {
    { { "ws://", 5 }, read_tcp },
    { { "ws+unix:", 8 }, read_unix },
    { { "wss:", 4 }, refuse_tls },
    { { "wss+unix:", 9 }, refuse_tls },
};

static const char *read_url(struct rtn_str text, struct rtn_ws_url *ret)
{
    const char *wrong = check_characters(text);
    if (wrong != NULL)
        return wrong;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(schemes); i++) {
        struct rtn_str prefix = schemes[i].prefix;
        if (text.length < prefix.length || !rtn_str_equal_nocase((struct rtn_str){ text.data, prefix.length }, prefix))
            continue;
        return schemes[i].read(behind(text, prefix.length), ret);
    }
    return "the URL begins neither with ws:// nor with ws+unix:";
}

const char *rtn_ws_url_read(struct rtn_str text, struct rtn_ws_url *ret)
{
    struct rtn_ws_url url = { 0 };
    const char *wrong = read_url(text, &url);
    if (wrong != NULL)
        return wrong;
    *ret = url;
    return NULL;
}
