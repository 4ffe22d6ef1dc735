/* Cookies (RFC 6265): reading the Cookie field, building Set-Cookie. Pure functions. [any] */
#ifndef RTN_APP_COOKIE_H
#define RTN_APP_COOKIE_H

#include <retinue/module.h>

#include "base/buf.h"

/* The value of the first cookie called `name` in one Cookie field, quotes removed. Absent when there is none. */
struct rtn_str rtn_cookie_find(struct rtn_str field, struct rtn_str name);

/* Appends the value of Set-Cookie. NULL; or what is wrong with the cookie, and nothing was appended. */
const char *rtn_cookie_build(const struct rtn_cookie *cookie, struct rtn_buf *out);

#endif
