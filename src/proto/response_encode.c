/*
 * Encoding of content, once the layer above has chosen how. Content that is given at once is encoded at once, so that
 * its length is known, and sent as it is when nothing is won by it; content in pieces goes through the encoder straight
 * into the sink. Either way the fields are made to speak of what is sent (RFC 9110, 8.4 and 8.8.3).
 */
#include <errno.h>
#include <stdlib.h>

#include "proto/response_internal.h"

#define LEAST_ROOM 1024 /* in the sink, for the encoder to write to */

static struct rtn_encoder *choose(struct rtn_request *request, int status, int64_t length)
{
    const struct rtn_http1_handler *handler = request->http->handler;
    return handler->encode != NULL ? handler->encode(request, status, length) : NULL;
}

/* The same content is encoded in different bytes by another version of the library. 0 or -ENOMEM. */
static int weaken_etag(struct rtn_request *request)
{
    struct rtn_str etag;
    size_t at = 0;
    if (!rtn_response_next_field(request, RTN_STR("etag"), &at, &etag) || rtn_str_starts_with(etag, RTN_STR("W/")))
        return 0;
    const char *weak = rtn_arena_printf(&request->arena, "W/%.*s", RTN_STR_ARG(etag));
    if (weak == NULL)
        return -ENOMEM;
    rtn_response_remove_field(request, RTN_STR("etag"));
    return rtn_response_add(request, RTN_STR("ETag"), rtn_str_of(weak));
}

/* 0 or -ENOMEM: the content must not be encoded then. */
static int describe(struct rtn_request *request, const struct rtn_encoder *encoder)
{
    int r = weaken_etag(request);
    if (r < 0)
        return r;
    rtn_response_remove_field(request, RTN_STR("accept-ranges"));
    return rtn_response_add(request, RTN_STR("Content-Encoding"), rtn_encoder_coding(rtn_encoder_encoding(encoder)));
}

void rtn_response_choose_encoder(struct rtn_request *request, int status, int64_t length)
{
    struct rtn_encoder *encoder = choose(request, status, length);
    if (encoder != NULL && describe(request, encoder) < 0) {
        rtn_encoder_free(encoder);
        encoder = NULL;
    }
    request->response.encoder = encoder;
}

/* Makes *ret of memory of its own. False: it would not be smaller, or memory is out. */
static bool make_smaller(struct rtn_encoder *encoder, const struct rtn_piece *content, struct rtn_piece *ret)
{
    char *out = content->length > 0 ? malloc(content->length) : NULL;
    if (out == NULL)
        return false;
    struct rtn_encoder_io io = { .in = { content->data, content->length }, .out = out, .room = content->length - 1 };
    if (rtn_encoder_run(encoder, RTN_ENCODER_END, &io) != 1) {
        free(out);
        return false;
    }
    size_t length = (size_t) (io.out - out);
    char *fitting = realloc(out, length); /* it may wait for its client for long */
    if (fitting != NULL)
        out = fitting;
    *ret = (struct rtn_piece){ .data = out, .length = length, .release = free, .release_data = out };
    return true;
}

void rtn_response_encode_whole(struct rtn_request *request, int status, struct rtn_piece *content)
{
    struct rtn_piece smaller = { 0 };
    struct rtn_encoder *encoder = choose(request, status, (int64_t) content->length);
    if (encoder == NULL)
        return;
    if (make_smaller(encoder, content, &smaller)) {
        bool described = describe(request, encoder) == 0;
        rtn_piece_release(described ? content : &smaller);
        if (described)
            *content = smaller;
    }
    rtn_encoder_free(encoder);
}

/* One call of the encoder, as far as the room in the sink goes. As rtn_encoder_run(). */
static int encode_to_sink(struct rtn_request *request, enum rtn_encoder_op op, struct rtn_str *content)
{
    struct rtn_response *response = &request->response;
    struct rtn_sink *sink = request->sink;
    if (response->chunked)
        rtn_response_open_chunk(request);
    struct rtn_encoder_io io = { .in = *content,
                                 .out = sink->data + sink->length,
                                 .room = rtn_sink_room(sink) - RTN_CHUNK_ROOM };
    size_t room = io.room;
    int r = rtn_encoder_run(response->encoder, op, &io);
    *content = io.in;
    sink->length += room - io.room;
    response->length += room - io.room;
    return r;
}

int rtn_response_encode(struct rtn_request *request, enum rtn_encoder_op op, struct rtn_str content)
{
    int r = 0;
    while (r == 0) {
        if (rtn_sink_room(request->sink) < LEAST_ROOM + RTN_CHUNK_ROOM)
            r = rtn_response_push(request);
        if (r == 0)
            r = encode_to_sink(request, op, &content);
    }
    if (r < 0 && request->connection->broken == 0)
        rtn_response_abort(request);
    return r < 0 ? r : 0;
}
