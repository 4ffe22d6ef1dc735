/*
 * A growable byte buffer. Invariants: length < capacity or both are 0; data[length] is NUL whenever
 * data is not NULL, so data can be used as a C string. [owner's thread]
 *
 * Growing aborts when memory is out: buffers are used while starting, for diagnostics and for
 * bounded output, where there is nothing sensible left to do.
 */
#ifndef RTN_BASE_BUF_H
#define RTN_BASE_BUF_H

#include <stdarg.h>

#include "base/macros.h"
#include "base/str.h"

struct rtn_buf {
    char *data;
    size_t length;
    size_t capacity;
};

/* An all-zero struct is an empty buffer. done() frees and zeroes; clear() keeps the memory. */
void rtn_buf_done(struct rtn_buf *buf);
void rtn_buf_clear(struct rtn_buf *buf);

/* Room for `extra` more bytes and the NUL; returns where to write them (then add to length). */
char *rtn_buf_reserve(struct rtn_buf *buf, size_t extra);

/* The same for bytes that a peer makes us keep: NULL when memory is out. */
char *rtn_buf_try_reserve(struct rtn_buf *buf, size_t extra);

void rtn_buf_append(struct rtn_buf *buf, const void *data, size_t length);
void rtn_buf_append_str(struct rtn_buf *buf, struct rtn_str s);
void rtn_buf_append_text(struct rtn_buf *buf, const char *text);
void rtn_buf_append_char(struct rtn_buf *buf, char c);
void rtn_buf_printf(struct rtn_buf *buf, const char *format, ...) RTN_PRINTF(2, 3);
void rtn_buf_vprintf(struct rtn_buf *buf, const char *format, va_list arguments) RTN_PRINTF(2, 0);

/* Gives the NUL-terminated memory to the caller (free() it) and leaves an empty buffer. Never NULL. */
char *rtn_buf_steal(struct rtn_buf *buf);

static inline struct rtn_str rtn_buf_str(const struct rtn_buf *buf)
{
    return (struct rtn_str){ buf->data != NULL ? buf->data : "", buf->length };
}

/* The whole file appended. Returns 0 or -errno; -EFBIG past `limit` bytes. The buffer is unchanged on failure. */
int rtn_buf_read_file(struct rtn_buf *buf, const char *path, size_t limit);

#endif
