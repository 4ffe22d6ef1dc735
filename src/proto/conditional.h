/*
 * Conditional requests (RFC 9110, 13): whether what is there now is what the client has, or wants to change. Nothing
 * but comparison; reading the fields of a request is the caller's. [any]
 */
#ifndef RTN_PROTO_CONDITIONAL_H
#define RTN_PROTO_CONDITIONAL_H

#include "base/str.h"

/* The fields as received; absent when they are not there. Lists in several fields are joined by commas. */
struct rtn_conditions {
    struct rtn_str if_match;
    struct rtn_str if_unmodified_since;
    struct rtn_str if_none_match;
    struct rtn_str if_modified_since;
    struct rtn_str if_range;
};

/* Of what would be sent. */
struct rtn_validators {
    struct rtn_str etag; /* with its quotes, and W/ when it is weak; absent: none */
    int64_t modified; /* seconds since 1970; 0: not known */
};

enum rtn_verdict {
    RTN_VERDICT_SEND,
    RTN_VERDICT_NOT_MODIFIED, /* 304 */
    RTN_VERDICT_FAILED /* 412 */
};

/*
 * For GET and HEAD, in the order of RFC 9110, 13.2.2. A malformed list of tags matches nothing; a malformed date is
 * as no field.
 */
enum rtn_verdict rtn_conditional_check(const struct rtn_conditions *conditions, const struct rtn_validators *now);

/* Whether Range may be used, by If-Range: a strong tag that is equal, or a date that is exactly the same. */
bool rtn_conditional_range(const struct rtn_conditions *conditions, const struct rtn_validators *now);

/* An entity-tag of RFC 9110, 8.8.3, and nothing else. */
bool rtn_conditional_is_etag(struct rtn_str text);

#endif
