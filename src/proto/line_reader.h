/*
 * From bytes, cut anywhere, to lines. A line ends with LF; one CR before it belongs to the end. No sockets, no timers.
 * [loop]
 *
 * A line that lies whole in what is fed is handed on in place; only what is cut is copied, and no memory is kept
 * between lines.
 */
#ifndef RTN_PROTO_LINE_READER_H
#define RTN_PROTO_LINE_READER_H

#include <stdbool.h>

#include "base/buf.h"

/* Upward calls. Both return false to stop reading: what was fed and not used is fed again later. */
struct rtn_line_reader_events {
    /* Without its end, which has become a NUL. Valid during the call, and may be written to. */
    bool (*line)(void *owner, char *line, size_t length);
    /* A line is longer than the limit, and is thrown away. Told when that is seen, once for each. */
    bool (*dropped)(void *owner);
};

struct rtn_line_reader {
    /* Set before the first byte. */
    const struct rtn_line_reader_events *events;
    void *owner;
    size_t limit; /* most bytes of a line, without its end */
    bool drops; /* lines that are longer are thrown away; else they are an error */

    /* Its own. */
    struct rtn_buf partial; /* the beginning of a line: at most the limit and one CR */
    bool skips; /* what comes up to the next LF belongs to a line that was dropped */
};

/*
 * Reads `length` bytes, which may be overwritten. *used: how many of them; less than all when a callback stopped it or
 * on an error. 0, -EMSGSIZE (a line is too long) or -ENOMEM; after an error nothing may be fed.
 */
int rtn_line_reader_feed(struct rtn_line_reader *reader, char *data, size_t length, size_t *used);

/* Frees what was kept. Safe on an all-zero reader. */
void rtn_line_reader_done(struct rtn_line_reader *reader);

#endif
