/*
 * Replies. The head is written straight into the sink: status line, Date (formatted once per second and
 * thread), the handler's fields, Content-Length, Connection. Content that fits goes behind it; larger content
 * leaves in the same system call from where it is.
 */
#include "proto/response.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/macros.h"
#include "proto/connection.h"
#include "proto/http1.h"
#include "proto/sink.h"
#include "proto/status.h"

#define FIRST_FIELDS 512
#define HEAD_ROOM 512 /* everything in a head but the handler's fields */

/* Fields that frame the message or belong to the connection: written here, never by handlers. */
static const struct rtn_str own_fields[] = {
    { "content-length", 14 },
    { "transfer-encoding", 17 },
    { "connection", 10 },
    { "keep-alive", 10 },
    { "date", 4 },
    { "upgrade", 7 },
    { "trailer", 7 },
};

static bool valid_name(struct rtn_str name)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(own_fields); i++) {
        if (rtn_str_equal_nocase(name, own_fields[i]))
            return false;
    }
    return rtn_is_token(name);
}

static bool valid_value(struct rtn_str value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char c = (unsigned char) value.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static int reserve_fields(struct rtn_request *request, size_t extra)
{
    struct rtn_response *response = &request->response;
    if (response->fields_capacity - response->fields_length >= extra)
        return 0;
    size_t capacity = RTN_MAX(FIRST_FIELDS, (response->fields_length + extra) * 2);
    char *fields = rtn_arena_alloc(&request->arena, capacity);
    if (fields == NULL)
        return -ENOMEM;
    if (response->fields_length > 0)
        memcpy(fields, response->fields, response->fields_length);
    response->fields = fields;
    response->fields_capacity = capacity;
    return 0;
}

static char *put(char *at, struct rtn_str s)
{
    if (s.length > 0)
        memcpy(at, s.data, s.length);
    return at + s.length;
}

/* Name and value are known to be good. */
static int append_field(struct rtn_request *request, struct rtn_str name, struct rtn_str value)
{
    struct rtn_response *response = &request->response;
    int r = reserve_fields(request, name.length + value.length + 4);
    if (r < 0)
        return r;
    char *at = response->fields + response->fields_length;
    at = put(at, name);
    at = put(at, RTN_STR(": "));
    at = put(at, value);
    at = put(at, RTN_STR("\r\n"));
    response->fields_length = (size_t) (at - response->fields);
    return 0;
}

int rtn_response_field(struct rtn_request *request, struct rtn_str name, struct rtn_str value)
{
    if (request->response.state != RTN_RESPONSE_NONE)
        return -EALREADY;
    if (!valid_name(name) || !valid_value(value))
        return -EINVAL;
    int r = append_field(request, name, value);
    if (r == 0 && rtn_str_equal_nocase(name, RTN_STR("content-type")))
        request->response.has_content_type = true;
    return r;
}

static char *put_number(char *at, size_t number)
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
        return put(at, RTN_STR("Connection: close\r\n"));
    if (request->version < 11)
        return put(at, RTN_STR("Connection: keep-alive\r\n"));
    return at;
}

static bool has_content(const struct rtn_request *request, int status)
{
    return request->method != RTN_METHOD_HEAD && !rtn_status_bodiless(status);
}

/* Room for it was checked: HEAD_ROOM + fields_length. */
static size_t write_head(struct rtn_request *request, char *start, size_t content_length)
{
    const struct rtn_response *response = &request->response;
    char *at = put(start, RTN_STR("HTTP/1.1 "));
    at = put_number(at, (size_t) response->status);
    *at++ = ' ';
    at = put(at, rtn_status_reason(response->status));
    at = put(at, RTN_STR("\r\n"));
    at = put_date(at, request->sink);
    at = put(at, (struct rtn_str){ response->fields, response->fields_length });
    if (!rtn_status_bodiless(response->status)) {
        at = put(at, RTN_STR("Content-Length: "));
        at = put_number(at, content_length);
        at = put(at, RTN_STR("\r\n"));
    }
    at = put_connection(at, request);
    at = put(at, RTN_STR("\r\n"));
    return (size_t) (at - start);
}

static void release(const struct rtn_piece *content)
{
    if (content->release != NULL)
        content->release(content->release_data);
}

static int check(const struct rtn_request *request, int status, const struct rtn_piece *content)
{
    if (request->response.state != RTN_RESPONSE_NONE)
        return -EALREADY;
    if (status < 200 || status > 599 || (content->data == NULL && content->length > 0))
        return -EINVAL;
    return 0;
}

/* Head and content leave at once, behind what the sink holds already. */
static int send_large(struct rtn_request *request, const struct rtn_piece *head, const struct rtn_piece *content)
{
    struct rtn_sink *sink = request->sink;
    struct rtn_piece pieces[] = { { .data = sink->data, .length = sink->length }, *head, *content };
    sink->length = 0;
    int r = rtn_stream_send(&request->connection->stream, pieces, RTN_ARRAY_LENGTH(pieces));
    if (r < 0)
        request->connection->broken = r;
    return r;
}

int rtn_response_give(struct rtn_request *request, int status, const struct rtn_piece *content)
{
    int r = check(request, status, content);
    if (r < 0) {
        release(content);
        return r;
    }
    struct rtn_response *response = &request->response;
    response->state = RTN_RESPONSE_ENDED;
    response->status = status;
    if (!rtn_http1_may_keep_alive(request->http))
        request->keep_alive = false;

    struct rtn_piece body = *content;
    if (!has_content(request, status)) {
        release(content);
        body = (struct rtn_piece){ 0 };
    }
    response->length = body.length;

    struct rtn_sink *sink = request->sink;
    size_t room = sizeof(sink->data) - sink->length;
    size_t head_room = HEAD_ROOM + response->fields_length;
    if (head_room + body.length <= room) {
        sink->length += write_head(request, sink->data + sink->length, content->length);
        sink->length += (size_t) (put(sink->data + sink->length, (struct rtn_str){ body.data, body.length }) -
                                  (sink->data + sink->length));
        release(&body);
        return 0;
    }

    struct rtn_piece head = { .data = rtn_arena_alloc(&request->arena, head_room) };
    if (head.data == NULL) {
        release(&body);
        request->connection->broken = -ENOMEM;
        return -ENOMEM;
    }
    head.length = write_head(request, (char *) (uintptr_t) head.data, content->length);
    return send_large(request, &head, &body);
}

int rtn_response_text(struct rtn_request *request, int status, struct rtn_str text)
{
    if (!request->response.has_content_type && request->response.state == RTN_RESPONSE_NONE) {
        int r = append_field(request, RTN_STR("Content-Type"), RTN_STR("text/plain; charset=utf-8"));
        if (r < 0)
            return r;
    }
    struct rtn_piece content = { .data = text.data, .length = text.length };
    return rtn_response_give(request, status, &content);
}

void rtn_response_reset(struct rtn_request *request)
{
    request->response.fields_length = 0;
    request->response.has_content_type = false;
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

void rtn_response_continue(struct rtn_request *request)
{
    struct rtn_sink *sink = request->sink;
    struct rtn_str line = RTN_STR("HTTP/1.1 100 Continue\r\n\r\n");
    if (sizeof(sink->data) - sink->length < line.length)
        return; /* the client sends the body after a while anyway (RFC 9110, 10.1.1) */
    sink->length += (size_t) (put(sink->data + sink->length, line) - (sink->data + sink->length));
}
