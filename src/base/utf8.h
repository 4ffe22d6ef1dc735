/* UTF-8 (RFC 3629): no surrogates, nothing above U+10FFFF, no overlong forms. [any] */
#ifndef RTN_BASE_UTF8_H
#define RTN_BASE_UTF8_H

#include <stdbool.h>

#include "base/str.h"

/* Length in bytes of the valid character at the start of s (1 to 4), or 0 when there is none. */
unsigned rtn_utf8_next(struct rtn_str s);

bool rtn_utf8_valid(struct rtn_str s);

/* How far a check has come of a text that arrives in pieces; all-zero at its start, and between two characters. */
struct rtn_utf8_state {
    unsigned char left; /* bytes of the character that are to come */
    unsigned char least, most; /* what the next of them may be */
};

/* Checks more of a text, cut anywhere. False as soon as no text can go on like this; then the state has no meaning. */
bool rtn_utf8_feed(struct rtn_utf8_state *state, struct rtn_str piece);

/* True when the text may end here: not inside of a character. */
static inline bool rtn_utf8_is_whole(const struct rtn_utf8_state *state)
{
    return state->left == 0;
}

/* Number of characters; an invalid byte counts as one. For columns and underlines. */
size_t rtn_utf8_count(struct rtn_str s);

#endif
