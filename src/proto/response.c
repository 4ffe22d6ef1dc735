/*
 * Replies. The head is written straight into the sink: status line, Date (formatted once per second and
 * thread), the handler's fields, what frames the content, Connection. Content that fits goes behind it; larger content
 * leaves in the same system call from where it is.
 */
#include <errno.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "proto/response_internal.h"
#include "proto/status.h"

#define HEAD_ROOM 512 /* everything in a head but the handler's fields */

static char *put_number(char *at, uint64_t number)
{
    char digits[20];
    unsigned count = 0;
    do {
        digits[count++] = (char) ('0' + number % 10);
        number /= 10;
    } while (number > 0);
    while (count > 0)
        *at++ = digits[--count];
    return at;
}

static char *put_date(char *at, struct rtn_sink *sink)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != sink->date_second) {
        sink->date_second = now.tv_sec;
        memcpy(sink->date, "Date: ", 6);
        rtn_clock_http_date(sink->date + 6, now.tv_sec);
        memcpy(sink->date + 35, "\r\n", 3);
    }
    memcpy(at, sink->date, 37);
    return at + 37;
}

static char *put_connection(char *at, const struct rtn_request *request)
{
    if (!request->keep_alive)
        return rtn_response_put(at, RTN_STR("Connection: close\r\n"));
    if (request->version < 11)
        return rtn_response_put(at, RTN_STR("Connection: keep-alive\r\n"));
    return at;
}

/* At most 128 characters long. */
static char *put_request_id(char *at, const char *id)
{
    if (id == NULL)
        return at;
    at = rtn_response_put(at, RTN_STR("X-Request-Id: "));
    at = rtn_response_put(at, rtn_str_of(id));
    return rtn_response_put(at, RTN_STR("\r\n"));
}

/* Room for it was checked: HEAD_ROOM + fields_length. */
static size_t write_head(struct rtn_request *request, char *start)
{
    const struct rtn_response *response = &request->response;
    char *at = rtn_response_put(start, RTN_STR("HTTP/1.1 "));
    at = put_number(at, (uint64_t) response->status);
    *at++ = ' ';
    at = rtn_response_put(at, rtn_status_reason(response->status));
    at = rtn_response_put(at, RTN_STR("\r\n"));
    at = put_date(at, request->sink);
    at = rtn_response_put(at, (struct rtn_str){ response->fields, response->fields_length });
    at = put_request_id(at, response->request_id);
    if (response->chunked)
        at = rtn_response_put(at, RTN_STR("Transfer-Encoding: chunked\r\n"));
    else if (response->announced >= 0 && response->encoder == NULL && !rtn_status_bodiless(response->status)) {
        at = rtn_response_put(at, RTN_STR("Content-Length: "));
        at = put_number(at, (uint64_t) response->announced);
        at = rtn_response_put(at, RTN_STR("\r\n"));
    }
    at = put_connection(at, request);
    at = rtn_response_put(at, RTN_STR("\r\n"));
    return (size_t) (at - start);
}

/* A head that is larger than the sink: only when the handler adds fields without end. */
static int send_large_head(struct rtn_request *request, size_t head_room)
{
    char *head = rtn_arena_alloc(&request->arena, head_room);
    if (head == NULL)
        return -ENOMEM;
    const struct rtn_piece piece = { .data = head, .length = write_head(request, head) };
    return rtn_response_send(request, &piece, 1);
}

static void choose_framing(struct rtn_request *request, int64_t length)
{
    struct rtn_response *response = &request->response;
    bool bodiless = rtn_status_bodiless(response->status);
    bool known = length >= 0 && response->encoder == NULL;
    response->announced = length;
    response->chunk_start = RTN_NO_CHUNK;
    response->no_content = request->method == RTN_METHOD_HEAD || bodiless;
    response->chunked = !known && request->version >= 11 && !bodiless;
    bool ends_by_close = !known && !response->chunked && !response->no_content;
    /* With a body that was not read to its end there is no next request to be found. */
    if (ends_by_close || request->stage != RTN_REQUEST_COMPLETE || !rtn_http1_may_keep_alive(request->http))
        request->keep_alive = false;
}

static int check_begin(const struct rtn_request *request, int status, int64_t length)
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
    size_t head_room = HEAD_ROOM + response->fields_length;
    if (head_room > sizeof(sink->data))
        return send_large_head(request, head_room);
    if (head_room > rtn_sink_room(sink))
        (void) rtn_response_send(request, NULL, 0);
    sink->length += write_head(request, sink->data + sink->length);
    return request->connection->broken;
}

/* Everything was checked, and the encoder chosen. */
static int begin(struct rtn_request *request, int status, int64_t length)
{
    struct rtn_response *response = &request->response;
    response->state = RTN_RESPONSE_BEGUN;
    response->status = status;
    choose_framing(request, length);
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

static int give(struct rtn_request *request, int status, const struct rtn_piece *content)
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

static int check_give(const struct rtn_request *request, int status, const struct rtn_piece *content)
{
    int r = check_begin(request, status, (int64_t) content->length);
    if (r == 0 && !content->file && content->data == NULL && content->length > 0)
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
    if (!rtn_response_may_encode(request) || content->file)
        return give(request, status, content);
    struct rtn_piece encoded = *content;
    rtn_response_encode_whole(request, status, &encoded);
    return give(request, status, &encoded);
}

int rtn_response_text(struct rtn_request *request, int status, struct rtn_str text)
{
    if (!request->response.has_content_type && request->response.state == RTN_RESPONSE_NONE) {
        int r = rtn_response_add(request, RTN_STR("Content-Type"), RTN_STR("text/plain; charset=utf-8"));
        if (r < 0)
            return r;
    }
    struct rtn_piece content = { .data = text.data, .length = text.length };
    return rtn_response_give(request, status, &content);
}

int rtn_response_error(struct rtn_request *request, int status, const char *text)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf message = { 0 };
    rtn_buf_printf(&message, "%d %.*s", status, RTN_STR_ARG(rtn_status_reason(status)));
    if (text != NULL)
        rtn_buf_printf(&message, ": %s", text);
    rtn_buf_append_char(&message, '\n');
    return rtn_response_text(request, status, rtn_buf_str(&message));
}
