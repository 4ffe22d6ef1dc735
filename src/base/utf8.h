/* UTF-8 (RFC 3629): no surrogates, nothing above U+10FFFF, no overlong forms. [any] */
#ifndef RTN_BASE_UTF8_H
#define RTN_BASE_UTF8_H

#include <stdbool.h>

#include "base/str.h"

/* Length in bytes of the valid character at the start of s (1 to 4), or 0 when there is none. */
unsigned rtn_utf8_next(struct rtn_str s);

bool rtn_utf8_valid(struct rtn_str s);

/* Number of characters; an invalid byte counts as one. For columns and underlines. */
size_t rtn_utf8_count(struct rtn_str s);

#endif
