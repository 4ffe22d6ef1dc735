/*
 * The content of a request behind its head: how long it is, its transfer coding, its limit. For http1_parse.c only.
 * [owner's thread]
 */
#ifndef RTN_PROTO_HTTP1_BODY_H
#define RTN_PROTO_HTTP1_BODY_H

#include "proto/http1.h"

/* At HEADED: to COMPLETE when there is no content, else to BODY. Notes a refusal in the request. */
void rtn_http1_body_begin(struct rtn_request *request);

/*
 * At BODY: decodes everything that was read, or up to the end of the request, which makes it COMPLETE. While it goes
 * on, parsed == end == start + head_length + body.length. Notes a refusal in the request.
 */
void rtn_http1_body_decode(struct rtn_request *request);

#endif
