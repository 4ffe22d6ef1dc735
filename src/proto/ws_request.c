/*
 * The client's request for a WebSocket (RFC 6455, 4.1). The order of the lines is fixed; nothing here is escaped: all
 * parts were checked when they were taken.
 */
#include "proto/ws_handshake.h"

static void append_field(struct rtn_buf *out, const char *name, struct rtn_str value)
{
    rtn_buf_append_text(out, name);
    rtn_buf_append_text(out, ": ");
    rtn_buf_append_str(out, value);
    rtn_buf_append_text(out, "\r\n");
}

static void append_protocols(struct rtn_buf *out, const char *const *protocols)
{
    if (protocols == NULL || *protocols == NULL)
        return;
    const char *separator = "Sec-WebSocket-Protocol: ";
    for (; *protocols != NULL; protocols++) {
        rtn_buf_append_text(out, separator);
        rtn_buf_append_text(out, *protocols);
        separator = ", ";
    }
    rtn_buf_append_text(out, "\r\n");
}

static void append_request_line(struct rtn_buf *out, struct rtn_str target)
{
    rtn_buf_append_text(out, "GET ");
    if (target.data[0] != '/')
        rtn_buf_append_char(out, '/');
    rtn_buf_append_str(out, target);
    rtn_buf_append_text(out, " HTTP/1.1\r\n");
}

void rtn_ws_request_write(const struct rtn_ws_request *request, struct rtn_buf *out)
{
    append_request_line(out, request->url->target);
    append_field(out, "Host", request->url->authority);
    append_field(out, "Upgrade", RTN_STR("websocket"));
    append_field(out, "Connection", RTN_STR("Upgrade"));
    append_field(out, "Sec-WebSocket-Key", rtn_str_of(request->key));
    append_field(out, "Sec-WebSocket-Version", RTN_STR("13"));
    append_protocols(out, request->protocols);
    if (request->extensions.length > 0)
        append_field(out, "Sec-WebSocket-Extensions", request->extensions);
    for (const char *const *header = request->headers; header != NULL && *header != NULL; header++) {
        rtn_buf_append_text(out, *header);
        rtn_buf_append_text(out, "\r\n");
    }
    rtn_buf_append_text(out, "\r\n");
}
