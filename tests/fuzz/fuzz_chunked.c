/*
 * Bytes as a chunked body: the first says how large the reads are and what is done with content. Whole, in pieces and
 * streamed, the same content, trailers and refusal must come out, to the word, and leave the same bytes to the next
 * request. What comes out is then sent in one chunk, and must come out again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "proto/http1.h"

#define HEAD "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum rtn_request_stage stage;
    const char *error_text;
    struct rtn_buf content;
    struct rtn_buf trailers;
    uint64_t received;
    size_t left; /* bytes behind the request */
};

static void outcome_done(struct outcome *outcome)
{
    rtn_buf_done(&outcome->content);
    rtn_buf_done(&outcome->trailers);
}

static void check(bool sound, const char *what)
{
    if (sound)
        return;
    (void) fprintf(stderr, "broken: %s\n", what);
    abort();
}

static void take_content(struct rtn_request *request, struct outcome *outcome)
{
    bool complete = request->stage == RTN_REQUEST_COMPLETE;
    if (request->stage != RTN_REQUEST_BODY && !complete)
        return;
    size_t behind = request->start + request->head_length + request->body.length;
    check(complete ? request->parsed >= behind : request->parsed == behind && request->end == behind,
          "place of the body");
    if (request->policy->request_body != RTN_BODY_STREAMED && !complete)
        return;
    rtn_buf_append_str(&outcome->content, request->body);
    if (request->policy->request_body == RTN_BODY_STREAMED)
        rtn_request_consume(request);
}

static void read_piece(struct rtn_request *request, struct rtn_str bytes, struct outcome *outcome)
{
    check(rtn_request_make_room(request, bytes.length) == 0, "room");
    memcpy(request->buffer + request->end, bytes.data, bytes.length);
    request->end += bytes.length;
    if (request->stage >= RTN_REQUEST_COMPLETE)
        return;
    while (rtn_request_parse(request) == RTN_REQUEST_HEADED)
        continue;
    take_content(request, outcome);
}

static void conclude(const struct rtn_request *request, struct outcome *outcome)
{
    const struct rtn_config_limits *limits = &request->terms->config->limits;
    outcome->stage = request->stage;
    outcome->error_text = request->error_text;
    outcome->received = request->body_received;
    check((request->stage == RTN_REQUEST_BROKEN) == (request->error_status != 0), "refusal");
    check(request->body_received <= (uint64_t) limits->body, "limit of the body");
    if (request->stage != RTN_REQUEST_COMPLETE)
        return;
    outcome->left = request->end - request->parsed;
    check(request->trailer_count <= (unsigned) limits->header_count, "limit of trailers");
    for (unsigned i = 0; i < request->trailer_count; i++) {
        struct rtn_header trailer = request->trailers[i];
        check(rtn_is_token(trailer.name), "trailer name");
        check(memchr(trailer.value.data, '\n', trailer.value.length) == NULL, "trailer value");
        check(rtn_str_trim(trailer.value).length == trailer.value.length, "blanks of a trailer");
        rtn_buf_printf(&outcome->trailers, "%.*s:%.*s\r\n", RTN_STR_ARG(trailer.name), RTN_STR_ARG(trailer.value));
    }
}

static void run(int mode, struct rtn_str body, size_t piece, struct outcome *outcome)
{
    static const struct rtn_config_server config = {
        .limits = { .target = 256, .header = 256, .header_count = 8, .body = 512 },
    };
    struct rtn_terms terms = { .config = &config,
                               .policy = { .request_body = mode, .body_limit = config.limits.body } };
    struct rtn_http1 http = { .terms = &terms };
    struct rtn_request *request = rtn_request_new(&http, (unsigned) config.limits.header_count);
    check(request != NULL, "memory");
    read_piece(request, RTN_STR(HEAD), outcome);
    for (size_t at = 0; at < body.length; at += piece)
        read_piece(request, (struct rtn_str){ body.data + at, RTN_MIN(piece, body.length - at) }, outcome);
    conclude(request, outcome);
    rtn_request_free(request);
}

static void compare(const struct outcome *a, const struct outcome *b, bool content)
{
    check(a->stage == b->stage && a->error_text == b->error_text, "the cuts make a difference: result");
    check(a->received == b->received, "the cuts make a difference: length");
    check(a->left == b->left, "the cuts make a difference: end");
    check(rtn_str_equal(rtn_buf_str(&a->trailers), rtn_buf_str(&b->trailers)), "the cuts make a difference: trailers");
    if (content && a->stage == RTN_REQUEST_COMPLETE)
        check(rtn_str_equal(rtn_buf_str(&a->content), rtn_buf_str(&b->content)), "the cuts make a difference: content");
}

static void send_again(const struct outcome *outcome)
{
    struct rtn_buf text = { 0 };
    struct outcome again = { 0 };
    if (outcome->content.length > 0)
        rtn_buf_printf(&text, "%zX\r\n", outcome->content.length);
    rtn_buf_append_str(&text, rtn_buf_str(&outcome->content));
    rtn_buf_append_text(&text, outcome->content.length > 0 ? "\r\n0\r\n" : "0\r\n");
    rtn_buf_append_str(&text, rtn_buf_str(&outcome->trailers));
    rtn_buf_append_text(&text, "\r\n");
    run(RTN_BODY_BUFFERED, rtn_buf_str(&text), text.length, &again);
    again.left = outcome->left;
    compare(outcome, &again, true);
    outcome_done(&again);
    rtn_buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int modes[] = { RTN_BODY_BUFFERED, RTN_BODY_STREAMED, RTN_BODY_NONE, RTN_BODY_STREAMED };
    if (size < 2)
        return 0;
    unsigned how = *data++;
    struct rtn_str body = { (const char *) data, size - 1 };
    struct outcome at_once = { 0 };
    struct outcome pieces = { 0 };
    run(RTN_BODY_BUFFERED, body, body.length, &at_once);
    run(modes[how & 3], body, 1 + (how >> 2), &pieces);
    compare(&at_once, &pieces, modes[how & 3] != RTN_BODY_NONE);
    if (at_once.stage == RTN_REQUEST_COMPLETE)
        send_again(&at_once);
    outcome_done(&at_once);
    outcome_done(&pieces);
    return 0;
}
