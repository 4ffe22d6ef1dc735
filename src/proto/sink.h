/*
 * Where a thread writes replies before they leave: one buffer per loop and per worker, so that a reply, or all
 * replies of a pipelined burst, leave in one system call. [owner's thread]
 */
#ifndef RTN_PROTO_SINK_H
#define RTN_PROTO_SINK_H

#include <stddef.h>
#include <stdint.h>

#define RTN_SINK_SIZE 65536
#define RTN_SINK_OPENING 96 /* for the longest status line and the date */

struct rtn_sink {
    size_t length;
    int64_t date_until_ms; /* monotonic: `date` holds until then */
    char date[38]; /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" and NUL */
    int opening_status; /* of the last reply; 0: there was none */
    unsigned opening_length;
    char opening[RTN_SINK_OPENING]; /* of it: the status line, and `date`; copied whole */
    char data[RTN_SINK_SIZE];
};

#endif
