/* The trailer section of a chunked body. For http1_body.c only. [owner's thread] */
#ifndef RTN_PROTO_HTTP1_TRAILER_H
#define RTN_PROTO_HTTP1_TRAILER_H

#include "proto/http1.h"

/* Behind the line of the last chunk. */
void rtn_http1_trailer_begin(struct rtn_request *request);

/* The next byte. True when the section has ended, with request->trailers set, or when a refusal was noted. */
bool rtn_http1_trailer_take(struct rtn_request *request, char c);

#endif
