/*
 * Where a WebSocket may be asked for from. Browsers send the origin of the page with each request (RFC 6454, 7) and
 * leave the decision to the server: without this check any page could talk to us with its visitor's rights.
 *
 * Two origins are the same when scheme, host and port are, where a port that was left out is the scheme's.
 */
#include "base/macros.h"
#include "proto/authority.h"
#include "proto/ws_handshake.h"

#define NO_PORT (-1) /* left out, and the scheme has none */

struct origin {
    struct rtn_str scheme;
    struct rtn_str host;
    int64_t port;
};

static int64_t default_port(struct rtn_str scheme)
{
    static const struct {
        struct rtn_str scheme;
        int port;
    } ports[] = { { { "http", 4 }, 80 }, { { "https", 5 }, 443 } };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(ports); i++) {
        if (rtn_str_equal_nocase(scheme, ports[i].scheme))
            return ports[i].port;
    }
    return NO_PORT;
}

/* Host and port of "host[:port]" into *ret, whose scheme is there. */
static bool read_authority(struct rtn_str authority, struct origin *ret)
{
    if (!rtn_authority_valid(authority))
        return false;
    ret->host = rtn_authority_host(authority);
    ret->port = default_port(ret->scheme);
    if (authority.length > ret->host.length + 1) {
        struct rtn_str digits = { authority.data + ret->host.length + 1, authority.length - ret->host.length - 1 };
        if (rtn_parse_int(digits, &ret->port) < 0 || ret->port > 65535)
            return false;
    }
    return ret->host.length > 0;
}

static bool read_origin(struct rtn_str text, struct origin *ret)
{
    const char *end = text.length > 0 ? memmem(text.data, text.length, "://", 3) : NULL;
    if (end == NULL)
        return false;
    ret->scheme = (struct rtn_str){ text.data, (size_t) (end - text.data) };
    return read_authority((struct rtn_str){ end + 3, text.length - ret->scheme.length - 3 }, ret);
}

static bool same_host(const struct origin *a, const struct origin *b)
{
    return rtn_str_equal_nocase(a->host, b->host) && a->port == b->port;
}

/* A port that the Host field leaves out is that of the page's scheme: a proxy in front may have taken TLS off. */
static bool is_of_host(const struct origin *origin, struct rtn_str host)
{
    struct origin asked = { .scheme = origin->scheme };
    return read_authority(host, &asked) && same_host(origin, &asked);
}

static bool is_listed(const struct origin *origin, struct rtn_str item)
{
    struct origin listed;
    return read_origin(item, &listed) && rtn_str_equal_nocase(origin->scheme, listed.scheme) &&
           same_host(origin, &listed);
}

static bool matches(struct rtn_str field, struct rtn_str item, struct rtn_str host)
{
    struct origin origin;
    if (rtn_str_equal(item, RTN_STR("all")))
        return true;
    if (!read_origin(field, &origin))
        return false;
    return rtn_str_equal(item, RTN_STR("same")) ? is_of_host(&origin, host) : is_listed(&origin, item);
}

/* How many Origin fields there are; the last one in *ret. */
static unsigned find_origin(const struct rtn_request *request, struct rtn_str *ret)
{
    unsigned count = 0;
    for (unsigned i = 0; i < request->header_count; i++) {
        if (!rtn_str_equal(request->headers[i].name, RTN_STR("origin")))
            continue;
        *ret = request->headers[i].value;
        count++;
    }
    return count;
}

bool rtn_ws_origin_is_welcome(const struct rtn_request *request, const struct rtn_schema_strings *origins,
                              struct rtn_str host)
{
    struct rtn_str field;
    unsigned count = find_origin(request, &field);
    if (count != 1)
        return count == 0;
    for (size_t i = 0; i < origins->count; i++) {
        if (matches(field, rtn_str_of(origins->items[i]), host))
            return true;
    }
    return false;
}
