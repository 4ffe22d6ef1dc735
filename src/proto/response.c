/*
 * Replies. The head is written straight into the sink: status line, Date (formatted once per second and
 * thread), the handler's fields, what frames the content, Connection. Content that fits goes behind it; larger content
 * leaves in the same system call from where it is.
 */
#include "proto/response.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
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
#define SMALL 16384 /* content up to this size is copied and gathered rather than sent by itself */
#define CHUNK_PREFIX 6 /* "01ff\r\n" */
#define CHUNK_ROOM 32 /* everything that frames a chunk, and the last chunk */
#define NO_CHUNK SIZE_MAX
#define MOST_QUEUED 65536 /* what may wait for the client before a writer has to wait too */

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
        return put(at, RTN_STR("Connection: close\r\n"));
    if (request->version < 11)
        return put(at, RTN_STR("Connection: keep-alive\r\n"));
    return at;
}

/* Room for it was checked: HEAD_ROOM + fields_length. */
static size_t write_head(struct rtn_request *request, char *start)
{
    const struct rtn_response *response = &request->response;
    char *at = put(start, RTN_STR("HTTP/1.1 "));
    at = put_number(at, (uint64_t) response->status);
    *at++ = ' ';
    at = put(at, rtn_status_reason(response->status));
    at = put(at, RTN_STR("\r\n"));
    at = put_date(at, request->sink);
    at = put(at, (struct rtn_str){ response->fields, response->fields_length });
    if (response->chunked)
        at = put(at, RTN_STR("Transfer-Encoding: chunked\r\n"));
    else if (response->announced >= 0 && !rtn_status_bodiless(response->status)) {
        at = put(at, RTN_STR("Content-Length: "));
        at = put_number(at, (uint64_t) response->announced);
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

static size_t room(const struct rtn_sink *sink)
{
    return sizeof(sink->data) - sink->length;
}

static void put_in_sink(struct rtn_sink *sink, struct rtn_str bytes)
{
    put(sink->data + sink->length, bytes);
    sink->length += bytes.length;
}

/* The prefix of a chunk in the sink is written with its final size when the chunk ends: 4 digits are enough for it. */
static void close_chunk(struct rtn_request *request)
{
    struct rtn_response *response = &request->response;
    struct rtn_sink *sink = request->sink;
    if (response->state != RTN_RESPONSE_BEGUN || response->chunk_start == NO_CHUNK)
        return;
    char *at = sink->data + response->chunk_start;
    size_t size = sink->length - response->chunk_start - CHUNK_PREFIX;
    for (unsigned i = 0; i < 4; i++)
        at[i] = "0123456789abcdef"[(size >> (12 - 4 * i)) & 15];
    memcpy(at + 4, "\r\n", 2);
    put_in_sink(sink, RTN_STR("\r\n"));
    response->chunk_start = NO_CHUNK;
}

static void open_chunk(struct rtn_request *request)
{
    if (request->response.chunk_start != NO_CHUNK)
        return;
    request->response.chunk_start = request->sink->length;
    request->sink->length += CHUNK_PREFIX;
}

/* What the sink holds and `piece` behind it leave at once. */
static int send_with(struct rtn_request *request, const struct rtn_piece *piece, unsigned count)
{
    struct rtn_connection *connection = request->connection;
    struct rtn_sink *sink = request->sink;
    struct rtn_piece pieces[3] = { { .data = sink->data, .length = sink->length } };
    for (unsigned i = 0; i < count; i++)
        pieces[1 + i] = piece[i];
    sink->length = 0;
    int r = rtn_stream_send(&connection->stream, pieces, 1 + count);
    if (r < 0 && connection->broken == 0)
        connection->broken = r;
    return r;
}

int rtn_response_flush(struct rtn_request *request)
{
    close_chunk(request);
    if (request->sink->length > 0)
        (void) send_with(request, NULL, 0);
    return request->connection->broken;
}

/* A head that is larger than the sink: only when the handler adds fields without end. */
static int send_large_head(struct rtn_request *request, size_t head_room)
{
    char *head = rtn_arena_alloc(&request->arena, head_room);
    if (head == NULL)
        return -ENOMEM;
    const struct rtn_piece piece = { .data = head, .length = write_head(request, head) };
    return send_with(request, &piece, 1);
}

static void choose_framing(struct rtn_request *request, int64_t length)
{
    struct rtn_response *response = &request->response;
    response->announced = length;
    response->chunk_start = NO_CHUNK;
    response->no_content = request->method == RTN_METHOD_HEAD || rtn_status_bodiless(response->status);
    response->chunked = length < 0 && request->version >= 11 && !rtn_status_bodiless(response->status);
    bool ends_by_close = length < 0 && !response->chunked && !response->no_content;
    /* With a body that was not read to its end there is no next request to be found. */
    if (ends_by_close || request->stage != RTN_REQUEST_COMPLETE || !rtn_http1_may_keep_alive(request->http))
        request->keep_alive = false;
}

int rtn_response_begin(struct rtn_request *request, int status, int64_t length)
{
    struct rtn_response *response = &request->response;
    if (response->state != RTN_RESPONSE_NONE)
        return -EALREADY;
    if (status < 200 || status > 599 || length < -1)
        return -EINVAL;
    response->state = RTN_RESPONSE_BEGUN;
    response->status = status;
    choose_framing(request, length);
    struct rtn_sink *sink = request->sink;
    size_t head_room = HEAD_ROOM + response->fields_length;
    if (head_room > sizeof(sink->data))
        return send_large_head(request, head_room);
    if (head_room > room(sink))
        (void) send_with(request, NULL, 0);
    sink->length += write_head(request, sink->data + sink->length);
    return request->connection->broken;
}

/* Small content joins what the sink holds. */
static int gather(struct rtn_request *request, const struct rtn_piece *content)
{
    if (content->length + CHUNK_ROOM > room(request->sink)) {
        int r = rtn_response_flush(request);
        if (r < 0)
            return r;
    }
    if (request->response.chunked)
        open_chunk(request);
    put_in_sink(request->sink, (struct rtn_str){ content->data, content->length });
    return 0;
}

static int send_as_chunk(struct rtn_request *request, const struct rtn_piece *content)
{
    struct rtn_sink *sink = request->sink;
    close_chunk(request);
    if (room(sink) < CHUNK_ROOM)
        (void) send_with(request, NULL, 0);
    sink->length += (size_t) snprintf(sink->data + sink->length, room(sink), "%zx\r\n", content->length);
    const struct rtn_piece pieces[] = { *content, { .data = "\r\n", .length = 2, .keep = true } };
    return send_with(request, pieces, RTN_ARRAY_LENGTH(pieces));
}

static bool is_small(const struct rtn_piece *content, const struct rtn_sink *sink)
{
    if (content->file)
        return false;
    return content->length + CHUNK_ROOM <= room(sink) || content->length <= SMALL;
}

static int write_content(struct rtn_request *request, const struct rtn_piece *content)
{
    if (is_small(content, request->sink)) {
        int r = gather(request, content);
        release(content);
        return r;
    }
    return request->response.chunked ? send_as_chunk(request, content) : send_with(request, content, 1);
}

int rtn_response_write(struct rtn_request *request, const struct rtn_piece *content)
{
    struct rtn_response *response = &request->response;
    int r = 0;
    if (response->state != RTN_RESPONSE_BEGUN || (!content->file && content->data == NULL && content->length > 0))
        r = -EINVAL;
    else if (response->announced >= 0 && content->length > (uint64_t) response->announced - response->length)
        r = -EMSGSIZE;
    else
        r = request->connection->broken;
    if (r < 0 || content->length == 0 || response->no_content) {
        if (r == 0)
            response->length += content->length;
        release(content);
        return r;
    }
    response->length += content->length;
    return write_content(request, content);
}

int rtn_response_end(struct rtn_request *request)
{
    struct rtn_response *response = &request->response;
    if (response->state != RTN_RESPONSE_BEGUN)
        return -EINVAL;
    if (!response->no_content && response->announced >= 0 && response->length < (uint64_t) response->announced) {
        rtn_response_abort(request);
        return -EMSGSIZE;
    }
    close_chunk(request);
    response->state = RTN_RESPONSE_ENDED;
    if (response->chunked && !response->no_content) {
        if (room(request->sink) < CHUNK_ROOM)
            (void) send_with(request, NULL, 0);
        put_in_sink(request->sink, RTN_STR("0\r\n\r\n"));
    }
    if (response->no_content)
        response->length = 0;
    return request->connection->broken;
}

bool rtn_response_full(const struct rtn_request *request)
{
    return request->connection->stream.queued >= MOST_QUEUED;
}

void rtn_response_abort(struct rtn_request *request)
{
    close_chunk(request);
    request->response.state = RTN_RESPONSE_ENDED;
    request->keep_alive = false;
    if (request->connection->broken == 0)
        request->connection->broken = -ECANCELED;
}

int rtn_response_give(struct rtn_request *request, int status, const struct rtn_piece *content)
{
    int r = 0;
    if (!content->file && content->data == NULL && content->length > 0)
        r = -EINVAL;
    if (r == 0)
        r = rtn_response_begin(request, status, (int64_t) content->length);
    if (r < 0) {
        release(content);
        if (request->response.state == RTN_RESPONSE_BEGUN)
            request->response.state = RTN_RESPONSE_ENDED;
        return r;
    }
    r = rtn_response_write(request, content);
    int ended = rtn_response_end(request);
    return r < 0 ? r : ended;
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
    if (room(sink) >= line.length) /* else the client sends the body after a while anyway (RFC 9110, 10.1.1) */
        put_in_sink(sink, line);
}
