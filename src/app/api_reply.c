/* Bodies of the public rtn_reply functions. retinue-module(3) documents them. */
#include <retinue/module.h>

#include <errno.h>
#include <stdarg.h>

#include "base/buf.h"
#include "proto/response.h"

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
    if (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
        return report(-EINVAL, status);
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
