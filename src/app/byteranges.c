/*
 * Everything but the content is made first, in the request's arena, so that the length of the whole is known before
 * its head is written. The parts share the file: whichever is done with last releases it.
 */
#include "app/byteranges.h"

#include <errno.h>
#include <stdlib.h>

#include "app/reply_type.h"
#include "proto/response.h"

struct shared {
    unsigned
        references; /* of the parts that are not sent, and of the caller; only the holder of the connection counts */
    void (*release)(void *data);
    void *data;
};

struct parts {
    const struct rtn_ranges *ranges;
    struct rtn_str heads[RTN_RANGE_MOST];
    struct rtn_str tail;
    int64_t length; /* of everything */
};

static void unref(void *data)
{
    struct shared *shared = data;
    if (--shared->references > 0)
        return;
    shared->release(shared->data);
    free(shared);
}

static struct shared *share(const struct rtn_file *file, unsigned parts)
{
    struct shared *shared = malloc(sizeof(*shared));
    if (shared != NULL)
        *shared = (struct shared){ .references = parts + 1, .release = file->release, .data = file->data };
    return shared;
}

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

static int write_part(struct rtn_request *request, int fd, const struct rtn_range *range, struct shared *shared)
{
    const struct rtn_piece piece = { .file = true,
                                     .fd = fd,
                                     .offset = range->first,
                                     .length = (size_t) range->length,
                                     .release = unref,
                                     .release_data = shared };
    return rtn_response_write(request, &piece);
}

static int write_parts(struct rtn_request *request, int fd, const struct parts *parts, struct shared *shared)
{
    int r = 0;
    for (unsigned i = 0; i < parts->ranges->count; i++) {
        if (r == 0)
            r = write_text(request, parts->heads[i]);
        if (r == 0)
            r = write_part(request, fd, &parts->ranges->list[i], shared);
        else
            unref(shared);
    }
    return r == 0 ? write_text(request, parts->tail) : r;
}

int rtn_byteranges_reply(struct rtn_request *request, const struct rtn_file *file, const struct rtn_ranges *ranges)
{
    struct parts parts;
    parts.ranges = ranges;
    struct shared *shared = share(file, ranges->count);
    int r = shared != NULL ? prepare(request, file->size, &parts) : -ENOMEM;
    if (r == 0)
        r = rtn_response_begin(request, 206, parts.length);
    if (r < 0) {
        free(shared);
        file->release(file->data);
        return r;
    }
    r = write_parts(request, file->fd, &parts, shared);
    unref(shared);
    if (r < 0) {
        rtn_response_abort(request);
        return r;
    }
    return rtn_response_end(request);
}
