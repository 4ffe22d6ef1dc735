/* Request objects: one allocation each, and the buffer that can move with its views. */
#include "proto/request.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/macros.h"
#include "proto/encoder.h"
#include "proto/http1.h"

#define INLINE_BUFFER 8192
#define INLINE_ARENA 2048

struct rtn_request *rtn_request_new(struct rtn_http1 *http, unsigned header_capacity)
{
    size_t headers = header_capacity * sizeof(struct rtn_header);
    struct rtn_request *request = malloc(sizeof(*request) + headers + INLINE_ARENA + INLINE_BUFFER + RTN_REQUEST_SPARE);
    if (request == NULL)
        return NULL;
    *request = (struct rtn_request){
        .http = http, .terms = http->terms, .header_capacity = header_capacity, .policy = &http->terms->policy
    };
    request->headers = (void *) (request + 1);
    request->inline_arena = (char *) request->headers + headers;
    request->inline_arena_size = INLINE_ARENA;
    request->inline_buffer = (char *) request->inline_arena + INLINE_ARENA;
    request->inline_capacity = INLINE_BUFFER;
    request->buffer = request->inline_buffer;
    request->capacity = request->inline_capacity;
    rtn_arena_init(&request->arena, request->inline_arena, request->inline_arena_size);
    rtn_http1_parser_init(request);
    return request;
}

void rtn_request_free(struct rtn_request *request)
{
    if (request == NULL)
        return;
    rtn_encoder_free(request->response.encoder);
    rtn_arena_done(&request->arena);
    if (request->buffer != request->inline_buffer)
        free(request->buffer);
    free(request);
}

/* Not inline: a size that the compiler knows becomes a string instruction, which is slower than memset(). */
RTN_NOINLINE static void clear(struct rtn_request *request, size_t from, size_t to)
{
    memset((char *) request + from, 0, to - from);
}

void rtn_request_forget_head(struct rtn_request *request)
{
    clear(request, offsetof(struct rtn_request, says_close), offsetof(struct rtn_request, stage));
}

/* One call, since all that begins anew is side by side. */
static void reset(struct rtn_request *request)
{
    rtn_encoder_free(request->response.encoder);
    clear(request, offsetof(struct rtn_request, says_close), offsetof(struct rtn_request, leaving));
    request->policy = &request->terms->policy;
    rtn_arena_reset(&request->arena);
}

void rtn_request_empty(struct rtn_request *request)
{
    if (request->buffer != request->inline_buffer) {
        free(request->buffer);
        request->buffer = request->inline_buffer;
        request->capacity = request->inline_capacity;
    }
    request->start = 0;
    request->parsed = 0;
    request->end = 0;
}

void rtn_request_clear(struct rtn_request *request)
{
    rtn_request_empty(request);
    reset(request);
}

void rtn_request_next(struct rtn_request *request)
{
    size_t left = request->end - request->parsed;
    if (request->buffer != request->inline_buffer && left <= request->inline_capacity) {
        char *old = request->buffer;
        memcpy(request->inline_buffer, old + request->parsed, left);
        free(old);
        request->buffer = request->inline_buffer;
        request->capacity = request->inline_capacity;
        request->parsed = 0;
        request->end = left;
    }
    request->start = request->parsed;
    reset(request);
}

static void move_view(struct rtn_str *view, const char *from, const char *to)
{
    if (view->data != NULL)
        view->data = to + (view->data - from);
}

/* All views that point into [from, ...) now point into [to, ...). */
static void move_views(struct rtn_request *request, const char *from, const char *to)
{
    move_view(&request->method_name, from, to);
    move_view(&request->target, from, to);
    move_view(&request->content_type, from, to);
    move_view(&request->host, from, to);
    move_view(&request->field_name, from, to);
    move_view(&request->field_value, from, to);
    move_view(&request->body, from, to);
    for (unsigned i = 0; i < request->header_count; i++) {
        move_view(&request->headers[i].name, from, to);
        move_view(&request->headers[i].value, from, to);
    }
}

static void move_to_front(struct rtn_request *request)
{
    size_t start = request->start;
    memmove(request->buffer, request->buffer + start, request->end - start);
    move_views(request, request->buffer + start, request->buffer);
    request->parsed -= start;
    request->end -= start;
    request->start = 0;
}

int rtn_request_make_room(struct rtn_request *request, size_t wanted)
{
    if (request->capacity - request->end >= wanted)
        return 0;
    if (request->start > 0)
        move_to_front(request);
    if (request->capacity - request->end >= wanted)
        return 0;

    size_t capacity = RTN_MAX(request->capacity * 2, request->end + wanted);
    char *buffer = malloc(capacity + RTN_REQUEST_SPARE);
    if (buffer == NULL)
        return -ENOMEM;
    memcpy(buffer, request->buffer, request->end);
    move_views(request, request->buffer, buffer);
    if (request->buffer != request->inline_buffer)
        free(request->buffer);
    request->buffer = buffer;
    request->capacity = capacity;
    return 0;
}

void rtn_request_consume(struct rtn_request *request)
{
    request->body = (struct rtn_str){ 0 };
    if (request->stage != RTN_REQUEST_BODY)
        return; /* what follows is of the next request, and stays where it is */
    size_t free_from = request->start + request->head_length;
    size_t unparsed = request->end - request->parsed;
    memmove(request->buffer + free_from, request->buffer + request->parsed, unparsed);
    request->parsed = free_from;
    request->end = free_from + unparsed;
}
