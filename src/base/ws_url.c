/*
 * Reading the URLs of outgoing connections (RFC 6455, 3; RFC 3986): "ws://host[:port]/path?query", and for unix sockets
 * "ws+unix:/socket:/path?query", where the first colon behind the scheme ends the socket's path. Escapes stay as they
 * are. What cannot be connected to is refused here, so that nothing odd reaches a name server or a request.
 */
#include "base/ws_url.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "base/macros.h"

#define DEFAULT_PORT 80
#define MOST_HOST 253 /* of a name (RFC 1035, 2.3.4, as text) */
#define MOST_SOCKET (sizeof(((struct sockaddr_un *) NULL)->sun_path) - 1)

static enum rtn_ws_url_fault check_characters(struct rtn_str text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char) text.data[i];
        if (c <= ' ' || c >= 0x7f)
            return RTN_WS_URL_CHARACTER;
        if (c == '#')
            return RTN_WS_URL_FRAGMENT;
    }
    return RTN_WS_URL_GOOD;
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

static enum rtn_ws_url_fault read_literal(struct rtn_str authority, struct rtn_str *ret_host)
{
    size_t length = literal_length(authority);
    if (length == 0)
        return RTN_WS_URL_LITERAL;
    *ret_host = (struct rtn_str){ authority.data + 1, length - 2 };
    return RTN_WS_URL_GOOD;
}

static bool is_host_char(char c)
{
    return rtn_is_alnum(c) || c == '-' || c == '.' || c == '_';
}

static enum rtn_ws_url_fault read_name(struct rtn_str authority, struct rtn_str *ret_host)
{
    struct rtn_str host = before(authority, ":");
    if (host.length == 0)
        return RTN_WS_URL_NO_HOST;
    if (host.length > MOST_HOST)
        return RTN_WS_URL_HOST_LONG;
    for (size_t i = 0; i < host.length; i++) {
        if (!is_host_char(host.data[i]))
            return RTN_WS_URL_HOST_CHARACTER;
    }
    *ret_host = host;
    return RTN_WS_URL_GOOD;
}

/* ":80", or nothing. */
static enum rtn_ws_url_fault read_port(struct rtn_str text, int *ret)
{
    int64_t port = DEFAULT_PORT;
    if (text.length > 0 && text.data[0] != ':')
        return RTN_WS_URL_BEHIND_HOST;
    if (text.length > 0 && (rtn_parse_int(behind(text, 1), &port) < 0 || port < 1 || port > 65535))
        return RTN_WS_URL_PORT;
    *ret = (int) port;
    return RTN_WS_URL_GOOD;
}

static enum rtn_ws_url_fault read_authority(struct rtn_ws_url *url)
{
    struct rtn_str authority = url->authority;
    bool literal = authority.length > 0 && authority.data[0] == '[';
    enum rtn_ws_url_fault fault = (literal ? read_literal : read_name)(authority, &url->host);
    if (fault != RTN_WS_URL_GOOD)
        return fault;
    struct rtn_str port = behind(authority, url->host.length + (literal ? 2 : 0));
    fault = read_port(port, &url->port);
    if (url->port == DEFAULT_PORT) /* is not written (RFC 6455, 4.1) */
        url->authority.length -= port.length;
    return fault;
}

static enum rtn_ws_url_fault split_tcp(struct rtn_str rest, struct rtn_ws_url *ret)
{
    struct rtn_str authority = before(rest, "/?");
    if (authority.length > 0 && memchr(authority.data, '@', authority.length) != NULL)
        return RTN_WS_URL_USER;
    *ret = (struct rtn_ws_url){ .authority = authority, .target = target_of(behind(rest, authority.length)) };
    return RTN_WS_URL_GOOD;
}

static enum rtn_ws_url_fault split_unix(struct rtn_str rest, struct rtn_ws_url *ret)
{
    struct rtn_str path = before(rest, ":");
    if (path.length == 0 || path.data[0] != '/')
        return RTN_WS_URL_SOCKET_RELATIVE;
    if (path.length > MOST_SOCKET)
        return RTN_WS_URL_SOCKET_LONG;
    struct rtn_str target = behind(rest, RTN_MIN(path.length + 1, rest.length));
    if (target.length > 0 && target.data[0] != '/' && target.data[0] != '?')
        return RTN_WS_URL_SOCKET_TARGET;
    *ret = (struct rtn_ws_url){
        .host = RTN_STR(""), .authority = RTN_STR("localhost"), .path = path, .target = target_of(target)
    };
    return RTN_WS_URL_GOOD;
}

static enum rtn_ws_url_fault refuse_tls(struct rtn_str rest, struct rtn_ws_url *ret)
{
    (void) rest;
    (void) ret;
    return RTN_WS_URL_TLS;
}

static const struct {
    struct rtn_str prefix;
    enum rtn_ws_url_fault (*split)(struct rtn_str rest, struct rtn_ws_url *ret);
} schemes[] = {
    { { "ws://", 5 }, split_tcp },
    { { "ws+unix:", 8 }, split_unix },
    { { "wss:", 4 }, refuse_tls },
    { { "wss+unix:", 9 }, refuse_tls },
};

enum rtn_ws_url_fault rtn_ws_url_split(struct rtn_str text, struct rtn_ws_url *ret)
{
    enum rtn_ws_url_fault fault = check_characters(text);
    if (fault != RTN_WS_URL_GOOD)
        return fault;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(schemes); i++) {
        if (rtn_str_starts_with_nocase(text, schemes[i].prefix))
            return schemes[i].split(behind(text, schemes[i].prefix.length), ret);
    }
    return RTN_WS_URL_SCHEME;
}

enum rtn_ws_url_fault rtn_ws_url_read(struct rtn_str text, struct rtn_ws_url *ret)
{
    struct rtn_ws_url url;
    enum rtn_ws_url_fault fault = rtn_ws_url_split(text, &url);
    if (fault == RTN_WS_URL_GOOD && url.path.data == NULL)
        fault = read_authority(&url);
    if (fault == RTN_WS_URL_GOOD)
        *ret = url;
    return fault;
}

const char *rtn_ws_url_words(enum rtn_ws_url_fault fault)
{
    static const char *const words[] = {
        [RTN_WS_URL_GOOD] = NULL,
        [RTN_WS_URL_CHARACTER] = "the URL has a character that must be percent-encoded",
        [RTN_WS_URL_FRAGMENT] = "the URL of a WebSocket has no fragment (#)",
        [RTN_WS_URL_SCHEME] = "the URL begins neither with ws:// nor with ws+unix:",
        [RTN_WS_URL_TLS] = "wss is not possible: there is no TLS yet",
        [RTN_WS_URL_USER] = "the URL has a user; headers can carry one",
        [RTN_WS_URL_SOCKET_RELATIVE] = "the path of the socket does not begin with /",
        [RTN_WS_URL_SOCKET_LONG] = "the path of the socket is too long",
        [RTN_WS_URL_SOCKET_TARGET] = "what follows the path of the socket does not begin with /",
        [RTN_WS_URL_NO_HOST] = "the host is missing",
        [RTN_WS_URL_HOST_LONG] = "the host is too long",
        [RTN_WS_URL_HOST_CHARACTER] = "the host has a character that names of hosts do not have",
        [RTN_WS_URL_LITERAL] = "what is in brackets is no IPv6 address",
        [RTN_WS_URL_BEHIND_HOST] = "behind the host there is something other than a port",
        [RTN_WS_URL_PORT] = "the port is not a number from 1 to 65535",
    };
    return words[fault];
}
