/*
 * The head of a reply: status line and Date (which mostly are those of the reply before), the handler's fields, what
 * frames the content, Connection. What is written here always has room behind it (RTN_HEAD_ROOM), so that pieces of a
 * known size are copied whole, and what follows covers what does not count of them.
 */
#include "base/clock.h"
#include "loop/activity.h"
#include "proto/response_internal.h"
#include "proto/status.h"

#define DATE_LENGTH (sizeof("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n") - 1)

static inline char *put_number(char *at, uint64_t number)
{
    unsigned count = 1;
    for (uint64_t limit = 10; number >= limit && count < 20; limit *= 10)
        count++;
    char *end = at + count;
    for (char *digit = end; digit > at; number /= 10)
        *--digit = (char) ('0' + number % 10);
    return end;
}

RTN_COLD static char *put_nameless_status(char *at, int status)
{
    at = rtn_response_put(at, RTN_STR("HTTP/1.1 "));
    at = put_number(at, (uint64_t) status);
    *at++ = ' ';
    at = rtn_response_put(at, rtn_status_reason(status));
    return rtn_response_put(at, RTN_STR("\r\n"));
}

static char *put_status_line(char *at, int status)
{
    const struct rtn_status_line *line = rtn_status_line(status);
    if (line == NULL)
        return put_nameless_status(at, status);
    memcpy(at, line->text, sizeof(line->text));
    return at + line->length;
}

RTN_COLD static void write_date(struct rtn_sink *sink, int64_t now_ms)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    sink->date_until_ms = now_ms + 1000 - now.tv_nsec / 1000000;
    memcpy(sink->date, "Date: ", 6);
    rtn_clock_http_date(sink->date + 6, now.tv_sec);
    memcpy(sink->date + DATE_LENGTH - 2, "\r\n", 3);
}

/* Not inline: the next reply mostly begins as the last one did. */
RTN_NOINLINE static void write_opening(struct rtn_sink *sink, int status, int64_t now_ms)
{
    if (now_ms >= sink->date_until_ms)
        write_date(sink, now_ms);
    char *end = put_status_line(sink->opening, status);
    memcpy(end, sink->date, DATE_LENGTH);
    sink->opening_status = status;
    sink->opening_length = (unsigned) (end + DATE_LENGTH - sink->opening);
}

/* A loop knows what time it is; nobody looks for a worker. When the clock is set, the date follows within a second. */
static inline char *put_opening(char *at, const struct rtn_request *request)
{
    struct rtn_sink *sink = request->sink;
    int status = request->response.status;
    bool on_loop = sink == request->http->sink;
    int64_t now_ms = on_loop ? rtn_http1_now_ms(request->http) : rtn_activity_now_ms();
    if (RTN_UNLIKELY(status != sink->opening_status || now_ms >= sink->date_until_ms))
        write_opening(sink, status, now_ms);
    memcpy(at, sink->opening, sizeof(sink->opening));
    return at + sink->opening_length;
}

/* At most 128 characters long. */
static char *put_request_id(char *at, const char *id)
{
    at = rtn_response_put(at, RTN_STR("X-Request-Id: "));
    at = rtn_response_put(at, rtn_str_of(id));
    return rtn_response_put(at, RTN_STR("\r\n"));
}

static char *put_framing(char *at, const struct rtn_response *response)
{
    if (response->chunked)
        return rtn_response_put(at, RTN_STR("Transfer-Encoding: chunked\r\n"));
    bool bodiless = response->no_content && rtn_status_bodiless(response->status);
    if (response->announced < 0 || response->encoder != NULL || bodiless)
        return at;
    at = rtn_response_put(at, RTN_STR("Content-Length: "));
    at = put_number(at, (uint64_t) response->announced);
    return rtn_response_put(at, RTN_STR("\r\n"));
}

static char *put_connection(char *at, const struct rtn_request *request)
{
    if (!request->keep_alive)
        return rtn_response_put(at, RTN_STR("Connection: close\r\n"));
    if (request->version < 11)
        return rtn_response_put(at, RTN_STR("Connection: keep-alive\r\n"));
    return at;
}

size_t rtn_response_write_head(const struct rtn_request *request, char *start)
{
    const struct rtn_response *response = &request->response;
    char *at = put_opening(start, request);
    at = rtn_response_put(at, (struct rtn_str){ response->fields, response->fields_length });
    if (response->plain_text)
        at = rtn_response_put(at, RTN_STR("Content-Type: " RTN_PLAIN_TEXT "\r\n"));
    if (response->request_id != NULL)
        at = put_request_id(at, response->request_id);
    at = put_framing(at, response);
    at = put_connection(at, request);
    at = rtn_response_put(at, RTN_STR("\r\n"));
    return (size_t) (at - start);
}
