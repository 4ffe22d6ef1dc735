/*
 * Everything but the content is made first, in the request's arena, so that the length of the whole is known before
 * its head is written. The parts share the file: whichever is done with last releases it.
 */
#include "app/byteranges.h"

#include <errno.h>
#include <stdlib.h>

#include "app/reply_type.h"
#include "base/shared.h"
#include "proto/response.h"

struct parts {
    const struct rtn_ranges *ranges;
    struct rtn_str heads[RTN_RANGE_MOST];
    struct rtn_str tail;
    int64_t length; /* of everything */
};

/* 128 random bits: no content holds them by accident, and nobody can put them into a file beforehand. */
static const char *make_boundary(struct rtn_arena *arena)
{
    uint64_t random[2];
    arc4random_buf(random, sizeof(random));
    return rtn_arena_printf(arena, "%016llx%016llx", (unsigned long long) random[0], (unsigned long long) random[1]);
}

static int make_parts(struct rtn_request *request, const char *boundary, struct rtn_str type, int64_t size,
                      struct parts *parts)
{
    parts->length = 0;
    for (unsigned i = 0; i < parts->ranges->count; i++) {
        const struct rtn_range *range = &parts->ranges->list[i];
        char text[RTN_CONTENT_RANGE_MAX];
        parts->heads[i] = rtn_str_of(rtn_arena_printf(
            &request->arena, "%s--%s\r\nContent-Type: %.*s\r\nContent-Range: %s\r\n\r\n", i > 0 ? "\r\n" : "", boundary,
            RTN_STR_ARG(type), rtn_range_content_range(text, range, size)));
        if (parts->heads[i].data == NULL)
            return -ENOMEM;
        parts->length += (int64_t) parts->heads[i].length + range->length;
    }
    parts->tail = rtn_str_of(rtn_arena_printf(&request->arena, "\r\n--%s--\r\n", boundary));
    parts->length += (int64_t) parts->tail.length;
    return parts->tail.data != NULL ? 0 : -ENOMEM;
}

/* The type of the parts gives way to that of the whole. */
static int prepare(struct rtn_request *request, int64_t size, struct parts *parts)
{
    struct rtn_str type;
    const char *boundary = make_boundary(&request->arena);
    if (boundary == NULL)
        return -ENOMEM;
    int r = rtn_reply_type_take(request, &type);
    if (r < 0)
        return r;
    r = make_parts(request, boundary, type, size, parts);
    if (r < 0)
        return r;
    const char *whole = rtn_arena_printf(&request->arena, "multipart/byteranges; boundary=%s", boundary);
    return whole != NULL ? rtn_reply_type_set(request, rtn_str_of(whole)) : -ENOMEM;
}

static int write_text(struct rtn_request *request, struct rtn_str text)
{
    return rtn_response_write(request, &(struct rtn_piece){ .data = text.data, .length = text.length });
}

static int write_part(struct rtn_request *request, int fd, const struct rtn_range *range, struct rtn_shared *shared)
{
    const struct rtn_piece piece = { .file = true,
                                     .fd = fd,
                                     .offset = range->first,
                                     .length = (size_t) range->length,
                                     .release = rtn_shared_unref,
                                     .release_data = shared };
    rtn_shared_ref(shared);
    return rtn_response_write(request, &piece);
}

static int write_parts(struct rtn_request *request, int fd, const struct parts *parts, struct rtn_shared *shared)
{
    for (unsigned i = 0; i < parts->ranges->count; i++) {
        int r = write_text(request, parts->heads[i]);
        if (r == 0)
            r = write_part(request, fd, &parts->ranges->list[i], shared);
        if (r < 0)
            return r;
    }
    return write_text(request, parts->tail);
}

static int reply(struct rtn_request *request, const struct rtn_file *file, const struct rtn_ranges *ranges,
                 struct rtn_shared *shared)
{
    struct parts parts;
    parts.ranges = ranges;
    int r = prepare(request, file->size, &parts);
    if (r == 0)
        r = rtn_response_begin(request, 206, parts.length);
    if (r < 0)
        return r;
    r = write_parts(request, file->fd, &parts, shared);
    if (r == 0)
        return rtn_response_end(request);
    rtn_response_abort(request);
    return r;
}

int rtn_byteranges_reply(struct rtn_request *request, const struct rtn_file *file, const struct rtn_ranges *ranges)
{
    struct rtn_shared *shared = rtn_shared_new(file->release, file->data);
    if (shared == NULL) {
        file->release(file->data);
        return -ENOMEM;
    }
    int r = reply(request, file, ranges, shared);
    rtn_shared_unref(shared);
    return r;
}
