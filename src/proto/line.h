/*
 * Lines on a connection, from the moment it was accepted. What that has in common with other connections that take
 * messages is in session.h. [loop]
 */
#ifndef RTN_PROTO_LINE_H
#define RTN_PROTO_LINE_H

#include "config/config.h"
#include "proto/line_reader.h"
#include "proto/session.h"

/* What holds for the connections of one server. Frozen. */
struct rtn_line_policy {
    struct rtn_session_policy session;
    int64_t idle_timeout; /* ms; 0: never */
    bool drop_long; /* lines over the limit; else the connection is closed */
    bool lf; /* lines end with LF alone; else with CR LF */
    const char *greeting; /* NULL: none */
    char too_long[64]; /* what the peer is told of a line that was dropped */
};

struct rtn_line {
    struct rtn_session session;
    const struct rtn_line_policy *policy;
    struct rtn_line_reader reader;
    bool always_lf; /* whatever the policy says: of standard output */
};

/* Upward calls, on the loop, beside those of struct rtn_session_events. */
struct rtn_line_events {
    /* A connection was accepted, and is about to be open. 0 or -ENOMEM. */
    int (*made)(struct rtn_line *line);
};

/* `config` must outlive it. */
void rtn_line_policy_init(struct rtn_line_policy *policy, const struct rtn_config_server *config);

/* The connection was accepted, with terms->lines. Ends in an open session, or it is refused and closed. */
void rtn_line_start(struct rtn_connection *connection, bool always_lf);

#endif
