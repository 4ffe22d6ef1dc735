/* echo: answers with what was asked. For trying out clients, proxies and the daemon itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

struct echo {
    bool headers;
};

static const char text_type[] = "text/plain; charset=utf-8";

/* Grows by itself; `failed` stays set once memory was out. */
struct text {
    char *data;
    size_t length;
    size_t capacity;
    bool failed;
};

static void append(struct text *text, rtn_str piece)
{
    if (piece.length > text->capacity - text->length) {
        size_t capacity = 2 * (text->capacity + piece.length);
        char *grown = realloc(text->data, capacity);
        text->failed = text->failed || grown == NULL;
        if (grown == NULL)
            return;
        text->data = grown;
        text->capacity = capacity;
    }
    if (piece.length > 0)
        memcpy(text->data + text->length, piece.data, piece.length);
    text->length += piece.length;
}

static void append_text(struct text *text, const char *piece)
{
    append(text, (rtn_str){ piece, strlen(piece) });
}

static void append_head(struct text *text, const rtn_request *request)
{
    rtn_str name;
    rtn_str value;
    append(text, rtn_request_method_name(request));
    append_text(text, " ");
    append(text, rtn_request_target(request));
    append_text(text, rtn_request_version(request) == 10 ? " HTTP/1.0\n" : " HTTP/1.1\n");
    for (size_t i = 0; rtn_request_header_at(request, i, &name, &value); i++) {
        append(text, name);
        append_text(text, ": ");
        append(text, value);
        append_text(text, "\n");
    }
    append_text(text, "\n");
}

static int reply_with_head(rtn_request *request, rtn_str body)
{
    struct text text = { 0 };
    append_head(&text, request);
    append(&text, body);
    if (text.failed) {
        free(text.data);
        return rtn_reply_status(request, 503);
    }
    int error = rtn_reply_header(request, "Content-Type", text_type);
    if (error < 0) {
        free(text.data);
        return error;
    }
    return rtn_reply_release(request, 200, text.data, text.length, free, text.data);
}

static int reply_with_body(rtn_request *request, rtn_str body)
{
    static const char bytes_type[] = "application/octet-stream";
    rtn_str type = rtn_request_header(request, "Content-Type");
    if (type.length == 0 && body.length == 0)
        type = (rtn_str){ text_type, sizeof(text_type) - 1 };
    else if (type.length == 0)
        type = (rtn_str){ bytes_type, sizeof(bytes_type) - 1 };
    int error = rtn_reply_header_str(request, "Content-Type", type);
    return error < 0 ? error : rtn_reply(request, 200, body.data, body.length);
}

static int echo(rtn_request *request, void *instance)
{
    const struct echo *self = instance;
    rtn_str body = rtn_request_body(request);
    return self->headers ? reply_with_head(request, body) : reply_with_body(request, body);
}

/* A client that has gone, or that does not read what it gets, is the daemon's concern and no error here. */
static int echo_message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length,
                        void *instance)
{
    (void) instance;
    int r = rtn_ws_send(rtn_connection_id(connection), type, data, length);
    return r > 0 || r == -ENOENT || r == -ENOTCONN || r == -ENOBUFS ? 0 : r;
}

static const struct rtn_option options[] = {
    RTN_OPTION(BOOL, struct echo, headers, .name = "headers", .fallback = "false",
               .help = "Answer with the request line and header fields before the body, all as text."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "echo", .summary = "Answers with the body.", .handle = echo, .methods = RTN_METHOD_ALL },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "echo", .summary = "Sends each message back.", .message = echo_message },
    { 0 },
};

static const struct rtn_module module = {
    .name = "echo",
    .version = "1.0",
    .summary = "Answers with the request's own body and content type; sends WebSocket messages back.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct echo),
    .options = options,
    .http = http_handlers,
    .websocket = ws_handlers,
};
RTN_REGISTER_MODULE(module)
