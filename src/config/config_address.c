/*
 * Reads PORT, HOST:PORT, [IPV6]:PORT, unix:PATH, unix:@NAME and systemd:NAME. Each function returns
 * NULL when all is well, else what is wrong, with the form to write where that can be told.
 */
#include "config/config_address.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "config/memory.h"
#include "config/node.h"

/* sun_path without its NUL. */
#define UNIX_PATH_MAX 107
#define NAME_MAX_LENGTH 253

const char *rtn_config_port_read(struct rtn_str text, struct rtn_arena *arena, int64_t *ret)
{
    size_t digits = 0;

    while (digits < text.length && isdigit((unsigned char) text.data[digits]))
        digits++;
    if (text.length == 0)
        return "the port is missing after the colon";
    if (digits < text.length)
        return rtn_config_printf(arena, "%s is no port, a number 1..65535", rtn_node_quote(text, arena));
    if (rtn_parse_int(text, ret) != 0 || *ret > 65535)
        return rtn_config_printf(arena, "port %.*s is out of range 1..65535", RTN_STR_ARG(text));
    return NULL;
}

static void claim(struct rtn_config_address *address, const char *host, int64_t port, struct rtn_arena *arena)
{
    size_t i = address->claims[0] != NULL ? 1 : 0;

    if (port != 0)
        address->claims[i] = rtn_config_printf(arena, "%s:%lld", host, (long long) port);
}

/* An interface may follow a %: fe80::1%eth0. */
static const char *read_ipv6(struct rtn_str host, struct rtn_arena *arena, const char **ret)
{
    char *text = rtn_config_strdup(arena, host);
    char *zone = strchr(text, '%');
    char shortest[INET6_ADDRSTRLEN];
    struct in6_addr binary;

    if (zone != NULL)
        *zone++ = '\0';
    if (strlen(text) != host.length && zone == NULL)
        return "the address holds a NUL character";
    if (inet_pton(AF_INET6, text, &binary) != 1 || (zone != NULL && *zone == '\0'))
        return rtn_config_printf(arena, "%s is no IPv6 address", rtn_node_quote(host, arena));
    inet_ntop(AF_INET6, &binary, shortest, sizeof(shortest));
    *ret = rtn_config_printf(arena, "[%s%s%s]", shortest, zone != NULL ? "%" : "", zone != NULL ? zone : "");
    return NULL;
}

/* Text is "[...": up to the bracket, then the port. */
static const char *read_bracketed(struct rtn_str text, struct rtn_arena *arena, struct rtn_config_address *ret)
{
    const char *close = memchr(text.data, ']', text.length);
    const char *host = "";
    int64_t port = 0;

    if (close == NULL)
        return "the closing ] is missing";
    size_t length = (size_t) (close - text.data) + 1;
    if (length == text.length || close[1] != ':')
        return rtn_config_printf(arena, "the port is missing; write \"%.*s:80\"", (int) length, text.data);
    const char *problem = read_ipv6((struct rtn_str){ text.data + 1, length - 2 }, arena, &host);
    if (problem == NULL)
        problem = rtn_config_port_read((struct rtn_str){ close + 2, text.length - length - 1 }, arena, &port);
    if (problem == NULL)
        claim(ret, host, port, arena);
    return problem;
}

bool rtn_config_is_host_name(struct rtn_str host)
{
    char before = '.';

    for (size_t i = 0; i < host.length; i++) {
        char c = host.data[i];
        bool edge = i + 1 == host.length || host.data[i + 1] == '.';
        if (c == '.' ? before == '.' : !isalnum((unsigned char) c) && c != '_' && (c != '-' || before == '.' || edge))
            return false;
        before = c;
    }
    return host.length > 0 && host.length <= NAME_MAX_LENGTH;
}

static const char *read_host(struct rtn_str host, struct rtn_arena *arena, const char **ret)
{
    const char *text = rtn_config_strdup(arena, host);
    bool numeric = host.length > 0 && strspn(text, "0123456789.") == host.length;
    struct in_addr binary;

    if (host.length == 0 || rtn_str_equal(host, RTN_STR("*")))
        return "the host is missing; write the port alone to listen on all addresses";
    if (numeric && inet_pton(AF_INET, text, &binary) != 1)
        return rtn_config_printf(arena, "\"%s\" is no IPv4 address", text);
    if (!rtn_config_is_host_name(host))
        return rtn_config_printf(arena, "%s is no host: an address or a name of letters, digits, - and dots",
                                 rtn_node_quote(host, arena));
    *ret = rtn_config_lower(arena, host);
    return NULL;
}

static const char *read_host_port(struct rtn_str text, struct rtn_arena *arena, struct rtn_config_address *ret)
{
    const char *colon = memchr(text.data, ':', text.length);
    const char *host = "";
    int64_t port = 0;

    if (colon == NULL && memchr(text.data, '.', text.length) == NULL &&
        (isdigit((unsigned char) text.data[0]) || text.data[0] == '-'))
        return rtn_config_port_read(text, arena, &port);
    if (colon == NULL)
        return rtn_config_printf(arena, "the port is missing; write %.*s:80", RTN_STR_ARG(text));
    size_t length = (size_t) (colon - text.data);
    struct rtn_str rest = { colon + 1, text.length - length - 1 };
    if (memchr(rest.data, ':', rest.length) != NULL)
        return "an IPv6 address stands in brackets before its port; write \"[::1]:80\"";
    const char *problem = read_host((struct rtn_str){ text.data, length }, arena, &host);
    if (problem == NULL)
        problem = rtn_config_port_read(rest, arena, &port);
    if (problem == NULL)
        claim(ret, host, port, arena);
    return problem;
}

static const char *read_unix(struct rtn_str path, struct rtn_arena *arena, struct rtn_config_address *ret)
{
    bool is_abstract = path.length > 0 && path.data[0] == '@';

    if (path.length == 0)
        return "the path is missing; write unix:/run/NAME.sock";
    if (is_abstract ? path.length == 1 : path.data[path.length - 1] == '/')
        return is_abstract ? "the name is missing after unix:@" : "the path names a folder, not a socket";
    if (!is_abstract && path.data[0] != '/')
        return "the path must be absolute, or start with @ for an abstract socket";
    if (path.length > UNIX_PATH_MAX)
        return rtn_config_printf(arena, "the path has %zu bytes, more than the %d of a socket address", path.length,
                                 UNIX_PATH_MAX);
    ret->is_unix = true;
    ret->is_abstract = is_abstract;
    ret->claims[0] = rtn_config_printf(arena, "unix:%.*s", RTN_STR_ARG(path));
    return NULL;
}

/* The manager takes names without control characters and colons, up to 255 of them (systemd.socket(5)). */
static const char *read_systemd(struct rtn_str name, struct rtn_arena *arena, struct rtn_config_address *ret)
{
    if (name.length == 0)
        return "the name is missing; write systemd:NAME with a FileDescriptorName= of the socket unit";
    for (size_t i = 0; i < name.length; i++) {
        unsigned char c = (unsigned char) name.data[i];
        if (c <= 0x20 || c >= 0x7f || c == ':' || name.length > 255)
            return "the name after systemd: cannot be a FileDescriptorName=";
    }
    ret->claims[0] = rtn_config_printf(arena, "systemd:%.*s", RTN_STR_ARG(name));
    return NULL;
}

static const char *read_port_alone(struct rtn_str text, struct rtn_arena *arena, struct rtn_config_address *ret)
{
    int64_t port = 0;
    const char *problem = rtn_config_port_read(text, arena, &port);

    if (problem != NULL)
        return problem;
    claim(ret, "0.0.0.0", port, arena);
    claim(ret, "[::]", port, arena);
    return NULL;
}

static struct rtn_str behind(struct rtn_str text, struct rtn_str prefix)
{
    return (struct rtn_str){ text.data + prefix.length, text.length - prefix.length };
}

const char *rtn_config_address_read(const char *text, struct rtn_arena *arena, struct rtn_config_address *ret)
{
    static const struct rtn_str unix_prefix = { "unix:", 5 }, systemd_prefix = { "systemd:", 8 };
    struct rtn_config_address address = { 0 };
    struct rtn_str whole = rtn_str_of(text);
    const char *problem;

    if (whole.length == 0)
        problem = "the address is empty";
    else if (memmem(text, whole.length, "//", 2) != NULL && strstr(text, "://") != NULL)
        problem = "an address is no URL; write HOST:PORT";
    else if (rtn_str_starts_with(whole, unix_prefix))
        problem = read_unix(behind(whole, unix_prefix), arena, &address);
    else if (rtn_str_starts_with(whole, systemd_prefix))
        problem = read_systemd(behind(whole, systemd_prefix), arena, &address);
    else if (strncasecmp(text, "unix:", 5) == 0 || strncasecmp(text, "systemd:", 8) == 0)
        problem = "unix: and systemd: are written in small letters";
    else if (text[0] == '/')
        problem = rtn_config_printf(arena, "a socket file is written unix:%s", text);
    else if (text[0] == '[')
        problem = read_bracketed(whole, arena, &address);
    else if (isdigit((unsigned char) text[0]) && strspn(text, "0123456789") == whole.length)
        problem = read_port_alone(whole, arena, &address);
    else
        problem = read_host_port(whole, arena, &address);
    if (problem == NULL)
        *ret = address;
    return problem;
}

static bool read_claims(const char *text, struct rtn_arena *arena, struct rtn_config_address *ret)
{
    return rtn_config_address_read(text, arena, ret) == NULL && ret->claims[0] != NULL;
}

static bool is_same_claim(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool rtn_config_is_same_address(const char *a, const char *b)
{
    struct rtn_config_address one = { 0 };
    struct rtn_config_address other = { 0 };
    struct rtn_arena arena;

    if (strcmp(a, b) == 0)
        return true;
    rtn_arena_init(&arena, NULL, 0);
    bool same = read_claims(a, &arena, &one) && read_claims(b, &arena, &other) &&
                is_same_claim(one.claims[0], other.claims[0]) && is_same_claim(one.claims[1], other.claims[1]);
    rtn_arena_done(&arena);
    return same;
}

bool rtn_config_is_own_address(const char *address)
{
    struct rtn_config_address read = { 0 };
    struct rtn_arena arena;

    rtn_arena_init(&arena, NULL, 0);
    bool own = read_claims(address, &arena, &read);
    rtn_arena_done(&arena);
    return own;
}
