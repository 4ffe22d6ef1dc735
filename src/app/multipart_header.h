/* The header of one part of multipart/form-data (RFC 7578, 4), line by line. Pure functions. [any] */
#ifndef RTN_APP_MULTIPART_HEADER_H
#define RTN_APP_MULTIPART_HEADER_H

#include <retinue/module.h>

/*
 * Reads one line, its line end left off. What is of use goes into *part as views into the line, which is decoded in
 * place. NULL, or what is wrong in words for the client; *part is of no use then.
 */
const char *rtn_multipart_header_line(struct rtn_part *part, char *line, size_t length);

/* After the last line: fills in what was not said. NULL, or what is missing. */
const char *rtn_multipart_header_end(struct rtn_part *part);

#endif
