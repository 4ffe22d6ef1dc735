/*
 * Bodies: a countdown of Content-Length, or the chunked coding (RFC 9112, 7.1). [owner's thread]
 *
 * Framing is read byte by byte by a state machine, one function per state, so that nothing depends on how the bytes
 * were cut into reads. Content is never looked at: it is counted, and moved in one piece over the framing before it,
 * so that the body is in one place and room for the next read is directly behind it. Where it is with
 * Content-Length, it does not move at all.
 *
 * Lines end in CR LF and nothing else. Chunk extensions are checked and ignored; white space is taken where RFC 9112,
 * 7.1.1 has it, around their parts, but not at the end of the line. What framing may cost is bounded by
 * limits.header plus a share of the content so far.
 */
#include "proto/http1_body.h"

#include <limits.h>

#include "base/header.h"
#include "base/macros.h"
#include "proto/http1_check.h"
#include "proto/http1_trailer.h"

#define MOST_OVERHEAD_PER_BYTE 16 /* of chunk framing, beside limits.header for the whole body */
#define MOST_CHUNK_DIGITS 16

enum state {
    CONTENT,
    SIZE,
    EXTENSION, /* behind a blank: the semicolon has to come */
    NAME_START,
    NAME,
    NAME_BLANK, /* behind a blank after a name: = or a semicolon has to come */
    VALUE_START,
    TOKEN,
    QUOTED,
    QUOTED_PAIR,
    QUOTED_END,
    SIZE_LF,
    CONTENT_CR,
    CONTENT_LF,
    TRAILER,
    DONE
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static enum state fail(struct rtn_request *request, int status, const char *text)
{
    (void) rtn_http1_fail(request, status, text);
    return DONE;
}

static enum state fail_extension(struct rtn_request *request, char c)
{
    return fail(request, 400, c == '\n' ? "a line does not end in CR LF" : "a chunk extension is malformed");
}

/* One more than the value of a hexadecimal digit; 0 for anything else. */
static const uint8_t hex_digits[UCHAR_MAX + 1] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

static enum state begin_chunk(struct rtn_request *request)
{
    request->body_left = 0;
    request->chunk_digits = 0;
    return SIZE;
}

static enum state in_size(struct rtn_request *request, char c)
{
    unsigned digit = hex_digits[(unsigned char) c];
    if (digit > 0 && request->chunk_digits < MOST_CHUNK_DIGITS) {
        request->chunk_digits++;
        request->body_left = request->body_left << 4 | (digit - 1);
        return SIZE;
    }
    if (request->chunk_digits > 0 && c == '\r')
        return SIZE_LF;
    if (request->chunk_digits > 0 && c == ';')
        return NAME_START;
    if (request->chunk_digits > 0 && is_blank(c))
        return EXTENSION;
    return fail(request, 400, "a chunk size is not a hexadecimal number");
}

static enum state in_extension(struct rtn_request *request, char c)
{
    if (is_blank(c))
        return EXTENSION;
    return c == ';' ? NAME_START : fail_extension(request, c);
}

static enum state in_name_start(struct rtn_request *request, char c)
{
    if (is_blank(c))
        return NAME_START;
    return rtn_is_token_char(c) ? NAME : fail_extension(request, c);
}

static enum state in_name(struct rtn_request *request, char c)
{
    if (rtn_is_token_char(c))
        return NAME;
    if (c == '\r')
        return SIZE_LF;
    if (c == ';')
        return NAME_START;
    if (c == '=')
        return VALUE_START;
    return is_blank(c) ? NAME_BLANK : fail_extension(request, c);
}

static enum state in_name_blank(struct rtn_request *request, char c)
{
    if (is_blank(c))
        return NAME_BLANK;
    if (c == '=')
        return VALUE_START;
    return c == ';' ? NAME_START : fail_extension(request, c);
}

static enum state in_value_start(struct rtn_request *request, char c)
{
    if (is_blank(c))
        return VALUE_START;
    if (c == '"')
        return QUOTED;
    return rtn_is_token_char(c) ? TOKEN : fail_extension(request, c);
}

static enum state in_quoted_end(struct rtn_request *request, char c)
{
    if (c == '\r')
        return SIZE_LF;
    if (c == ';')
        return NAME_START;
    return is_blank(c) ? EXTENSION : fail_extension(request, c);
}

static enum state in_token(struct rtn_request *request, char c)
{
    return rtn_is_token_char(c) ? TOKEN : in_quoted_end(request, c);
}

static enum state in_quoted(struct rtn_request *request, char c)
{
    if (c == '"')
        return QUOTED_END;
    if (c == '\\')
        return QUOTED_PAIR;
    return rtn_header_is_value_char(c) ? QUOTED : fail_extension(request, c);
}

static enum state in_quoted_pair(struct rtn_request *request, char c)
{
    return rtn_header_is_value_char(c) ? QUOTED : fail_extension(request, c);
}

static enum state begin_trailers(struct rtn_request *request)
{
    rtn_http1_trailer_begin(request);
    return TRAILER;
}

static enum state in_size_lf(struct rtn_request *request, char c)
{
    if (c != '\n')
        return fail(request, 400, "a line does not end in CR LF");
    if (request->body_left == 0)
        return begin_trailers(request);
    if (request->body_left > (uint64_t) request->policy->body_limit - request->body_received)
        return fail(request, 413, "the body is larger than this server takes");
    return CONTENT;
}

static enum state in_content_cr(struct rtn_request *request, char c)
{
    return c == '\r' ? CONTENT_LF : fail(request, 400, "a line does not end in CR LF");
}

static enum state in_content_lf(struct rtn_request *request, char c)
{
    return c == '\n' ? begin_chunk(request) : fail(request, 400, "a line does not end in CR LF");
}

static enum state (*const steps[])(struct rtn_request *request, char c) = {
    [SIZE] = in_size,
    [EXTENSION] = in_extension,
    [NAME_START] = in_name_start,
    [NAME] = in_name,
    [NAME_BLANK] = in_name_blank,
    [VALUE_START] = in_value_start,
    [TOKEN] = in_token,
    [QUOTED] = in_quoted,
    [QUOTED_PAIR] = in_quoted_pair,
    [QUOTED_END] = in_quoted_end,
    [SIZE_LF] = in_size_lf,
    [CONTENT_CR] = in_content_cr,
    [CONTENT_LF] = in_content_lf,
};

static bool is_framing(enum state state)
{
    return state != CONTENT && state < TRAILER;
}

/* Up to the next content, the trailers, or a refusal. Returns how many bytes were used. */
static size_t take_framing(struct rtn_request *request, const char *at, size_t available)
{
    uint64_t most = (uint64_t) request->terms->config->limits.header + MOST_OVERHEAD_PER_BYTE * request->body_received;
    uint64_t budget = most - request->body_overhead;
    enum state state = request->body_state;
    size_t used = 0;
    while (used < available && is_framing(state)) {
        if (used == budget)
            state = fail(request, 413, "chunk sizes and extensions are too large");
        else
            state = steps[state](request, at[used++]);
    }
    request->body_overhead += used;
    request->body_state = (uint8_t) state;
    return used;
}

static void store_content(struct rtn_request *request, const char *at, size_t length)
{
    char *body = request->buffer + request->start + request->head_length;
    char *to = body + request->body.length;
    if (to != at)
        memmove(to, at, length);
    request->body.data = body;
    request->body.length += length;
}

/* Returns how much of what is there is content. */
static size_t take_content(struct rtn_request *request, const char *at, size_t available)
{
    size_t length = RTN_MIN(available, request->body_left);
    if (request->policy->request_body != RTN_BODY_NONE)
        store_content(request, at, length);
    request->body_received += length;
    request->body_left -= length;
    if (request->body_left == 0)
        request->body_state = request->coding_seen ? CONTENT_CR : DONE;
    return length;
}

RTN_NOINLINE void rtn_http1_body_decode(struct rtn_request *request)
{
    const char *at = request->buffer + request->parsed;
    const char *end = request->buffer + request->end;
    while (at < end && request->body_state != DONE) {
        if (request->body_state == CONTENT)
            at += take_content(request, at, (size_t) (end - at));
        else if (request->body_state != TRAILER)
            at += take_framing(request, at, (size_t) (end - at));
        else if (rtn_http1_trailer_take(request, *at++))
            request->body_state = DONE;
    }
    request->parsed = (size_t) (at - request->buffer);
    if (request->body_state == DONE) {
        request->stage = RTN_REQUEST_COMPLETE;
        return;
    }
    request->end = request->start + request->head_length + request->body.length;
    request->parsed = request->end;
}

void rtn_http1_body_begin(struct rtn_request *request)
{
    uint64_t length = request->content_length;
    if (!request->coding_seen && length == 0) {
        request->stage = RTN_REQUEST_COMPLETE;
        return;
    }
    if (!request->coding_seen && length > (uint64_t) request->policy->body_limit) {
        (void) rtn_http1_fail(request, 413, "the body is larger than this server takes");
        return;
    }
    request->stage = RTN_REQUEST_BODY;
    request->body_state = request->coding_seen ? begin_chunk(request) : CONTENT;
    if (!request->coding_seen)
        request->body_left = length;
}
