/*
 * Content on its way: into the sink, where small pieces gather and leave together, or past it in the system call that
 * empties it. What has to be encoded goes through response_encode.c into the sink.
 */
#include <errno.h>
#include <stdio.h>

#include "proto/response_internal.h"

#define SMALL 16384 /* content up to this size is copied and gathered rather than sent by itself */
#define CHUNK_PREFIX 6 /* "01ff\r\n" */
#define MOST_QUEUED 65536 /* what may wait for the client before a writer has to wait too */

/* The prefix of a chunk in the sink is written with its final size when the chunk ends: 4 digits are enough for it. */
void rtn_response_close_chunk(struct rtn_request *request)
{
    struct rtn_response *response = &request->response;
    struct rtn_sink *sink = request->sink;
    if (response->state != RTN_RESPONSE_BEGUN || response->chunk_start == RTN_NO_CHUNK)
        return;
    char *at = sink->data + response->chunk_start;
    size_t size = sink->length - response->chunk_start - CHUNK_PREFIX;
    if (size == 0) { /* the encoder held everything back; an empty chunk would be the last one */
        sink->length = response->chunk_start;
        response->chunk_start = RTN_NO_CHUNK;
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        at[i] = "0123456789abcdef"[(size >> (12 - 4 * i)) & 15];
    (void) rtn_response_put(at + 4, RTN_STR("\r\n"));
    rtn_sink_put(sink, RTN_STR("\r\n"));
    response->chunk_start = RTN_NO_CHUNK;
}

void rtn_response_open_chunk(struct rtn_request *request)
{
    if (request->response.chunk_start != RTN_NO_CHUNK)
        return;
    request->response.chunk_start = request->sink->length;
    request->sink->length += CHUNK_PREFIX;
}

int rtn_response_send(struct rtn_request *request, const struct rtn_piece *piece, unsigned count)
{
    struct rtn_connection *connection = request->connection;
    struct rtn_sink *sink = request->sink;
    struct rtn_piece pieces[3] = { { .data = sink->data, .length = sink->length } };
    for (unsigned i = 0; i < count; i++)
        pieces[1 + i] = piece[i];
    rtn_http1_tell_leaving(connection->http, sink);
    sink->length = 0;
    int r = sink != connection->http->sink ? rtn_http1_begin_sending(connection) : 0;
    if (r < 0) {
        for (unsigned i = 0; i < count; i++)
            rtn_piece_release(&piece[i]);
        return r;
    }
    r = rtn_stream_send(&connection->stream, pieces, 1 + count);
    if (r < 0 && connection->broken == 0)
        connection->broken = r;
    return r;
}

int rtn_response_push(struct rtn_request *request)
{
    rtn_response_close_chunk(request);
    if (request->sink->length > 0)
        (void) rtn_response_send(request, NULL, 0);
    return request->connection->broken;
}

int rtn_response_flush(struct rtn_request *request)
{
    const struct rtn_response *response = &request->response;
    if (response->encoder != NULL && !response->no_content)
        (void) rtn_response_encode(request, RTN_ENCODER_FLUSH, (struct rtn_str){ 0 });
    return rtn_response_push(request);
}

/* Small content joins what the sink holds. */
static int gather(struct rtn_request *request, const struct rtn_piece *content)
{
    if (content->length + RTN_CHUNK_ROOM > rtn_sink_room(request->sink)) {
        int r = rtn_response_push(request);
        if (r < 0)
            return r;
    }
    if (request->response.chunked)
        rtn_response_open_chunk(request);
    rtn_sink_put(request->sink, (struct rtn_str){ content->data, content->length });
    return 0;
}

static int send_as_chunk(struct rtn_request *request, const struct rtn_piece *content)
{
    struct rtn_sink *sink = request->sink;
    rtn_response_close_chunk(request);
    if (rtn_sink_room(sink) < RTN_CHUNK_ROOM)
        (void) rtn_response_send(request, NULL, 0);
    sink->length += (size_t) snprintf(sink->data + sink->length, rtn_sink_room(sink), "%zx\r\n", content->length);
    const struct rtn_piece pieces[] = { *content, { .data = "\r\n", .length = 2, .keep = true } };
    return rtn_response_send(request, pieces, RTN_ARRAY_LENGTH(pieces));
}

static bool is_small(const struct rtn_piece *content, const struct rtn_sink *sink)
{
    if (content->file)
        return false;
    return content->length + RTN_CHUNK_ROOM <= rtn_sink_room(sink) || content->length <= SMALL;
}

static int write_encoded(struct rtn_request *request, const struct rtn_piece *content)
{
    int r = rtn_response_encode(request, RTN_ENCODER_GO_ON, (struct rtn_str){ content->data, content->length });
    rtn_piece_release(content);
    return r;
}

static int write_content(struct rtn_request *request, const struct rtn_piece *content)
{
    request->response.length += content->length;
    if (is_small(content, request->sink)) {
        int r = gather(request, content);
        rtn_piece_release(content);
        return r;
    }
    return request->response.chunked ? send_as_chunk(request, content) : rtn_response_send(request, content, 1);
}

static int check_content(const struct rtn_request *request, const struct rtn_piece *content)
{
    const struct rtn_response *response = &request->response;
    bool known = content->file ? response->encoder == NULL : content->data != NULL || content->length == 0;
    if (response->state != RTN_RESPONSE_BEGUN || !known)
        return -EINVAL;
    if (response->announced >= 0 && content->length > (uint64_t) response->announced - response->given)
        return -EMSGSIZE;
    return rtn_response_refusal(request);
}

int rtn_response_write(struct rtn_request *request, const struct rtn_piece *content)
{
    struct rtn_response *response = &request->response;
    int r = check_content(request, content);
    if (r == 0)
        response->given += content->length;
    if (r < 0 || content->length == 0 || response->no_content) {
        rtn_piece_release(content);
        return r;
    }
    return response->encoder != NULL ? write_encoded(request, content) : write_content(request, content);
}

/* Sends what the encoder still holds. False: it cannot be sent. */
static bool end_encoding(struct rtn_request *request)
{
    struct rtn_response *response = &request->response;
    if (response->encoder == NULL)
        return true;
    if (!response->no_content && rtn_response_encode(request, RTN_ENCODER_END, (struct rtn_str){ 0 }) < 0)
        return false;
    rtn_encoder_free(response->encoder);
    response->encoder = NULL;
    return true;
}

int rtn_response_end(struct rtn_request *request)
{
    struct rtn_response *response = &request->response;
    if (response->state != RTN_RESPONSE_BEGUN)
        return -EINVAL;
    if (!response->no_content && response->announced >= 0 && response->given < (uint64_t) response->announced) {
        rtn_response_abort(request);
        return -EMSGSIZE;
    }
    if (!end_encoding(request)) {
        rtn_response_abort(request);
        return request->connection->broken;
    }
    rtn_response_close_chunk(request);
    response->state = RTN_RESPONSE_ENDED;
    if (response->chunked && !response->no_content) {
        if (rtn_sink_room(request->sink) < RTN_CHUNK_ROOM)
            (void) rtn_response_send(request, NULL, 0);
        rtn_sink_put(request->sink, RTN_STR("0\r\n\r\n"));
    }
    return request->connection->broken;
}

bool rtn_response_full(const struct rtn_request *request)
{
    return request->connection->stream.queued >= MOST_QUEUED;
}

void rtn_response_abort(struct rtn_request *request)
{
    rtn_response_close_chunk(request);
    request->response.state = RTN_RESPONSE_ENDED;
    rtn_encoder_free(request->response.encoder);
    request->response.encoder = NULL;
    request->keep_alive = false;
    if (request->connection->broken == 0)
        request->connection->broken = -ECANCELED;
}

void rtn_response_continue(struct rtn_request *request)
{
    struct rtn_sink *sink = request->sink;
    struct rtn_str line = RTN_STR("HTTP/1.1 100 Continue\r\n\r\n");
    if (rtn_sink_room(sink) >= line.length) /* else the client sends the body after a while anyway (RFC 9110, 10.1.1) */
        rtn_sink_put(sink, line);
}
