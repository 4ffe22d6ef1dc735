/*
 * The client's request for a WebSocket (RFC 6455, 4.1), and the check of the fields that others add to it. The order
 * of the lines is fixed; nothing here is escaped: all parts were checked when they were taken.
 */
#include "base/macros.h"
#include "proto/http1_check.h"
#include "proto/ws_handshake.h"

/* They belong to the handshake, or frame a message, or would have the server answer before the answer. */
static const struct rtn_str own_fields[] = {
    { "host", 4 },   { "upgrade", 7 }, { "connection", 10 }, { "content-length", 14 }, { "transfer-encoding", 17 },
    { "expect", 6 },
};

static bool is_own(struct rtn_str name)
{
    struct rtn_str prefix = RTN_STR("sec-websocket-");
    if (name.length >= prefix.length && rtn_str_equal_nocase((struct rtn_str){ name.data, prefix.length }, prefix))
        return true;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(own_fields); i++) {
        if (rtn_str_equal_nocase(name, own_fields[i]))
            return true;
    }
    return false;
}

const char *rtn_ws_header_problem(const char *header)
{
    const char *colon = strchr(header, ':');
    if (colon == NULL)
        return "there is no colon behind the name";
    struct rtn_str name = { header, (size_t) (colon - header) };
    if (!rtn_is_token(name))
        return "the name has a character that names of fields do not have";
    if (is_own(name))
        return "the handshake sets this field itself";
    for (const char *c = colon + 1; *c != '\0'; c++) {
        if (!rtn_http1_is_value_char(*c))
            return "the value has a control character";
    }
    return NULL;
}

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
