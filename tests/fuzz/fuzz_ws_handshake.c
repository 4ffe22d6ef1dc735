/*
 * Bytes as a client's request for a WebSocket, as a server's answer, as a URL, or as a header field for a request of
 * ours: the first byte says which. Where something is good, what we write from it must be good for the other side.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/header.h"
#include "base/macros.h"
#include "proto/http1.h"
#include "proto/ws_handshake.h"

#define MOST_BYTES (1 << 22)
#define MOST_FIELDS 32
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rtn_config_server config = {
    .limits = { .target = MOST_BYTES, .header = MOST_BYTES, .header_count = MOST_FIELDS, .body = 64 },
};
static struct rtn_terms terms = {
    .config = &config,
    .policy = { .request_body = RTN_BODY_BUFFERED, .body_limit = 64 },
};
static struct rtn_http1 http = { .terms = &terms };

static void check(bool sound, const char *what)
{
    if (sound)
        return;
    (void) fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void check_inside(struct rtn_str view, struct rtn_str whole, const char *what)
{
    bool inside = view.data >= whole.data && view.data + view.length <= whole.data + whole.length;
    check(view.data == NULL || inside, what);
}

/* Parsed up to the end of the head, or NULL. */
static struct rtn_request *parse(struct rtn_str bytes)
{
    struct rtn_request *request = rtn_request_new(&http, MOST_FIELDS);
    if (request == NULL || rtn_request_make_room(request, bytes.length) < 0)
        abort();
    if (bytes.length > 0)
        memcpy(request->buffer + request->end, bytes.data, bytes.length);
    request->end += bytes.length;
    if (rtn_request_parse(request) == RTN_REQUEST_HEADED)
        return request;
    rtn_request_free(request);
    return NULL;
}

static void check_key(const struct rtn_request *request)
{
    char accept[RTN_WS_ACCEPT_SIZE];
    rtn_ws_accept_of(rtn_ws_field(request, "sec-websocket-key"), accept);
    check(strlen(accept) == RTN_WS_ACCEPT_SIZE - 1, "accept");
}

static void as_request(struct rtn_str bytes, unsigned how)
{
    static const char *items[] = { "https://example.org", "http://[::1]:8080", "same", "all" };
    const struct rtn_schema_strings origins = { .items = items, .count = how % (RTN_ARRAY_LENGTH(items) + 1) };
    struct rtn_request *request = parse(bytes);
    if (request == NULL)
        return;
    const char *text = NULL;
    int status = rtn_ws_handshake_check(request, &text);
    check(status == 0 || status == 400 || status == 426, "status");
    check((status == 0) == (text == NULL), "text");
    if (status == 0)
        check_key(request);
    (void) rtn_ws_is_asked_for(request);
    (void) rtn_ws_list_has(rtn_ws_fields(request, "sec-websocket-protocol"), RTN_STR("chat"));
    struct rtn_str origin = rtn_ws_field(request, "origin");
    bool welcome = rtn_ws_origin_is_welcome(request, &origins, request->host);
    check(origin.data != NULL || welcome, "no origin");
    check(origin.data == NULL || origins.count > 0 || !welcome, "nobody is welcome");
    rtn_request_free(request);
}

static void check_message(const struct rtn_ws_answer *answer, const char *text)
{
    if (text != answer->message)
        return;
    check(answer->status != 101, "status of a message");
    for (; *text != '\0'; text++)
        check(*text >= ' ' && *text <= '~', "message");
}

static void as_answer(struct rtn_str bytes, unsigned how)
{
    static const char *const protocols[] = { "chat", "superchat", NULL };
    struct rtn_ws_request request = { .key = KEY, .protocols = how & 1 ? protocols : NULL };
    if (how & 2)
        request.extensions = RTN_STR("permessage-deflate");
    struct rtn_str part = { bytes.data, bytes.length * (how & 15) / 15 };
    struct rtn_ws_answer answer;
    struct rtn_ws_answer first;
    const char *text = NULL;
    const char *first_text = NULL;
    int r = rtn_ws_answer_read(&request, bytes, &answer, &text);
    int first_r = rtn_ws_answer_read(&request, part, &first, &first_text);
    check(r == 1 || r == 0 || (r == -EPROTO && text != NULL), "result");
    check(first_r == 0 || first_r == r, "the cut makes a difference");
    check(first_r >= 0 || strcmp(first_text, text) == 0, "the cut makes a difference to the words");
    if (r < 0)
        check_message(&answer, text);
    if (r <= 0)
        return;
    check(answer.status == 101 && answer.length <= bytes.length && answer.length <= RTN_WS_ANSWER_MOST, "answer");
    check(answer.protocol.data == NULL || (how & 1), "protocol that was not offered");
    check(answer.extensions.length == 0 || (how & 2), "extension that was not offered");
    const struct rtn_str head = { bytes.data, answer.length };
    check_inside(answer.protocol, head, "protocol");
    check_inside(answer.extensions, head, "extensions");
}

/* Our own parser takes what is written, as a good request with `fields` fields. */
static void check_written(const struct rtn_ws_request *request, unsigned fields)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    const char *wrong;
    rtn_ws_request_write(request, &text);
    struct rtn_request *parsed = parse(rtn_buf_str(&text));
    check(parsed != NULL, "what is written is no request");
    check(parsed->head_length == text.length && parsed->header_count == fields, "fields");
    check(rtn_ws_is_asked_for(parsed) && rtn_ws_handshake_check(parsed, &wrong) == 0, "handshake");
    check(rtn_str_equal(parsed->host, request->url->authority), "host");
    rtn_request_free(parsed);
}

static void as_url(struct rtn_str bytes, unsigned how)
{
    (void) how;
    struct rtn_ws_url url = { .port = -1 };
    if (rtn_ws_url_read(bytes, &url) != RTN_WS_URL_GOOD) {
        check(url.port == -1, "output was touched");
        return;
    }
    bool tcp = url.path.data == NULL;
    check(tcp ? url.host.length > 0 && url.port > 0 && url.port < 65536 : url.path.data[0] == '/', "place");
    check(url.target.length > 0 && (url.target.data[0] == '/' || url.target.data[0] == '?'), "target");
    if (tcp)
        check_inside(url.host, bytes, "host");
    check_inside(url.path, bytes, "path");
    struct rtn_ws_request request = { .url = &url };
    check(rtn_ws_key_make(request.key) == 0, "key");
    check_written(&request, 5);
}

static void as_header(struct rtn_str bytes, unsigned how)
{
    char *header = rtn_str_dup(bytes);
    struct rtn_str name;
    const struct rtn_ws_url url = { .authority = RTN_STR("h"), .target = RTN_STR("/") };
    const char *const headers[] = { header, NULL };
    const char *const protocols[] = { "chat", NULL };
    struct rtn_ws_request request = { .url = &url, .key = KEY, .headers = headers };
    if (how & 1)
        request.protocols = protocols;
    if (header != NULL && rtn_header_check(rtn_str_of(header), &name) == RTN_HEADER_GOOD)
        check_written(&request, how & 1 ? 7 : 6);
    free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const uses[])(struct rtn_str bytes, unsigned how) = { as_request, as_answer, as_url, as_header };
    if (size == 0)
        return 0;
    struct rtn_str bytes = { (const char *) data + 1, size - 1 };
    uses[data[0] & 3](bytes, data[0] >> 2);
    return 0;
}
