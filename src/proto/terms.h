/*
 * What is true for requests and sessions that begin while it is in force: what proto needs of one configuration of a
 * server, on one loop. Frozen but for `users`. [loop]
 *
 * A request takes the terms in force when it begins, a session when it is opened, and each keeps them to its end,
 * whatever is put in force meanwhile. Whoever holds them counts as a user; all holding and releasing is done on the
 * loop, also for requests that workers have: those read the terms of their request, never those in force.
 */
#ifndef RTN_PROTO_TERMS_H
#define RTN_PROTO_TERMS_H

#include <stdatomic.h>

#include "base/cidr.h"
#include "base/map.h"
#include "config/config.h"
#include "proto/request.h"

struct rtn_line_policy;
struct rtn_session_end;

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
    const void *routing; /* of the layer above */
    unsigned users; /* requests and sessions */
    atomic_uint sessions; /* of them; any thread reads it */
};

/* `policy` and `discarding`, from `config`. */
void rtn_terms_init(struct rtn_terms *terms);

/* One user more / less. When the last user of terms that are not in force has gone, http->handler->terms_unused
 * follows, and they may not be touched any more. */
static inline void rtn_terms_hold(struct rtn_terms *terms)
{
    terms->users++;
}

void rtn_terms_release(struct rtn_http1 *http, struct rtn_terms *terms);

/*
 * Puts `terms` in force. Sessions for which http->handler->move finds a new policy are moved there; the others stay.
 * When nobody uses the old ones, http->handler->terms_unused follows at once. Requests that were begun but whose head
 * is not complete take the new ones. In mail of the loop, not in a callback of a connection.
 */
void rtn_http1_set_terms(struct rtn_http1 *http, struct rtn_terms *terms);

/*
 * Sessions under terms that are not in force and of which `is_old` is true are closed in order, and replies without an
 * end are ended.
 */
void rtn_http1_end_old(struct rtn_http1 *http, bool (*is_old)(const struct rtn_terms *terms, unsigned number),
                       unsigned number, const struct rtn_session_end *end);

#endif
