/*
 * Where a thread writes replies before they leave: one buffer per loop and per worker, so that a reply, or all
 * replies of a pipelined burst, leave in one system call. [owner's thread]
 */
#ifndef RTN_PROTO_SINK_H
#define RTN_PROTO_SINK_H

#include <stddef.h>
#include <stdint.h>

#define RTN_SINK_SIZE 65536

struct rtn_sink {
    size_t length;
    int64_t date_until_ms; /* monotonic: `date` holds until then */
    char date[38]; /* "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" and NUL */
    char data[RTN_SINK_SIZE];
};

#endif
