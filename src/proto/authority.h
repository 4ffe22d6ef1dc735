/* Authorities: "host", "host:80", "[::1]:80" (RFC 3986, 3.2; RFC 9110, 7.2), without user information. [any] */
#ifndef RTN_PROTO_AUTHORITY_H
#define RTN_PROTO_AUTHORITY_H

#include "base/str.h"

/* True for a host and maybe a port; also for nothing at all, which a Host field may be. */
bool rtn_authority_valid(struct rtn_str s);

/* The part without the port, brackets included: "[::1]" of "[::1]:80". */
struct rtn_str rtn_authority_host(struct rtn_str authority);

/* Of "http://host:80/path" the "host:80", a view into the target; absent when it is no http or https URL. */
struct rtn_str rtn_authority_of(struct rtn_str target);

#endif
