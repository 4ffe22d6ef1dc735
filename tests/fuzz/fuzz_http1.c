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
    uint64_t content; /* a sum over the content of the request that is being read */
    struct {
        enum rtn_request_stage stage;
        bool keep_alive;
        unsigned method, header_count;
        unsigned trailer_count;
        size_t target, host, head_length;
        uint64_t body_received, content;
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
    check_view(request, request->host, "host");
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
    check(request->body_received <= (uint64_t) limits->body, "body length");
    check(request->trailer_count <= (unsigned) limits->header_count, "trailer count");
}

/* Takes the content as the mode has it. */
static void take_content(struct rtn_request *request, struct outcome *outcome)
{
    int mode = request->policy->request_body;
    bool complete = request->stage == RTN_REQUEST_COMPLETE;
    if (request->stage != RTN_REQUEST_BODY && !complete)
        return;
    check(complete || request->end == request->start + request->head_length + request->body.length, "end of body");
    check(complete || request->parsed == request->end, "body not decoded");
    check(mode != RTN_BODY_NONE || request->body.length == 0, "unwanted body");
    check(mode != RTN_BODY_BUFFERED || request->body.length == request->body_received, "buffered body");
    if (mode != RTN_BODY_STREAMED && !complete)
        return;
    for (size_t i = 0; i < request->body.length; i++)
        outcome->content = outcome->content * 31 + (unsigned char) request->body.data[i] + 1;
    if (mode == RTN_BODY_STREAMED)
        rtn_request_consume(request);
}

static void note(struct outcome *outcome, const struct rtn_request *request)
{
    unsigned i = outcome->count++;
    outcome->requests[i].stage = request->stage;
    if (request->stage == RTN_REQUEST_BROKEN) {
        outcome->content = 0; /* how much of it there was before depends on the cuts */
        return;
    }
    outcome->requests[i].keep_alive = request->keep_alive;
    outcome->requests[i].method = request->method;
    outcome->requests[i].header_count = request->header_count;
    outcome->requests[i].trailer_count = request->trailer_count;
    outcome->requests[i].target = request->target.length;
    outcome->requests[i].host = request->host.length;
    outcome->requests[i].head_length = request->head_length;
    outcome->requests[i].body_received = request->body_received;
    outcome->requests[i].content = outcome->content;
    outcome->content = 0;
}

/* Parses what is there, request after request. False when nothing more is to be read. */
static bool advance(struct rtn_request *request, const struct rtn_config_limits *limits, struct outcome *outcome)
{
    for (;;) {
        enum rtn_request_stage stage = rtn_request_parse(request);
        check_request(request, limits);
        take_content(request, outcome);
        if (stage == RTN_REQUEST_HEADED)
            continue;
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
    const struct rtn_config_limits *limits = &request->terms->config->limits;
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
    struct rtn_request *request = rtn_request_new(http, (unsigned) http->terms->config->limits.header_count);
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
    static const int modes[] = { RTN_BODY_BUFFERED, RTN_BODY_NONE, RTN_BODY_STREAMED, RTN_BODY_BUFFERED };
    const struct rtn_config_server config = { .limits = limits };
    struct rtn_terms terms = {
        .config = &config,
        .policy = { .request_body = modes[how & 3], .body_limit = limits.body },
    };
    struct rtn_http1 http = { .terms = &terms };
    const size_t first = size * (how >> 4) / 16;
    const size_t cuts[2] = { first, how & 8 ? first + (size - first) / 2 : first };
    const size_t whole[2] = { 0, 0 };
    struct outcome pieces = { 0 };
    struct outcome at_once = { 0 };
    run(&http, data, size, cuts, how & 4 ? 1 : 2048, &pieces);
    run(&http, data, size, whole, size, &at_once);
    check(memcmp(&pieces, &at_once, sizeof(pieces)) == 0, "the cuts make a difference");
    return 0;
}
