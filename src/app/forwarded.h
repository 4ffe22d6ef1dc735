/*
 * Who the client is behind trusted proxies, by the fields they add: Forwarded (RFC 7239), X-Forwarded-For, -Proto and
 * -Host. Pure functions. [any]
 */
#ifndef RTN_APP_FORWARDED_H
#define RTN_APP_FORWARDED_H

#include "base/cidr.h"
#include "config/config.h"
#include "proto/request.h"

struct rtn_forwarded {
    bool has_client; /* false: the peer itself is the client, as far as anybody knows */
    struct rtn_ip client;
    const char *scheme; /* static: "http" or "https"; NULL: not said */
    struct rtn_str host; /* a valid authority, maybe with port, a view into the fields; absent: not said */
};

/* Of lower case `name`: one of the fields that are read here. */
bool rtn_forwarded_is_field(struct rtn_str name);

/*
 * Reads the fields of a request that came from a trusted peer, of any names, in their order. Every proxy adds an
 * element at the end, so the walk goes from the last element to the first: each was written by a hop that is trusted,
 * until one names an address that is not trusted: the client. An element that names no address ("unknown", "_hidden",
 * nonsense) ends the walk too: the trusted hop that added it is the client then. So is the first of a list of trusted
 * addresses.
 *
 * Forwarded: scheme and host are those of the element where the walk ended, which is how the client asked the first
 * trusted proxy. X-Forwarded-Proto and -Host have no such order: their last value counts.
 *
 * RTN_PROXY_HEADER_AUTO reads the kind that is there. When both are, one of them may have been passed on unread from
 * the client: scheme and host are believed where both say the same.
 *
 * Returns NULL with *ret filled, or in words why a request must be refused: a client could otherwise, by what it sends
 * itself, seem to be the proxy. A Forwarded that is malformed may hide what a proxy has added behind it; of two kinds
 * that name different clients, nobody knows which is of a proxy.
 */
const char *rtn_forwarded_read(const struct rtn_header *fields, size_t count, enum rtn_config_proxy_header mode,
                               const struct rtn_cidr *trusted, size_t trusted_count, struct rtn_forwarded *ret);

#endif
