/* HTTP status codes and their reason phrases (RFC 9110, 15, and the IANA registry). [any] */
#ifndef RTN_PROTO_STATUS_H
#define RTN_PROTO_STATUS_H

#include "base/str.h"

/* "HTTP/1.1 404 Not Found\r\n", in a place of one size, so that it can be copied whole. */
struct rtn_status_line {
    unsigned char length;
    char text[47];
};

/* NULL: the code has no phrase of its own. */
const struct rtn_status_line *rtn_status_line(int status);

/* "Not Found"; "Status" for a code without a phrase of its own. */
struct rtn_str rtn_status_reason(int status);

/* True for statuses whose reply never has content: 204 and 304 (and 1xx). */
static inline bool rtn_status_bodiless(int status)
{
    return status < 200 || status == 204 || status == 304;
}

#endif
