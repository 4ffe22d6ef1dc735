/*
 * The host of a route: an exact name, an address, or "*." and a name for everything below that name. Requests come
 * with names in lower case and IPv6 addresses in brackets, so they are kept in that form. And the host of a URL, which
 * may have a port but no star.
 */
#include <arpa/inet.h>

#include "config/config_address.h"
#include "config/config_tables.h"
#include "config/memory.h"

#define WILDCARD_LENGTH 2 /* of "*." */

static bool is_number(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

/* "[...]", and nothing behind it but a port by mistake. */
static const char *read_ipv6(const char *text, struct rtn_arena *arena, const char **ret)
{
    const char *close = strchr(text, ']');
    char shortest[INET6_ADDRSTRLEN];
    struct in6_addr binary;

    if (close == NULL)
        return "the closing ] is missing";
    if (close[1] != '\0')
        return rtn_config_printf(arena, "a host has no port; write \"%.*s\"", (int) (close - text) + 1, text);
    const char *inner = rtn_config_printf(arena, "%.*s", (int) (close - text) - 1, text + 1);
    if (inet_pton(AF_INET6, inner, &binary) != 1)
        return rtn_config_printf(arena, "%s is no IPv6 address", rtn_node_quote(rtn_str_of(inner), arena));
    inet_ntop(AF_INET6, &binary, shortest, sizeof(shortest));
    *ret = rtn_config_printf(arena, "[%s]", shortest);
    return NULL;
}

static const char *star_problem(const char *name)
{
    if (*name == '\0')
        return "leave out \"host\" for every host";
    return strchr(name, '*') != NULL ? "a * stands for the whole of what is in front, and once: *.example.org" : NULL;
}

static const char *colon_problem(const char *text, struct rtn_arena *arena)
{
    const char *colon = strchr(text, ':');
    struct in6_addr binary;

    if (strstr(text, "//") != NULL)
        return "a host is no URL; write the name alone";
    if (inet_pton(AF_INET6, text, &binary) == 1)
        return rtn_config_printf(arena, "an IPv6 address stands in brackets; write \"[%s]\"", text);
    if (colon != NULL && (is_number(colon + 1) || colon[1] == '\0'))
        return rtn_config_printf(arena, "a host has no port; write %.*s", (int) (colon - text), text);
    return NULL;
}

static const char *name_problem(const char *name, struct rtn_arena *arena)
{
    struct rtn_str view = rtn_str_of(name);
    struct in_addr binary;

    for (size_t i = 0; i < view.length; i++) {
        if ((unsigned char) name[i] >= 0x80)
            return "a name with letters beyond ASCII is written in its form that begins with xn--";
    }
    if (!rtn_config_is_host_name(view))
        return rtn_config_printf(arena, "%s is no host: an address or a name of letters, digits, - and dots",
                                 rtn_node_quote(view, arena));
    if (strspn(name, "0123456789.") == view.length && inet_pton(AF_INET, name, &binary) != 1)
        return rtn_config_printf(arena, "\"%s\" is no IPv4 address", name);
    return NULL;
}

/* "*", "*.", or "*.NAME": the name, else the whole. */
static const char *behind_star(const char *text)
{
    if (text[0] != '*')
        return text;
    if (text[1] == '\0')
        return text + 1;
    return text[1] == '.' ? text + WILDCARD_LENGTH : text;
}

const char *rtn_config_host_read(const char *text, struct rtn_arena *arena, const char **ret)
{
    const char *name = behind_star(text);
    size_t length = strlen(name);
    const char *problem;

    if (*text == '\0')
        return "there is nothing in it; leave it out for every host";
    if (*text == '[')
        return read_ipv6(text, arena, ret);
    problem = star_problem(name);
    if (problem == NULL)
        problem = colon_problem(text, arena);
    if (problem != NULL)
        return problem;
    if (length > 1 && name[length - 1] == '.')
        name = rtn_config_printf(arena, "%.*s", (int) length - 1, name);
    problem = name_problem(name, arena);
    if (problem == NULL)
        *ret = rtn_config_printf(arena, "%s%s", text[0] == '*' ? "*." : "", rtn_config_lower(arena, rtn_str_of(name)));
    return problem;
}

/* Where the port begins, colon included: behind the brackets, if there are any. NULL: there is none. */
static const char *find_port(struct rtn_str text)
{
    const char *colon = memrchr(text.data, ':', text.length);
    const char *bracket = memrchr(text.data, ']', text.length);

    return colon != NULL && (bracket == NULL || colon > bracket) ? colon : NULL;
}

const char *rtn_config_authority_read(struct rtn_str text, struct rtn_arena *arena, const char **ret)
{
    const char *colon = find_port(text);
    struct rtn_str host = { text.data, colon != NULL ? (size_t) (colon - text.data) : text.length };
    struct rtn_str port = { NULL, 0 };
    const char *name = NULL;
    int64_t number = 0;

    if (colon != NULL)
        port = (struct rtn_str){ colon + 1, text.length - host.length - 1 };
    if (host.length == 0)
        return "the host is missing";
    if (memchr(host.data, '*', host.length) != NULL)
        return "a * has no place here";
    if (host.data[0] != '[' && memchr(host.data, ':', host.length) != NULL)
        return "an IPv6 address stands in brackets";
    const char *problem = rtn_config_host_read(rtn_config_strdup(arena, host), arena, &name);
    if (problem == NULL && colon != NULL)
        problem = rtn_config_port_read(port, arena, &number);
    if (problem != NULL)
        return problem;
    if (colon != NULL && number == 0)
        return "port 0 is out of range 1..65535";
    *ret = colon != NULL ? rtn_config_printf(arena, "%s:%lld", name, (long long) number) : name;
    return NULL;
}
