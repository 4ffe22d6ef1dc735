/*
 * The field Range of a request (RFC 9110, 14): which bytes of something whose size is known are asked for. Nothing but
 * the parser and the texts of Content-Range. [any]
 */
#ifndef RTN_PROTO_RANGE_H
#define RTN_PROTO_RANGE_H

#include "base/str.h"

#define RTN_RANGE_MOST 32

/* One part, resolved: it lies inside of the size and is not empty. */
struct rtn_range {
    int64_t first;
    int64_t length;
};

struct rtn_ranges {
    unsigned count;
    struct rtn_range list[RTN_RANGE_MOST]; /* in the order they were asked for */
};

enum rtn_range_result {
    RTN_RANGE_NONE, /* the field is to be ignored: everything is sent */
    RTN_RANGE_LIST, /* *ret holds at least one range */
    RTN_RANGE_UNSATISFIABLE /* 416 */
};

/*
 * Ignored are fields that are absent or malformed, other units, and sets that cost more than they help (RFC 9110,
 * 17.15): more than RTN_RANGE_MOST ranges, more than 2 that overlap another one, more than 16 small ones. So are all
 * when the size is 0, since some clients ask for a range of everything. *ret is only touched for RTN_RANGE_LIST.
 */
enum rtn_range_result rtn_range_parse(struct rtn_str value, int64_t size, struct rtn_ranges *ret);

/* The value of Content-Range: "bytes 0-4/10", or with a NULL range "bytes" and an asterisk for the 416. Returns out. */
#define RTN_CONTENT_RANGE_MAX 72
char *rtn_range_content_range(char out[RTN_CONTENT_RANGE_MAX], const struct rtn_range *range, int64_t size);

#endif
