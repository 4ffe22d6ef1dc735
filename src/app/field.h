/* What field values are made of (RFC 9110, 5.6): lists, parameters and quoted strings. Pure functions. [any] */
#ifndef RTN_APP_FIELD_H
#define RTN_APP_FIELD_H

#include "base/str.h"

struct rtn_parameter {
    struct rtn_str name;
    struct rtn_str value; /* without the quotes; backslashes are still there */
    bool quoted;
};

/* As rtn_str_next(), but a separator inside of a quoted string is none. */
bool rtn_field_next(struct rtn_str *rest, char separator, struct rtn_str *ret);

/* name=token or name="text", nothing around it. False for anything else. */
bool rtn_field_parameter(struct rtn_str text, struct rtn_parameter *ret);

#endif
