/*
 * Text of bounded length, put together in the caller's memory: what does not fit is left out. Values from clients are
 * escaped and shortened. [any]
 */
#ifndef RTN_APP_ACCESS_TEXT_H
#define RTN_APP_ACCESS_TEXT_H

#include <stdint.h>

#include "base/str.h"

struct rtn_access_text {
    char *start;
    char *at;
    char *end;
};

/* As it is. */
void rtn_access_text_put(struct rtn_access_text *text, struct rtn_str s);
void rtn_access_text_char(struct rtn_access_text *text, char c);
void rtn_access_text_number(struct rtn_access_text *text, uint64_t number);

/* Escaped, at most `limit` bytes: of a longer one the start and the end, with "..." between. "-" when it is absent. */
void rtn_access_text_value(struct rtn_access_text *text, struct rtn_str value, size_t limit);

/* Now, as "10/Oct/2000:13:55:36 +0200" in local time, and as "2000-10-10T11:55:36.123Z". */
void rtn_access_text_time(struct rtn_access_text *text);
void rtn_access_text_time_iso(struct rtn_access_text *text);

/*
 * The value, or start and end of it in `out` (`limit` bytes), so that as a JSON string it takes at most `limit` bytes
 * without the quotes.
 */
struct rtn_str rtn_access_text_shorten_json(struct rtn_str value, size_t limit, char *out);

#endif
