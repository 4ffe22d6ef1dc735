/* Bodies of the public rtn_reply functions. retinue-module(3) documents them. */
#include <retinue/module.h>

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "app/step.h"
#include "base/buf.h"
#include "loop/pool.h"
#include "proto/response.h"

#define MOST_PER_STEP ((uint64_t) 1024 * 1024) /* written on a loop in one step, so that others get their turn */

int rtn_reply_header_str(rtn_request *request, const char *name, rtn_str value)
{
    int r = rtn_response_field(request, rtn_str_of(name), value);
    if (r == -EINVAL)
        rtn_log(RTN_LOG_WARN,
                "rtn_reply_header: field \"%s\" is refused: no field name, a character that no field may "
                "hold, or a field that the daemon writes itself",
                name != NULL ? name : "");
    return r;
}

int rtn_reply_header(rtn_request *request, const char *name, const char *value)
{
    return rtn_reply_header_str(request, name, rtn_str_of(value));
}

/* Says what a handler's author has to look for; the handler's own error line would only say "Invalid argument". */
static int report(int r, int status)
{
    if (r == -EINVAL)
        rtn_log(RTN_LOG_WARN, "rtn_reply: refused: status %d is not in 200..599, or there is a length without a body",
                status);
    return r;
}

int rtn_reply(rtn_request *request, int status, const void *body, size_t length)
{
    return report(rtn_response_give(request, status, &(struct rtn_piece){ .data = body, .length = length }), status);
}

int rtn_reply_status(rtn_request *request, int status)
{
    return report(rtn_response_give(request, status, &(struct rtn_piece){ 0 }), status);
}

int rtn_reply_text(rtn_request *request, int status, const char *text)
{
    return report(rtn_response_text(request, status, rtn_str_of(text)), status);
}

int rtn_reply_format(rtn_request *request, int status, const char *format, ...)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    va_list arguments;
    va_start(arguments, format);
    rtn_buf_vprintf(&text, format, arguments);
    va_end(arguments);
    return report(rtn_response_text(request, status, rtn_buf_str(&text)), status);
}

int rtn_reply_redirect(rtn_request *request, int status, const char *location)
{
    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308) {
        rtn_log(RTN_LOG_WARN, "rtn_reply_redirect: refused: status %d is none of 301, 302, 303, 307 and 308", status);
        return -EINVAL;
    }
    int r = rtn_reply_header(request, "Location", location);
    return r < 0 ? r : rtn_reply_status(request, status);
}

int rtn_reply_static(rtn_request *request, int status, const void *body, size_t length)
{
    return report(
        rtn_response_give(request, status, &(struct rtn_piece){ .data = body, .length = length, .keep = true }),
        status);
}

int rtn_reply_release(rtn_request *request, int status, const void *body, size_t length, void (*release)(void *data),
                      void *data)
{
    const struct rtn_piece content = { .data = body, .length = length, .release = release, .release_data = data };
    return report(rtn_response_give(request, status, &content), status);
}

/* In pieces */

int rtn_reply_begin(rtn_request *request, int status, int64_t length)
{
    return report(rtn_response_begin(request, status, length), status);
}

/* A worker waits here for the client; a loop must not, nor be held up by one that reads as fast as this writes. */
static int make_room(rtn_request *request)
{
    bool full = rtn_response_full(request);
    if (rtn_pool_on_worker())
        return full ? rtn_http1_wait_for_room(request) : 0;
    bool has_written = request->response.given - rtn_call_of(request)->given_before >= MOST_PER_STEP;
    return full || has_written ? -EAGAIN : 0;
}

/* Mistakes of a handler that would not be seen when it does not look at what came back. */
static int report_write(const rtn_request *request, size_t length, int r)
{
    const struct rtn_response *response = &request->response;
    if (r == -EINVAL)
        rtn_log(RTN_LOG_WARN, "rtn_reply_write: refused: no reply was begun, or it has ended");
    else if (r == -EMSGSIZE)
        rtn_log(RTN_LOG_WARN, "rtn_reply_write: refused: %zu bytes after %llu of the %lld that were announced", length,
                (unsigned long long) response->given, (long long) response->announced);
    return r;
}

int rtn_reply_write(rtn_request *request, const void *data, size_t length)
{
    int r = make_room(request);
    rtn_call_of(request)->refused = r == -EAGAIN;
    if (r < 0)
        return r;
    r = rtn_response_write(request, &(struct rtn_piece){ .data = data, .length = length });
    return report_write(request, length, r);
}

int rtn_reply_flush(rtn_request *request)
{
    int r = rtn_response_flush(request);
    return r == 0 && rtn_pool_on_worker() ? rtn_http1_send_queued(request) : r;
}

int rtn_reply_end(rtn_request *request)
{
    int r = rtn_response_end(request);
    if (r == -EINVAL)
        rtn_log(RTN_LOG_WARN, "rtn_reply_end: refused: no reply was begun, or it has ended");
    else if (r == -EMSGSIZE)
        rtn_log(RTN_LOG_WARN, "rtn_reply_end: %llu bytes of the %lld that were announced; the connection is cut",
                (unsigned long long) request->response.given, (long long) request->response.announced);
    return r;
}

int rtn_reply_on_drain(rtn_request *request, int (*then)(rtn_request *request, void *data), void *data)
{
    struct rtn_call *call = rtn_call_of(request);
    if (then == NULL || request->response.state != RTN_RESPONSE_BEGUN)
        return -EINVAL;
    call->drain = then;
    call->drain_data = data;
    return 0;
}

int rtn_reply_events(rtn_request *request)
{
    int r = rtn_reply_header(request, "Content-Type", "text/event-stream");
    if (r == 0)
        r = rtn_reply_header(request, "Cache-Control", "no-cache");
    if (r == 0)
        r = rtn_reply_begin(request, 200, -1);
    request->response.open_end = r == 0;
    return r < 0 ? r : rtn_reply_flush(request);
}

/* A line break would end the field, and what follows would be one of the sender's choice. */
static bool is_one_line(const char *s)
{
    return s == NULL || strpbrk(s, "\r\n") == NULL;
}

/* Each line of the text becomes a data: line; CR, LF and CR LF all end one. */
static void append_data(struct rtn_buf *out, const char *text)
{
    for (;;) {
        size_t length = strcspn(text, "\r\n");
        rtn_buf_printf(out, "data: %.*s\n", (int) length, text);
        text += length;
        if (*text == '\0')
            return;
        text += text[0] == '\r' && text[1] == '\n' ? 2 : 1;
    }
}

int rtn_reply_event(rtn_request *request, const char *name, const char *id, const char *text)
{
    if (!is_one_line(name) || !is_one_line(id))
        return -EINVAL;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf event = { 0 };
    if (name != NULL)
        rtn_buf_printf(&event, "event: %s\n", name);
    if (id != NULL)
        rtn_buf_printf(&event, "id: %s\n", id);
    if (text != NULL)
        append_data(&event, text);
    else if (name == NULL)
        rtn_buf_printf(&event, ":\n");
    rtn_buf_append_char(&event, '\n');
    int r = rtn_reply_write(request, event.data, event.length);
    return r < 0 ? r : rtn_reply_flush(request);
}
