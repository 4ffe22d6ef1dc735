/*
 * What is true for requests and sessions that begin while it is in force: what proto needs of one configuration of a
 * server, on one loop. Frozen but for `users`. [loop]
 *
 * A request takes the terms in force when it begins, a session when it is opened, and each keeps them to its end,
 * whatever is put in force meanwhile. Whoever holds them counts as a user; all holding and releasing is done on the
 * loop.
 */
#ifndef RTN_PROTO_TERMS_H
#define RTN_PROTO_TERMS_H

#include "base/cidr.h"
#include "base/map.h"
#include "config/config.h"
#include "proto/request.h"

struct rtn_line_policy;

struct rtn_terms {
    const struct rtn_config_server *config;
    struct rtn_policy policy; /* of requests that no handler gets; by rtn_terms_init() */
    struct rtn_policy discarding; /* the same, but bodies are thrown away; by rtn_terms_init() */
    const struct rtn_map *header_fields; /* names (lower case) that handlers see; NULL: all */
    const struct rtn_cidr *trusted; /* peers that are believed about their clients */
    size_t trusted_count;
    bool trust_unix; /* peers on unix sockets, too */
    unsigned connection_limit; /* of this loop */
    bool defer_files; /* there are workers to read files */
    const struct rtn_line_policy *lines; /* accepted connections take lines; NULL: they speak HTTP */
    void *line_owner; /* of the layer above */
    void *program; /* of the layer above */
    unsigned users; /* requests and sessions */
};

/* `policy` and `discarding`, from `config`. */
void rtn_terms_init(struct rtn_terms *terms);

/* One user more / less. When the last user of terms that are not in force has gone, http->handler->terms_unused
 * follows. */
void rtn_terms_hold(struct rtn_terms *terms);
void rtn_terms_release(struct rtn_http1 *http, struct rtn_terms *terms);

/*
 * Puts `terms` in force. Sessions for which `move` finds new terms and a new policy are moved there; the others stay.
 * When nobody uses the old ones, http->handler->terms_unused follows at once. Requests that were begun but whose head
 * is not complete will take the new ones. Between two iterations' callbacks, never inside of one.
 */
void rtn_http1_set_terms(struct rtn_http1 *http, struct rtn_terms *terms);

#endif
