/*
 * Trailer fields (RFC 9112, 7.1.2), as strict as those of the head. [owner's thread]
 *
 * They are rare and small, so they are read byte by byte, into the arena: the buffer behind them is for content, and
 * names and values have to last as long as the request. Fields that a recipient must have seen before the content, or
 * that would change whom it trusts (RFC 9110, 6.5.1), are checked like the others and left out. Transfer-Encoding is
 * refused, since nobody sends it there but to confuse two servers.
 */
#include "proto/http1_trailer.h"

#include "base/header.h"
#include "base/macros.h"
#include "proto/http1_check.h"

#define FIRST_CAPACITY 256

enum state { LINE_START, NAME, VALUE, VALUE_LF, END_LF, DONE };

/* clang-format off */
static const struct rtn_str forbidden[] = {
    /* Framing, connection, routing */
    { "connection", 10 }, { "host", 4 }, { "keep-alive", 10 }, { "te", 2 }, { "trailer", 7 }, { "upgrade", 7 },
    { "forwarded", 9 }, { "via", 3 },
    /* Authentication */
    { "authorization", 13 }, { "cookie", 6 }, { "set-cookie", 10 }, { "www-authenticate", 16 },
    /* What is asked for */
    { "cache-control", 13 }, { "expect", 6 }, { "max-forwards", 12 }, { "pragma", 6 }, { "range", 5 },
};
/* clang-format on */

static const struct rtn_str forbidden_prefixes[] = {
    { "content-", 8 }, { "if-", 3 }, { "proxy-", 6 }, { "x-forwarded-", 12 }
};

static bool is_forbidden(struct rtn_str name)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(forbidden); i++) {
        if (rtn_str_equal(name, forbidden[i]))
            return true;
    }
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(forbidden_prefixes); i++) {
        if (rtn_str_starts_with(name, forbidden_prefixes[i]))
            return !rtn_str_equal(name, RTN_STR("content-digest")); /* made for trailers (RFC 9530, 2) */
    }
    return false;
}

static enum state fail(struct rtn_request *request, int status, const char *text)
{
    (void) rtn_http1_fail(request, status, text);
    return DONE;
}

static enum state fail_character(struct rtn_request *request)
{
    return fail(request, 400, "a header field has a character that it must not have");
}

static enum state fail_line_end(struct rtn_request *request)
{
    return fail(request, 400, "a line does not end in CR LF");
}

static bool grow(struct rtn_request *request)
{
    size_t capacity = request->trailer_capacity > 0 ? request->trailer_capacity * 2 : FIRST_CAPACITY;
    char *text = rtn_arena_alloc(&request->arena, capacity);
    if (text == NULL)
        return false;
    if (request->trailer_length > 0)
        memcpy(text, request->trailer_text, request->trailer_length);
    request->trailer_text = text;
    request->trailer_capacity = capacity;
    return true;
}

/* Adds a byte to the text; `next` when memory was there. */
static enum state append(struct rtn_request *request, char c, enum state next)
{
    if (request->trailer_length == request->trailer_capacity && !grow(request))
        return fail(request, 503, "memory is out");
    request->trailer_text[request->trailer_length++] = c;
    return next;
}

static enum state append_to_name(struct rtn_request *request, char c)
{
    return append(request, c >= 'A' && c <= 'Z' ? (char) (c | 0x20) : c, NAME);
}

static enum state in_line_start(struct rtn_request *request, char c)
{
    if (c == '\r')
        return END_LF;
    if (c == '\n')
        return fail_line_end(request);
    if (c == ':')
        return fail(request, 400, "a header field has no name");
    if (c == ' ' || c == '\t')
        return fail(request, 400, "a header field is folded over several lines");
    if (!rtn_is_token_char(c))
        return fail_character(request);
    if (++request->trailer_field_count > (unsigned) request->terms->config->limits.header_count)
        return fail(request, 431, "there are too many trailer fields");
    request->trailer_field = request->trailer_length;
    return append_to_name(request, c);
}

/* The name of the field being read; the NUL behind it is there. */
static struct rtn_str name_of_field(const struct rtn_request *request)
{
    return rtn_str_of(request->trailer_text + request->trailer_field);
}

static enum state end_name(struct rtn_request *request)
{
    if (append(request, '\0', VALUE) == DONE)
        return DONE;
    if (!rtn_str_equal(name_of_field(request), RTN_STR("transfer-encoding")))
        return VALUE;
    (void) rtn_http1_fail_hostile(request, 400, "Transfer-Encoding must not be a trailer field");
    return DONE;
}

static enum state in_name(struct rtn_request *request, char c)
{
    if (c == ':')
        return end_name(request);
    return rtn_is_token_char(c) ? append_to_name(request, c) : fail_character(request);
}

static enum state end_value(struct rtn_request *request)
{
    struct rtn_str name = name_of_field(request);
    if (is_forbidden(name)) {
        request->trailer_length = request->trailer_field;
        return VALUE_LF;
    }
    size_t value = request->trailer_field + name.length + 1;
    size_t length = request->trailer_length - value;
    request->trailer_length = value + rtn_str_trim((struct rtn_str){ request->trailer_text + value, length }).length;
    request->trailer_count++;
    return append(request, '\0', VALUE_LF);
}

static enum state in_value(struct rtn_request *request, char c)
{
    if (c == '\r')
        return end_value(request);
    if (c == '\n')
        return fail_line_end(request);
    if (!rtn_header_is_value_char(c))
        return fail_character(request);
    /* Directly behind the NUL of the name a blank is not part of the value. */
    if ((c == ' ' || c == '\t') && request->trailer_text[request->trailer_length - 1] == '\0')
        return VALUE;
    return append(request, c, VALUE);
}

static enum state in_value_lf(struct rtn_request *request, char c)
{
    return c == '\n' ? LINE_START : fail_line_end(request);
}

/* Makes the table; the text does not move any more. */
static enum state finish(struct rtn_request *request)
{
    if (request->trailer_count == 0)
        return DONE;
    request->trailers = rtn_arena_alloc(&request->arena, request->trailer_count * sizeof(*request->trailers));
    if (request->trailers == NULL)
        return fail(request, 503, "memory is out");
    const char *at = request->trailer_text;
    for (unsigned i = 0; i < request->trailer_count; i++) {
        struct rtn_str name = rtn_str_of(at);
        struct rtn_str value = rtn_str_of(at + name.length + 1);
        request->trailers[i] = (struct rtn_header){ name, value };
        at = value.data + value.length + 1;
    }
    return DONE;
}

static enum state in_end_lf(struct rtn_request *request, char c)
{
    return c == '\n' ? finish(request) : fail_line_end(request);
}

static enum state (*const steps[])(struct rtn_request *request, char c) = {
    [LINE_START] = in_line_start, [NAME] = in_name, [VALUE] = in_value, [VALUE_LF] = in_value_lf, [END_LF] = in_end_lf,
};

void rtn_http1_trailer_begin(struct rtn_request *request)
{
    request->trailer_state = LINE_START;
    request->trailer_text = NULL;
    request->trailer_capacity = 0;
    request->trailer_length = 0;
    request->trailer_field = 0;
    request->trailer_size = 0;
    request->trailer_field_count = 0;
}

bool rtn_http1_trailer_take(struct rtn_request *request, char c)
{
    if (++request->trailer_size > (size_t) request->terms->config->limits.header)
        request->trailer_state = fail(request, 431, "the trailer section is too large");
    else
        request->trailer_state = steps[request->trailer_state](request, c);
    return request->trailer_state == DONE;
}
