/* What the tests of this folder share: a server without a loop, and reading bytes into a request as a connection does.
 */
#ifndef RTN_TESTS_PROTO_SUPPORT_H
#define RTN_TESTS_PROTO_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/buf.h"
#include "proto/http1.h"

#define MOST_TARGET 100
#define MOST_HEADER 20000
#define MOST_FIELDS 20
#define MOST_BODY 300000

static struct rtn_config_server config = {
    .limits = { .target = MOST_TARGET, .header = MOST_HEADER, .header_count = MOST_FIELDS, .body = MOST_BODY },
};
static struct rtn_terms terms = {
    .config = &config,
    .policy = { .request_body = RTN_BODY_BUFFERED, .body_limit = MOST_BODY },
};
static struct rtn_http1 http = { .terms = &terms };

static inline struct rtn_request *new_request(void)
{
    struct rtn_request *request = rtn_request_new(&http, MOST_FIELDS);
    cr_assert_not_null(request);
    return request;
}

/* Parses as for a route that changes nothing. */
static inline enum rtn_request_stage parse(struct rtn_request *request)
{
    enum rtn_request_stage stage = rtn_request_parse(request);
    return stage == RTN_REQUEST_HEADED ? rtn_request_parse(request) : stage;
}

/* What one read brings. */
static inline enum rtn_request_stage feed(struct rtn_request *request, const char *bytes, size_t length)
{
    cr_assert_eq(rtn_request_make_room(request, length), 0);
    memcpy(request->buffer + request->end, bytes, length);
    request->end += length;
    return parse(request);
}

/* Pieces of `piece` bytes until the request is complete or broken; returns how many bytes were given. */
static inline size_t feed_pieces(struct rtn_request *request, struct rtn_str bytes, size_t piece)
{
    size_t at = 0;
    while (at < bytes.length && request->stage < RTN_REQUEST_COMPLETE) {
        size_t length = bytes.length - at < piece ? bytes.length - at : piece;
        (void) feed(request, bytes.data + at, length);
        at += length;
    }
    return at;
}

static inline void append_many(struct rtn_buf *text, char c, size_t count)
{
    memset(rtn_buf_reserve(text, count), c, count);
    text->length += count;
    text->data[text->length] = '\0';
}

/* All that is known of a request that is complete or broken, for comparing. */
static inline void describe(const struct rtn_request *request, struct rtn_buf *out)
{
    if (request->stage != RTN_REQUEST_COMPLETE) {
        rtn_buf_printf(out, "stage %d: %d %s%s", request->stage, request->error_status,
                       request->error_text != NULL ? request->error_text : "", request->hostile ? " (hostile)" : "");
        return;
    }
    rtn_buf_printf(out, "%.*s [%u] %.*s %u%s%s\n", RTN_STR_ARG(request->method_name), request->method,
                   RTN_STR_ARG(request->target), request->version, request->keep_alive ? " keep" : " close",
                   request->expects_continue ? " expects" : "");
    for (unsigned i = 0; i < request->header_count; i++)
        rtn_buf_printf(out, "%.*s=%.*s|\n", RTN_STR_ARG(request->headers[i].name),
                       RTN_STR_ARG(request->headers[i].value));
    rtn_buf_printf(out, "type %.*s, body %zu: ", RTN_STR_ARG(request->content_type), request->body.length);
    rtn_buf_append_str(out, request->body);
    for (unsigned i = 0; i < request->trailer_count; i++)
        rtn_buf_printf(out, "\n%.*s=%.*s|", RTN_STR_ARG(request->trailers[i].name),
                       RTN_STR_ARG(request->trailers[i].value));
}

#endif
