/* Names of request methods: one table for routes, parsing, Allow and messages. [any] */
#ifndef RTN_BASE_METHOD_H
#define RTN_BASE_METHOD_H

#include "base/buf.h"

/* X(NAME) for each RTN_METHOD_NAME. */
/* clang-format off */
#define RTN_METHODS(X) \
    X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(PATCH) X(OPTIONS) \
    X(PROPFIND) X(PROPPATCH) X(MKCOL) X(COPY) X(MOVE) X(LOCK) X(UNLOCK) X(REPORT) X(SEARCH)
/* clang-format on */

/* One RTN_METHOD_ bit, or 0 for a method this daemon does not know. Case-sensitive (RFC 9110, 9.1). */
unsigned rtn_method_parse(struct rtn_str name);

/* "GET, POST". */
void rtn_method_list(unsigned methods, struct rtn_buf *out);

/* The value of an Allow field: the same with HEAD where GET is, and OPTIONS always. */
void rtn_method_allow(unsigned methods, struct rtn_buf *out);

#endif
