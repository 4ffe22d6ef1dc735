/*
 * Bytes as what a client sends: the first says where the rest is cut into three reads, what is done with bodies, and
 * whether the room for reads is small. What comes out must lie inside the buffer and the limits, and must not depend
 * on the cuts: the same bytes in one read give the same requests, and end in a refusal at the same one. (Where a
 * request is wrong in two ways, which of them is told may depend on the cuts.)
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/http1.h"

#define MOST_REQUESTS 16
#define LIMIT_BODY 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    unsigned count;
    bool overhead; /* refused for the share of chunk framing so far, which is looked at once per read */
    struct {
        enum rtn_request_stage stage;
        bool keep_alive;
        unsigned method, header_count;
        size_t target, head_length, body_length, body_received;
    } requests[MOST_REQUESTS];
};

static void check(bool sound, const char *what)
{
    if (sound)
        return;
    (void) fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void check_view(const struct rtn_request *request, struct rtn_str view, const char *what)
{
    if (view.data == NULL)
        return;
    const char *start = request->buffer + request->start;
    check(view.data >= start && view.data + view.length <= request->buffer + request->end, what);
}

static void check_request(const struct rtn_request *request, const struct rtn_config_limits *limits)
{
    check(request->start <= request->parsed && request->parsed <= request->end && request->end <= request->capacity,
          "offsets");
    check_view(request, request->method_name, "method");
    check_view(request, request->target, "target");
    check_view(request, request->content_type, "content type");
    check_view(request, request->body, "body");
    check(request->header_count <= request->field_count || request->header_count == 0, "field count");
    check(request->header_count <= (unsigned) limits->header_count, "header count");
    for (unsigned i = 0; i < request->header_count; i++) {
        check_view(request, request->headers[i].name, "name");
        check_view(request, request->headers[i].value, "value");
        check(request->headers[i].name.length > 0, "empty name");
        check(memchr(request->headers[i].value.data, '\n', request->headers[i].value.length) == NULL, "LF in value");
    }
    check(request->stage != RTN_REQUEST_BROKEN || (request->error_status >= 400 && request->error_text != NULL),
          "error");
    if (request->stage != RTN_REQUEST_COMPLETE)
        return;
    check(request->error_status == 0 && request->method != 0, "complete and broken");
    check(request->version == 10 || request->version == 11, "version");
    check(request->version == 10 || request->host_seen, "host");
    check(request->target.length > 0 && request->target.length <= (size_t) limits->target, "target length");
    check(request->head_length <= (size_t) limits->header, "head length");
    check(request->body.length <= (size_t) limits->body, "body length");
    bool kept = request->http->config->request_body == RTN_BODY_BUFFERED;
    check(request->body.length == (kept ? request->body_received : 0), "body received");
}

static void note(struct outcome *outcome, const struct rtn_request *request)
{
    unsigned i = outcome->count++;
    bool broken = request->stage == RTN_REQUEST_BROKEN;
    outcome->requests[i].stage = request->stage;
    if (broken) {
        outcome->overhead = request->error_status == 413 && request->body_received <= LIMIT_BODY;
        return;
    }
    outcome->requests[i].keep_alive = request->keep_alive;
    outcome->requests[i].method = request->method;
    outcome->requests[i].header_count = request->header_count;
    outcome->requests[i].target = request->target.length;
    outcome->requests[i].head_length = request->head_length;
    outcome->requests[i].body_length = request->body.length;
    outcome->requests[i].body_received = request->body_received;
}

/* Parses what is there, request after request. False when nothing more is to be read. */
static bool advance(struct rtn_request *request, const struct rtn_config_limits *limits, struct outcome *outcome)
{
    for (;;) {
        enum rtn_request_stage stage = rtn_request_parse(request);
        check_request(request, limits);
        if (stage < RTN_REQUEST_COMPLETE)
            return true;
        note(outcome, request);
        if (stage == RTN_REQUEST_BROKEN || outcome->count == MOST_REQUESTS)
            return false;
        rtn_request_next(request);
    }
}

/* Hands `data` over in one read, or in as many as there is room for. */
static bool feed(struct rtn_request *request, const uint8_t *data, size_t size, size_t room, struct outcome *outcome)
{
    const struct rtn_config_limits *limits = &request->http->config->limits;
    while (size > 0) {
        check(rtn_request_make_room(request, room) == 0, "room");
        size_t n = RTN_MIN(size, request->capacity - request->end);
        memcpy(request->buffer + request->end, data, n);
        request->end += n;
        data += n;
        size -= n;
        if (!advance(request, limits, outcome))
            return false;
    }
    return true;
}

static void run(struct rtn_http1 *http, const uint8_t *data, size_t size, const size_t cuts[2], size_t room,
                struct outcome *outcome)
{
    struct rtn_request *request = rtn_request_new(http, (unsigned) http->config->limits.header_count);
    if (request == NULL)
        return;
    bool more = feed(request, data, cuts[0], room, outcome);
    if (more)
        more = feed(request, data + cuts[0], cuts[1] - cuts[0], room, outcome);
    if (more)
        (void) feed(request, data + cuts[1], size - cuts[1], room, outcome);
    rtn_request_free(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct rtn_config_limits limits = {
        .target = 256, .header = 2048, .header_count = 8, .body = LIMIT_BODY
    };
    if (size < 2)
        return 0;
    unsigned how = *data++;
    size--;
    const struct rtn_config_server config = { .limits = limits,
                                              .request_body = how & 1 ? RTN_BODY_NONE : RTN_BODY_BUFFERED };
    struct rtn_http1 http = { .config = &config };
    const size_t first = size * (how >> 4) / 16;
    const size_t cuts[2] = { first, first + (size - first) * (how >> 2 & 3) / 4 };
    const size_t whole[2] = { 0, 0 };
    struct outcome pieces = { 0 };
    struct outcome at_once = { 0 };
    run(&http, data, size, cuts, how & 2 ? 1 : 2048, &pieces);
    run(&http, data, size, whole, size, &at_once);
    bool same = memcmp(&pieces, &at_once, sizeof(pieces)) == 0;
    check(same || pieces.overhead || at_once.overhead, "the cuts make a difference");
    return 0;
}
