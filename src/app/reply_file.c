/*
 * Bodies of the public functions that reply with files: what the client has already, what it asks for, and the pieces
 * of the file that answer it. retinue-module(3) documents them.
 *
 * What the module has in memory is sent from there. On a loop a small file is read at once if that needs no disk, and
 * leaves together with its head; everything else is left to sendfile(), on a worker. Conditions and ranges are those of
 * GET and HEAD: what they would mean for another method only its handler knows.
 */
#include <retinue/module.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/byteranges.h"
#include "app/dispatch.h"
#include "app/media.h"
#include "app/prefetch.h"
#include "app/reply_type.h"
#include "base/clock.h"
#include "proto/conditional.h"
#include "proto/response.h"

#define MOST_BYTES ((int64_t) 1 << 60) /* so that sums of ranges cannot overflow */

/* What a request says about the file it wants. */
struct asked {
    struct rtn_conditions conditions;
    struct rtn_str range;
};

#define NAMES_OF_A_LENGTH 2

/* By length: most fields of a request are none of these. */
static const struct {
    const char *name;
    size_t offset; /* in struct asked */
} asked_fields[][NAMES_OF_A_LENGTH] = {
    [5] = { { "range", offsetof(struct asked, range) } },
    [8] = { { "if-match", offsetof(struct asked, conditions.if_match) },
            { "if-range", offsetof(struct asked, conditions.if_range) } },
    [13] = { { "if-none-match", offsetof(struct asked, conditions.if_none_match) } },
    [17] = { { "if-modified-since", offsetof(struct asked, conditions.if_modified_since) } },
    [19] = { { "if-unmodified-since", offsetof(struct asked, conditions.if_unmodified_since) } },
};

static struct rtn_str *asked_field(struct asked *asked, struct rtn_str name)
{
    if (name.length >= RTN_ARRAY_LENGTH(asked_fields))
        return NULL;
    for (size_t i = 0; i < NAMES_OF_A_LENGTH && asked_fields[name.length][i].name != NULL; i++) {
        if (memcmp(asked_fields[name.length][i].name, name.data, name.length) == 0)
            return (struct rtn_str *) (void *) ((char *) asked + asked_fields[name.length][i].offset);
    }
    return NULL;
}

/* Fields of one name are one list (RFC 9110, 5.3); those that are no lists are malformed then, and say nothing. */
static int read_asked(struct rtn_request *request, struct asked *ret)
{
    *ret = (struct asked){ 0 };
    for (unsigned i = 0; i < request->header_count; i++) {
        struct rtn_str value = request->headers[i].value;
        struct rtn_str *field = asked_field(ret, request->headers[i].name);
        if (field == NULL)
            continue;
        if (field->data != NULL) {
            value.data = rtn_arena_printf(&request->arena, "%.*s, %.*s", RTN_STR_ARG(*field), RTN_STR_ARG(value));
            if (value.data == NULL)
                return -ENOMEM;
            value.length += field->length + 2;
        }
        *field = value.data != NULL ? value : RTN_STR("");
    }
    return 0;
}

static void close_file(void *data)
{
    (void) close((int) (intptr_t) data);
}

static void keep_nothing(void *data)
{
    (void) data;
}

_Static_assert(sizeof(struct rtn_file) == offsetof(struct rtn_file, reserved) + sizeof(void *) - 1,
               "padding, which nobody sets, would be taken for later members");

/* Members that the module's header did not have are zero. */
static struct rtn_file known_part(const struct rtn_file *given)
{
    struct rtn_file file = { 0 };
    if (given->struct_size < offsetof(struct rtn_file, size))
        file = (struct rtn_file){ .struct_size = given->struct_size, .fd = -1 };
    else
        memcpy(&file, given, RTN_MIN(given->struct_size, sizeof(file)));
    if (file.release == NULL) {
        file.release = file.fd >= 0 ? close_file : keep_nothing;
        file.data = (void *) (intptr_t) file.fd;
    }
    return file;
}

static int refuse(const struct rtn_file *file, int r)
{
    file->release(file->data);
    return r;
}

static int check(const struct rtn_request *request, const struct rtn_file *file)
{
    const char *wrong = NULL;
    if (request->response.state != RTN_RESPONSE_NONE)
        return -EALREADY;
    if (file->struct_size == 0)
        wrong = "struct_size is not set";
    else if (file->fd < 0)
        wrong = "no descriptor";
    else if (file->size < 0 || file->size > MOST_BYTES)
        wrong = "the size is out of bounds";
    else if (file->etag != NULL && !rtn_conditional_is_etag(rtn_str_of(file->etag)))
        wrong = "the etag is none: it has quotes, and no spaces inside";
    if (wrong == NULL)
        return 0;
    rtn_log(RTN_LOG_WARN, "rtn_reply_fd: refused: %s", wrong);
    return -EINVAL;
}

static int add_field(struct rtn_request *request, struct rtn_str name, const char *value)
{
    return value != NULL ? rtn_response_add(request, name, rtn_str_of(value)) : 0;
}

/* A date that is still to come is told as now (RFC 9110, 8.8.2.1): it would hide every change until then. */
static int add_validators(struct rtn_request *request, const struct rtn_file *file)
{
    char date[RTN_HTTP_DATE_SIZE];
    const time_t now = time(NULL);
    int r = 0;
    if (file->modified != 0) {
        rtn_clock_http_date(date, RTN_MIN((time_t) file->modified, now));
        r = rtn_response_add(request, RTN_STR("Last-Modified"), RTN_STR(date));
    }
    return r < 0 ? r : add_field(request, RTN_STR("ETag"), file->etag);
}

static int add_type(struct rtn_request *request, const struct rtn_file *file)
{
    if (file->type == NULL && request->response.has_content_type)
        return 0;
    return rtn_reply_type_set(request,
                              file->type != NULL ? rtn_str_of(file->type) : RTN_STR("application/octet-stream"));
}

/*
 * Fields that the handler has set stay: Cache-Control, Expires and Vary belong to a 304 (RFC 9110, 15.4.5). But what it
 * says of content that is not sent goes.
 */
static int answer_not_modified(struct rtn_request *request, const struct rtn_file *file)
{
    rtn_response_remove_field(request, RTN_STR("content-encoding"));
    rtn_response_remove_field(request, RTN_STR("content-type"));
    int r = refuse(file, add_validators(request, file));
    return r < 0 ? r : rtn_response_give(request, 304, &(struct rtn_piece){ 0 });
}

/* What the handler has set was meant for the file, not for the answer without it. */
static int answer_failed(struct rtn_request *request, const struct rtn_file *file)
{
    rtn_response_reset(request);
    return refuse(file, rtn_response_error(request, 412, "a condition of the request does not hold"));
}

static int answer_unsatisfiable(struct rtn_request *request, const struct rtn_file *file)
{
    char text[RTN_CONTENT_RANGE_MAX];
    rtn_response_reset(request);
    int r = add_field(request, RTN_STR("Content-Range"), rtn_range_content_range(text, NULL, file->size));
    (void) snprintf(text, sizeof(text), "there are %lld bytes", (long long) file->size);
    return refuse(file, r < 0 ? r : rtn_response_error(request, 416, text));
}

static int give_part(struct rtn_request *request, int status, const struct rtn_file *file,
                     const struct rtn_range *range)
{
    struct rtn_piece piece = { .length = (size_t) range->length, .release = file->release, .release_data = file->data };
    if (file->bytes != NULL) {
        piece.data = (const char *) file->bytes + range->first;
        return rtn_response_give_as_is(request, status, &piece);
    }
    piece.file = true;
    piece.in_memory = file->in_memory;
    piece.fd = file->fd;
    piece.offset = range->first;
    if (request->method != RTN_METHOD_HEAD && !file->in_memory && !rtn_pool_on_worker())
        piece.data = rtn_prefetch(piece.fd, piece.offset, piece.length);
    return rtn_response_give(request, status, &piece);
}

static int answer_whole(struct rtn_request *request, const struct rtn_file *file)
{
    return give_part(request, 200, file, &(struct rtn_range){ .length = file->size });
}

static int answer_ranges(struct rtn_request *request, const struct rtn_file *file, const struct rtn_ranges *ranges)
{
    char text[RTN_CONTENT_RANGE_MAX];
    if (ranges->count > 1)
        return rtn_byteranges_reply(request, file, ranges);
    int r = add_field(request, RTN_STR("Content-Range"), rtn_range_content_range(text, &ranges->list[0], file->size));
    return r < 0 ? refuse(file, r) : give_part(request, 206, file, &ranges->list[0]);
}

/* Only GET has ranges (RFC 9110, 14.2). */
static enum rtn_range_result wanted_ranges(const struct rtn_request *request, const struct rtn_file *file,
                                           const struct asked *asked, const struct rtn_validators *now,
                                           struct rtn_ranges *ret)
{
    if (request->method != RTN_METHOD_GET || !rtn_conditional_range(&asked->conditions, now))
        return RTN_RANGE_NONE;
    return rtn_range_parse(asked->range, file->size, ret);
}

static int answer_asked(struct rtn_request *request, const struct rtn_file *file, const struct asked *asked)
{
    const struct rtn_validators now = { .etag = rtn_str_of(file->etag), .modified = file->modified };
    struct rtn_ranges ranges;
    enum rtn_verdict verdict = rtn_conditional_check(&asked->conditions, &now);
    if (verdict == RTN_VERDICT_FAILED)
        return answer_failed(request, file);
    if (verdict == RTN_VERDICT_NOT_MODIFIED)
        return answer_not_modified(request, file);
    enum rtn_range_result wanted = wanted_ranges(request, file, asked, &now, &ranges);
    if (wanted == RTN_RANGE_UNSATISFIABLE)
        return answer_unsatisfiable(request, file);
    int r = add_type(request, file);
    if (r == 0)
        r = add_validators(request, file);
    if (r == 0)
        r = add_field(request, RTN_STR("Accept-Ranges"), "bytes");
    if (r < 0)
        return refuse(file, r);
    return wanted == RTN_RANGE_LIST ? answer_ranges(request, file, &ranges) : answer_whole(request, file);
}

int rtn_reply_fd(rtn_request *request, const struct rtn_file *file)
{
    const struct rtn_file known = known_part(file);
    struct asked asked;
    int r = check(request, &known);
    if (r < 0)
        return refuse(&known, r);
    if (request->method == RTN_METHOD_GET || request->method == RTN_METHOD_HEAD) {
        r = read_asked(request, &asked);
        return r < 0 ? refuse(&known, r) : answer_asked(request, &known, &asked);
    }
    r = add_type(request, &known);
    if (r == 0)
        r = add_validators(request, &known);
    return r < 0 ? refuse(&known, r) : answer_whole(request, &known);
}

/* O_NONBLOCK: a FIFO must not hold the worker up. */
static int open_file(const char *path)
{
    int fd;
    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd < 0 && errno == EINTR);
    return fd >= 0 ? fd : -errno;
}

static int answer_missing(struct rtn_request *request, int error)
{
    switch (error) {
    case -EACCES:
    case -EPERM:
        rtn_response_reset(request);
        return rtn_response_error(request, 403, "the file may not be read");
    case -ENOENT:
    case -ENOTDIR:
    case -ENAMETOOLONG:
    case -ELOOP:
    case -ENXIO: /* a socket */
        rtn_response_reset(request);
        return rtn_response_error(request, 404, NULL);
    default:
        return error;
    }
}

static int reply_opened(struct rtn_request *request, const char *path, int fd, const struct stat *status)
{
    char etag[48];
    unsigned long long ns =
        (unsigned long long) status->st_mtim.tv_sec * 1000000000U + (unsigned long long) status->st_mtim.tv_nsec;
    (void) snprintf(etag, sizeof(etag), "\"%llx-%llx\"", ns, (unsigned long long) status->st_size);
    const struct rtn_file file = { .struct_size = sizeof(file),
                                   .fd = fd,
                                   .size = status->st_size,
                                   .modified = status->st_mtim.tv_sec,
                                   .etag = etag,
                                   .type = rtn_media_lookup(rtn_routing_of(request)->media, rtn_str_of(path)) };
    return rtn_reply_fd(request, &file);
}

int rtn_reply_file(rtn_request *request, const char *path)
{
    struct stat status;
    if (path == NULL)
        return -EINVAL;
    if (request->response.state != RTN_RESPONSE_NONE)
        return -EALREADY;
    if (!rtn_pool_on_worker())
        return RTN_WORKER;
    int fd = open_file(path);
    if (fd < 0)
        return answer_missing(request, fd);
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        return reply_opened(request, path, fd, &status);
    (void) close(fd);
    return answer_missing(request, -ENOENT);
}
