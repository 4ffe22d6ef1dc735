/*
 * Proactive negotiation (RFC 9110, 12.4 and 12.5): how much a client likes what is offered. Pure functions. [any]
 *
 * Each takes a field value (the values of several fields of the name, joined by commas) and returns the quality of the
 * offer, 1000 times what is written: 0, not acceptable, to 1000. Elements that are malformed are passed over.
 */
#ifndef RTN_APP_NEGOTIATE_H
#define RTN_APP_NEGOTIATE_H

#include "base/str.h"

#define RTN_QUALITY_MAX 1000

/*
 * Accept: `offer` is a media type, maybe with parameters. The most specific range decides. Absent, or without a good
 * element: all is accepted.
 */
int rtn_negotiate_type(struct rtn_str accept, struct rtn_str offer);

/* Accept-Language: basic filtering (RFC 4647, 3.3.1); the longest range that fits decides. Absent: all is accepted. */
int rtn_negotiate_language(struct rtn_str accept_language, struct rtn_str offer);

/*
 * Accept-Encoding. "identity" is accepted unless it is refused, but least (1) when the field does not tell. Absent:
 * identity is the best, and nothing else is accepted, although RFC 9110 allows it: such clients rarely decode anything.
 */
int rtn_negotiate_encoding(struct rtn_str accept_encoding, struct rtn_str coding);

#endif
