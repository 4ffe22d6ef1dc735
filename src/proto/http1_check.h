/*
 * Checks of a request while it is parsed. Those that give an int return 0, or HPE_USER after noting status and words in
 * the request. [owner's thread]; for http1_head.c, http1_parse.c, http1_body.c and http1_trailer.c
 */
#ifndef RTN_PROTO_HTTP1_CHECK_H
#define RTN_PROTO_HTTP1_CHECK_H

#include "proto/http1.h"

/* Notes the refusal; the first one counts. Always HPE_USER, which stops the parser. */
int rtn_http1_fail(struct rtn_request *request, int status, const char *text);

/* For what no honest client sends: ways to make two servers see different requests. */
int rtn_http1_fail_hostile(struct rtn_request *request, int status, const char *text);

/* True when exactly these bytes have been read from `at` on. */
bool rtn_http1_bytes_are(const struct rtn_request *request, const char *at, struct rtn_str expected);

const char *rtn_http1_end_of_target(const struct rtn_request *request);

/* " HTTP/2.0", " HTTP/0.9" at `at`: a version that exists in form (RFC 9112, 2.3) but is not spoken here. */
bool rtn_http1_other_version(const struct rtn_request *request, const char *at);

/* Exactly `method SP target SP HTTP/1.x CRLF`; sets the version. */
int rtn_http1_check_request_line(struct rtn_request *request);

/* The target in one of the forms of RFC 9112, 3.2, without control characters, spaces or a fragment. */
int rtn_http1_check_target(struct rtn_request *request);

/* One field, name in lower case: those that frame the message, name its host or ask for something are remembered. */
int rtn_http1_check_field(struct rtn_request *request, struct rtn_str name, struct rtn_str value);

/* The fields together, once the head is complete (RFC 9112, 6.1 to 6.3). */
int rtn_http1_check_framing(struct rtn_request *request);

/* The head ends before `behind`, and is good: what its fields mean together. */
void rtn_http1_end_head(struct rtn_request *request, const char *behind);

#endif
