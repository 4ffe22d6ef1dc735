/*
 * The growable buffer. Capacity doubles, so appending is linear over all; one byte is always kept for
 * the NUL that makes data a C string.
 */
#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"

enum { BUF_FIRST = 64, BUF_READ_STEP = 16384 };

void rtn_buf_done(struct rtn_buf *buf)
{
    free(buf->data);
    *buf = (struct rtn_buf){ 0 };
}

void rtn_buf_clear(struct rtn_buf *buf)
{
    buf->length = 0;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

static bool grow(struct rtn_buf *buf, size_t needed)
{
    size_t capacity = buf->capacity > 0 ? buf->capacity : BUF_FIRST;

    while (capacity < needed)
        capacity = capacity <= SIZE_MAX / 2 ? capacity * 2 : SIZE_MAX;
    char *data = realloc(buf->data, capacity);
    if (data == NULL)
        return false;
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

char *rtn_buf_try_reserve(struct rtn_buf *buf, size_t extra)
{
    if (extra >= SIZE_MAX - buf->length)
        return NULL;
    if (buf->length + extra + 1 > buf->capacity && !grow(buf, buf->length + extra + 1))
        return NULL;
    buf->data[buf->length] = '\0';
    return buf->data + buf->length;
}

char *rtn_buf_reserve(struct rtn_buf *buf, size_t extra)
{
    char *end = rtn_buf_try_reserve(buf, extra);
    if (end == NULL)
        abort();
    return end;
}

void rtn_buf_append(struct rtn_buf *buf, const void *data, size_t length)
{
    char *end = rtn_buf_reserve(buf, length);

    if (length > 0)
        memcpy(end, data, length);
    end[length] = '\0';
    buf->length += length;
}

void rtn_buf_append_str(struct rtn_buf *buf, struct rtn_str s)
{
    rtn_buf_append(buf, s.data, s.length);
}

void rtn_buf_append_text(struct rtn_buf *buf, const char *text)
{
    rtn_buf_append(buf, text, strlen(text));
}

void rtn_buf_append_char(struct rtn_buf *buf, char c)
{
    rtn_buf_append(buf, &c, 1);
}

void rtn_buf_printf(struct rtn_buf *buf, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    rtn_buf_vprintf(buf, format, arguments);
    va_end(arguments);
}

/* Most texts are short: they fit in what is there, and are written once. */
void rtn_buf_vprintf(struct rtn_buf *buf, const char *format, va_list arguments)
{
    va_list again;

    char *end = rtn_buf_reserve(buf, BUF_FIRST);
    size_t room = buf->capacity - buf->length;
    va_copy(again, arguments);
    int length = vsnprintf(end, room, format, again);
    va_end(again);
    if (length < 0) /* a format that printf refuses is a bug */
        abort();
    if ((size_t) length >= room) {
        end = rtn_buf_reserve(buf, (size_t) length);
        (void) vsnprintf(end, (size_t) length + 1, format, arguments);
    }
    buf->length += (size_t) length;
}

char *rtn_buf_steal(struct rtn_buf *buf)
{
    (void) rtn_buf_reserve(buf, 0);
    char *data = buf->data;
    *buf = (struct rtn_buf){ 0 };
    return data;
}

/* Appends until the end of the file; one byte more than `limit` is tried, to know about it. */
static int read_to_end(struct rtn_buf *buf, int fd, size_t limit)
{
    size_t start = buf->length;

    for (;;) {
        char *end = rtn_buf_reserve(buf, BUF_READ_STEP);
        ssize_t got = read(fd, end, BUF_READ_STEP);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            return 0;
        buf->length += (size_t) got;
        buf->data[buf->length] = '\0';
        if (buf->length - start > limit)
            return -EFBIG;
    }
}

int rtn_buf_read_file(struct rtn_buf *buf, const char *path, size_t limit)
{
    size_t start = buf->length;
    RTN_CLEANUP(rtn_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int r = read_to_end(buf, fd, limit);
    if (r < 0) {
        buf->length = start;
        buf->data[start] = '\0';
    }
    return r;
}
