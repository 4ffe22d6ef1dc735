/*
 * Replies. The head is written straight into the sink (response_head.c). Content that fits goes behind it; larger
 * content leaves in the same system call from where it is.
 */
#include <errno.h>
#include <stdint.h>

#include "proto/response_internal.h"
#include "proto/status.h"

/* A head that is larger than the sink: only when the handler adds fields without end. */
static int send_large_head(struct rtn_request *request, size_t head_room)
{
    char *head = rtn_arena_alloc(&request->arena, head_room);
    if (head == NULL)
        return -ENOMEM;
    const struct rtn_piece piece = { .data = head, .length = rtn_response_write_head(request, head) };
    return rtn_response_send(request, &piece, 1);
}

/* What is known of every reply; choose_framing() is for what is not given at once. */
RTN_INLINE void note_reply(struct rtn_request *request, int status, int64_t length)
{
    struct rtn_response *response = &request->response;
    response->status = status;
    response->announced = length;
    response->no_content = request->method == RTN_METHOD_HEAD || rtn_status_bodiless(status);
    /* With a body that was not read to its end there is no next request to be found. */
    if (request->stage != RTN_REQUEST_COMPLETE || !rtn_http1_may_keep_alive(request->http))
        request->keep_alive = false;
}

static void choose_framing(struct rtn_request *request)
{
    struct rtn_response *response = &request->response;
    bool known = response->announced >= 0 && response->encoder == NULL;
    response->chunk_start = RTN_NO_CHUNK;
    response->chunked = !known && request->version >= 11 && !rtn_status_bodiless(response->status);
    bool ends_by_close = !known && !response->chunked && !response->no_content;
    if (ends_by_close)
        request->keep_alive = false;
}

RTN_INLINE int check_begin(const struct rtn_request *request, int status, int64_t length)
{
    if (request->response.state != RTN_RESPONSE_NONE)
        return -EALREADY;
    if (status < 200 || status > 599 || length < -1)
        return -EINVAL;
    return rtn_http1_is_taken(request->connection) ? rtn_response_refusal(request) : 0;
}

/* The head, into the sink when it fits. 0, or -errno when the connection is broken. */
static int put_head(struct rtn_request *request)
{
    const struct rtn_response *response = &request->response;
    struct rtn_sink *sink = request->sink;
    size_t head_room = RTN_HEAD_ROOM + response->fields_length;
    if (head_room > sizeof(sink->data))
        return send_large_head(request, head_room);
    if (head_room > rtn_sink_room(sink))
        (void) rtn_response_send(request, NULL, 0);
    sink->length += rtn_response_write_head(request, sink->data + sink->length);
    return request->connection->broken;
}

/* Everything was checked, and the encoder chosen. */
static int begin(struct rtn_request *request, int status, int64_t length)
{
    struct rtn_response *response = &request->response;
    response->state = RTN_RESPONSE_BEGUN;
    note_reply(request, status, length);
    choose_framing(request);
    return put_head(request);
}

void rtn_response_switch_protocols(struct rtn_request *request)
{
    struct rtn_response *response = &request->response;
    response->state = RTN_RESPONSE_ENDED;
    response->status = 101;
    response->announced = -1;
    response->chunk_start = RTN_NO_CHUNK;
    response->no_content = true;
    request->keep_alive = true;
    int r = put_head(request);
    if (r < 0)
        request->connection->broken = r;
}

int rtn_response_begin(struct rtn_request *request, int status, int64_t length)
{
    int r = check_begin(request, status, length);
    if (r < 0)
        return r;
    if (rtn_response_may_encode(request))
        rtn_response_choose_encoder(request, status, length);
    return begin(request, status, length);
}

/* In pieces, as what is too large for the sink leaves. */
static int give_on(struct rtn_request *request, int status, const struct rtn_piece *content)
{
    int r = begin(request, status, (int64_t) content->length);
    if (r < 0) {
        rtn_piece_release(content);
        request->response.state = RTN_RESPONSE_ENDED;
        return r;
    }
    r = rtn_response_write(request, content);
    int ended = rtn_response_end(request);
    return r < 0 ? r : ended;
}

RTN_INLINE bool fits(const struct rtn_request *request, const struct rtn_piece *content)
{
    size_t room = rtn_sink_room(request->sink);
    size_t head_room = RTN_HEAD_ROOM + request->response.fields_length;
    return !content->file && content->length <= room && head_room <= room - content->length;
}

/* Head and content go into the sink: the usual reply. */
RTN_INLINE int give_at_once(struct rtn_request *request, int status, const struct rtn_piece *content)
{
    struct rtn_response *response = &request->response;
    struct rtn_sink *sink = request->sink;
    response->state = RTN_RESPONSE_ENDED;
    note_reply(request, status, (int64_t) content->length);
    response->given = content->length;
    sink->length += rtn_response_write_head(request, sink->data + sink->length);
    if (!response->no_content) {
        response->length = content->length;
        rtn_sink_put(sink, (struct rtn_str){ content->data, content->length });
    }
    rtn_piece_release(content);
    return request->connection->broken;
}

/* Here and in rtn_response_text(), whose usual reply is all in one function. */
RTN_INLINE int give(struct rtn_request *request, int status, const struct rtn_piece *content)
{
    return fits(request, content) ? give_at_once(request, status, content) : give_on(request, status, content);
}

static int give_encoded(struct rtn_request *request, int status, const struct rtn_piece *content)
{
    struct rtn_piece encoded = *content;
    rtn_response_encode_whole(request, status, &encoded);
    return give(request, status, &encoded);
}

/* Releases what cannot be given. */
RTN_INLINE int check_give(const struct rtn_request *request, int status, const struct rtn_piece *content)
{
    int r = check_begin(request, status, (int64_t) content->length);
    if (r == 0 && content->data == NULL && content->length > 0 && !content->file)
        r = -EINVAL;
    if (r < 0)
        rtn_piece_release(content);
    return r;
}

int rtn_response_give_as_is(struct rtn_request *request, int status, const struct rtn_piece *content)
{
    int r = check_give(request, status, content);
    return r < 0 ? r : give(request, status, content);
}

int rtn_response_give(struct rtn_request *request, int status, const struct rtn_piece *content)
{
    int r = check_give(request, status, content);
    if (r < 0)
        return r;
    bool may_encode = rtn_response_may_encode(request) && !content->file;
    return may_encode ? give_encoded(request, status, content) : give(request, status, content);
}

int rtn_response_text(struct rtn_request *request, int status, struct rtn_str text)
{
    struct rtn_response *response = &request->response;
    const struct rtn_piece content = { .data = text.data, .length = text.length };
    int r = check_give(request, status, &content);
    if (r < 0)
        return r;
    if (!rtn_response_may_encode(request)) {
        response->plain_text = !response->has_content_type;
        return give(request, status, &content);
    }
    /* Whoever chooses an encoder looks for the type among the fields. */
    if (!response->has_content_type)
        r = rtn_response_add(request, RTN_STR("Content-Type"), RTN_STR(RTN_PLAIN_TEXT));
    return r < 0 ? r : give_encoded(request, status, &content);
}

int rtn_response_error(struct rtn_request *request, int status, const char *text)
{
    struct rtn_str reason = rtn_status_reason(status);
    const char *message = rtn_arena_printf(&request->arena, "%d %.*s%s%s\n", status, RTN_STR_ARG(reason),
                                           text != NULL ? ": " : "", text != NULL ? text : "");
    return message != NULL ? rtn_response_text(request, status, rtn_str_of(message)) : -ENOMEM;
}
