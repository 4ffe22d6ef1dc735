/* Names of request methods. [any] */
#ifndef RTN_PROTO_METHOD_H
#define RTN_PROTO_METHOD_H

#include "base/buf.h"

/* One RTN_METHOD_ bit, or 0 for a method this daemon does not know. Case-sensitive (RFC 9110, 9.1). */
unsigned rtn_method_parse(struct rtn_str name);

/* "GET, HEAD, POST": the value of an Allow field. HEAD is added where GET is, OPTIONS always. */
void rtn_method_allow(unsigned methods, struct rtn_buf *out);

#endif
