/* Header fields (RFC 9110, 5): what a value may hold, and "Name: value" that somebody adds to the handshake of a
 * WebSocket. [any] */
#ifndef RTN_BASE_HEADER_H
#define RTN_BASE_HEADER_H

#include "base/str.h"

/* A byte that a field value or a quoted string may hold (RFC 9110, 5.5): no control character but the tab. */
static inline bool rtn_header_is_value_char(char c)
{
    return c == '\t' || ((unsigned char) c >= ' ' && c != 0x7f);
}

bool rtn_header_is_value(struct rtn_str s);

/* The same without spaces and tabs. */
bool rtn_header_is_visible(struct rtn_str s);

enum rtn_header_fault {
    RTN_HEADER_GOOD,
    RTN_HEADER_NO_COLON,
    RTN_HEADER_NAME, /* is no token */
    RTN_HEADER_OF_HANDSHAKE, /* the handshake has it already, or it would frame a body */
    RTN_HEADER_VALUE, /* has a control character */
};

/* What keeps "Name: value" from being added. *ret_name is what stands before the colon; untouched when there is none.
 */
enum rtn_header_fault rtn_header_check(struct rtn_str header, struct rtn_str *ret_name);

/* The fault in English for who writes a module; NULL when there is none. */
const char *rtn_header_words(enum rtn_header_fault fault);

#endif
