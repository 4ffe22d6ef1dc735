/*
 * Looks for one LF after the other. What stands before the first may be the rest of a line, what stands behind the last
 * is the beginning of one.
 */
#include "proto/line_reader.h"

#include <errno.h>
#include <string.h>

/* Bytes of the line whose last byte stands before `length`. */
static size_t without_cr(const char *line, size_t length)
{
    return length > 0 && line[length - 1] == '\r' ? length - 1 : length;
}

/* A line that is too long: 1 to go on, 0 to stop, or -EMSGSIZE. */
static int drop(struct rtn_line_reader *reader)
{
    rtn_buf_done(&reader->partial);
    if (!reader->drops)
        return -EMSGSIZE;
    return reader->events->dropped(reader->owner);
}

/* As drop(), of bytes with room for one more behind them. */
static int tell(struct rtn_line_reader *reader, char *line, size_t length)
{
    length = without_cr(line, length);
    if (length > reader->limit)
        return drop(reader);
    line[length] = '\0';
    return reader->events->line(reader->owner, line, length);
}

static int keep(struct rtn_line_reader *reader, const char *data, size_t length)
{
    char *at = rtn_buf_try_reserve(&reader->partial, length);
    if (at == NULL)
        return -ENOMEM;
    if (length > 0)
        memcpy(at, data, length);
    reader->partial.length += length;
    return 1;
}

/* The rest of a line whose beginning was kept. Its memory goes when it was told, even if it is taken. */
static int tell_kept(struct rtn_line_reader *reader, const char *data, size_t length)
{
    int r = keep(reader, data, length);
    if (r < 0)
        return r;
    struct rtn_buf line = reader->partial;
    reader->partial = (struct rtn_buf){ 0 };
    r = tell(reader, line.data, line.length);
    rtn_buf_done(&line);
    return r;
}

/* A line, or its rest, that ends with the byte behind. */
static int end_line(struct rtn_line_reader *reader, char *data, size_t length)
{
    if (reader->skips) {
        reader->skips = false;
        return 1;
    }
    if (reader->partial.length + length > reader->limit + 1) /* before anything is copied */
        return drop(reader);
    return reader->partial.length > 0 ? tell_kept(reader, data, length) : tell(reader, data, length);
}

/* The beginning of a line, or more of it. It may be one byte longer than the limit if that is a CR. */
static int begin_line(struct rtn_line_reader *reader, const char *data, size_t length)
{
    size_t all = reader->partial.length + length;
    bool fits = all <= reader->limit || (all == reader->limit + 1 && data[length - 1] == '\r');
    if (reader->skips)
        return 1;
    if (fits)
        return keep(reader, data, length);
    reader->skips = true;
    return drop(reader);
}

int rtn_line_reader_feed(struct rtn_line_reader *reader, char *data, size_t length, size_t *used)
{
    size_t at = 0;
    int r = 1;
    while (r > 0 && at < length) {
        char *end = memchr(data + at, '\n', length - at);
        size_t part = end != NULL ? (size_t) (end - data) - at : length - at;
        r = end != NULL ? end_line(reader, data + at, part) : begin_line(reader, data + at, part);
        at += part + (end != NULL);
    }
    *used = at;
    return r < 0 ? r : 0;
}

void rtn_line_reader_done(struct rtn_line_reader *reader)
{
    rtn_buf_done(&reader->partial);
}
