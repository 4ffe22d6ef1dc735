/*
 * multipart/form-data (RFC 7578, RFC 2046 5.1) as it comes: a push parser behind rtn_multipart_new() and its sisters.
 * [owner's thread]
 *
 * What the callbacks see, and the result, do not depend on how the body is cut into pieces. No content is kept.
 */
#ifndef RTN_APP_MULTIPART_H
#define RTN_APP_MULTIPART_H

#include <retinue/module.h>

#include "base/arena.h"

#define RTN_MULTIPART_BOUNDARY_MAX 70 /* RFC 2046, 5.1.1 */
#define RTN_MULTIPART_FIELDS_MAX 32 /* of one part's header */
#define RTN_MULTIPART_DELIMITER_MAX (4 + RTN_MULTIPART_BOUNDARY_MAX) /* CR LF "--" boundary */

enum rtn_multipart_state {
    RTN_MULTIPART_PREAMBLE,
    RTN_MULTIPART_CONTENT,
    RTN_MULTIPART_DELIMITED, /* behind a delimiter: "--" comes, or padding and the end of the line */
    RTN_MULTIPART_DASH,
    RTN_MULTIPART_PADDING,
    RTN_MULTIPART_LINE_END,
    RTN_MULTIPART_HEADER,
    RTN_MULTIPART_EPILOGUE
};

struct rtn_multipart {
    struct rtn_multipart_options options; /* limits filled in */
    enum rtn_multipart_state state;
    int error; /* stays */
    char error_text[128];
    char delimiter[RTN_MULTIPART_DELIMITER_MAX];
    uint8_t skip[UINT8_MAX + 1]; /* how far to go on when this byte stands where a delimiter would end */
    size_t delimiter_length;
    size_t matched; /* bytes of a delimiter seen at the end of the last piece, not yet known to be content */
    size_t borrowed; /* of these, taken from the line end before the content */
    char *header; /* of the part; in the arena, options.header bytes */
    size_t header_length;
    size_t line_start;
    unsigned fields;
    int64_t parts; /* begun so far */
    int64_t content; /* bytes of the part handed on */
    struct rtn_part part;
};

/* The boundary of a Content-Type that is multipart/form-data. -EINVAL when it is not, or has no proper boundary. */
int rtn_multipart_boundary(struct rtn_str content_type, struct rtn_str *ret);

/* `boundary` as above. The header buffer comes from the arena. 0 or -ENOMEM. */
int rtn_multipart_init(struct rtn_multipart *multipart, struct rtn_str boundary,
                       const struct rtn_multipart_options *options, struct rtn_arena *arena);

/* As rtn_multipart_feed() and rtn_multipart_finish() of <retinue/module.h>. */
int rtn_multipart_push(struct rtn_multipart *multipart, struct rtn_str piece);
int rtn_multipart_close(struct rtn_multipart *multipart);

#endif
