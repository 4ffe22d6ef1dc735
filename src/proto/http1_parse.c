/*
 * Reading a request: http1_head.c reads the usual head, llhttp any other, and http1_body.c goes on behind it. Here are
 * llhttp's callbacks, and what it lets through but this daemon refuses. [owner's thread]
 *
 * llhttp (strict mode) only says where things are; the checks here look at the raw bytes around them, which are still
 * in the buffer: the request line must be exactly `method SP target SP HTTP/1.x CRLF`, every line must end in
 * CR LF, no value may be folded over lines, one Host, one Transfer-Encoding that is "chunked", no method or
 * version that is not HTTP/1's. At the end of the head it is stopped, and made new for the next request.
 *
 * What is answered must not depend on how the bytes were cut into reads, so each check looks only at bytes up to
 * the one that llhttp has reached.
 */
#include <errno.h>

#include "base/macros.h"
#include "base/method.h"
#include "proto/http1_body.h"
#include "proto/http1_check.h"
#include "proto/http1_head.h"

#define MOST_METHOD 64 /* length up to which a method is waited for */

static struct rtn_request *request_of(llhttp_t *parser)
{
    return parser->data;
}

static const struct rtn_config_limits *limits_of(const struct rtn_request *request)
{
    return &request->terms->config->limits;
}

/* Views only ever grow by bytes that follow directly. */
static bool extend(struct rtn_str *view, const char *at, size_t length)
{
    if (view->data == NULL) {
        *view = (struct rtn_str){ at, length };
        return true;
    }
    if (view->data + view->length != at)
        return length == 0;
    view->length += length;
    return true;
}

static const char *skip_blanks(const struct rtn_request *request, const char *at)
{
    while (at < request->buffer + request->end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* Where the CR LF of the last line so far has to be. */
static const char *end_of_line(const struct rtn_request *request)
{
    if (request->field_count == 0)
        return rtn_http1_end_of_target(request) + strlen(" HTTP/1.1");
    return skip_blanks(request, request->field_value.data + request->field_value.length);
}

/* A name begins at `at`: directly behind the CR LF of the line before, or that line was folded. */
static int check_line_before(struct rtn_request *request, const char *at)
{
    if (request->field_count == 0 && rtn_http1_check_request_line(request) != 0)
        return HPE_USER;
    const char *end = end_of_line(request);
    if (!rtn_http1_bytes_are(request, end, RTN_STR("\r\n")))
        return rtn_http1_fail(request, 400, "a line does not end in CR LF");
    if (end + 2 != at)
        return rtn_http1_fail(request, 400, "a header field is folded over several lines");
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t length)
{
    struct rtn_request *request = request_of(parser);
    if (!extend(&request->target, at, length))
        return rtn_http1_fail(request, 400, "the request line is broken");
    if (request->target.length > (size_t) limits_of(request)->target)
        return rtn_http1_fail(request, 414, "the request target is too long");
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t length)
{
    struct rtn_request *request = request_of(parser);
    if (!request->field_open) {
        if (check_line_before(request, at) != 0)
            return HPE_USER;
        if (++request->field_count > request->header_capacity)
            return rtn_http1_fail(request, 431, "there are too many header fields");
        request->field_open = true;
        request->field_name = (struct rtn_str){ 0 };
        request->field_value = (struct rtn_str){ 0 };
    }
    if (!extend(&request->field_name, at, length))
        return rtn_http1_fail(request, 400, "a header field name is broken");
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
    struct rtn_request *request = request_of(parser);
    if (!extend(&request->field_value, at, length))
        return rtn_http1_fail(request, 400, "a header field is folded over several lines");
    return 0;
}

static void lower_case(struct rtn_str name)
{
    char *at = (char *) (uintptr_t) name.data; /* in our own buffer */
    for (size_t i = 0; i < name.length; i++) {
        if (at[i] >= 'A' && at[i] <= 'Z')
            at[i] = (char) (at[i] | 0x20);
    }
}

static void store_field(struct rtn_request *request, struct rtn_str name, struct rtn_str value)
{
    request->headers[request->header_count++] = (struct rtn_header){ .name = name, .value = value };
}

/* The line as far as it is known: a name, its colon, the value (its end is checked with what follows). */
static int check_field_line(struct rtn_request *request)
{
    struct rtn_str name = request->field_name;
    if (!request->field_open || name.length == 0)
        return rtn_http1_fail(request, 400, "a header field has no name");
    const char *behind_colon = name.data + name.length + 1;
    /* An empty value may never have been seen: it is just behind its colon. */
    if (request->field_value.length == 0)
        request->field_value = (struct rtn_str){ behind_colon, 0 };
    else if (skip_blanks(request, behind_colon) != request->field_value.data)
        return rtn_http1_fail(request, 400, "a header field is folded over several lines");
    return 0;
}

static int on_value_complete(llhttp_t *parser)
{
    struct rtn_request *request = request_of(parser);
    if (check_field_line(request) != 0)
        return HPE_USER;
    request->field_open = false;
    struct rtn_str name = request->field_name;
    struct rtn_str value = rtn_str_trim(request->field_value);
    lower_case(name);
    if (rtn_http1_check_field(request, name, value) != 0)
        return HPE_USER;
    store_field(request, name, value);
    return 0;
}

/* The last line of the head. */
static int check_end_of_head(struct rtn_request *request)
{
    const char *end = end_of_line(request);
    if (!rtn_http1_bytes_are(request, end, RTN_STR("\r\n\r\n")))
        return rtn_http1_fail(request, 400, "a line does not end in CR LF");
    rtn_http1_end_head(request, end + 4);
    if (request->head_length > (size_t) limits_of(request)->header)
        return rtn_http1_fail(request, 431, "the header section is too large");
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct rtn_request *request = request_of(parser);
    /* Any of these may have to be refused even when llhttp would go on as another protocol. */
    if ((request->field_count == 0 && rtn_http1_check_request_line(request) != 0) ||
        rtn_http1_check_target(request) != 0 || check_end_of_head(request) != 0 ||
        rtn_http1_check_framing(request) != 0)
        return -1;
    request->stage = RTN_REQUEST_HEADED;
    return HPE_PAUSED; /* what follows is not for llhttp */
}

/* Blanks may follow a number (RFC 9110, 5.6.3), but llhttp takes only spaces there: from `at` to the end of the line.
 */
static void turn_tabs(struct rtn_request *request, const char *at)
{
    char *to = request->buffer + (at - request->buffer);
    for (; to < request->buffer + request->end && *to != '\r' && *to != '\n'; to++) {
        if (*to == '\t')
            *to = ' ';
    }
}

/* Its colon was seen, or else the name may go on; the end of its line was not. */
static bool in_content_length(const struct rtn_request *request)
{
    if (!request->field_open || !rtn_str_equal_nocase(request->field_name, RTN_STR("content-length")))
        return false;
    const char *colon = request->field_name.data + request->field_name.length;
    const char *parsed = request->buffer + request->parsed;
    return colon < parsed && memchr(colon, '\r', (size_t) (parsed - colon)) == NULL;
}

static int on_field_complete(llhttp_t *parser)
{
    struct rtn_request *request = request_of(parser);
    struct rtn_str name = request->field_name;
    if (rtn_str_equal_nocase(name, RTN_STR("content-length")))
        turn_tabs(request, name.data + name.length);
    return 0;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_field_complete = on_field_complete,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
};

void rtn_http1_parser_init(struct rtn_request *request)
{
    llhttp_init(&request->parser, HTTP_REQUEST, &settings);
    request->parser.data = request;
}

static const struct {
    int error;
    const char *text;
} parse_errors[] = {
    { HPE_INVALID_METHOD, "the request line is broken" },
    { HPE_INVALID_URL, "the request target has a character that must be percent-encoded" },
    { HPE_INVALID_CONSTANT, "the request line does not end in an HTTP version" },
    { HPE_INVALID_VERSION, "the HTTP version is broken" },
    { HPE_INVALID_HEADER_TOKEN, "a header field has a character that it must not have" },
    { HPE_UNEXPECTED_CONTENT_LENGTH, "Content-Length is given twice or beside Transfer-Encoding" },
    { HPE_INVALID_CONTENT_LENGTH, "Content-Length is not a number" },
    { HPE_INVALID_TRANSFER_ENCODING, "chunked must be the last transfer coding, once" },
    { HPE_LF_EXPECTED, "a line does not end in CR LF" },
    { HPE_CR_EXPECTED, "a line does not end in CR LF" },
    { HPE_STRICT, "a line does not end in CR LF" },
    { HPE_UNEXPECTED_SPACE, "there is a space where none may be" },
};

static void fail_by_parser(struct rtn_request *request, enum llhttp_errno error)
{
    if ((error == HPE_INVALID_VERSION || error == HPE_INVALID_CONSTANT) &&
        rtn_http1_other_version(request, rtn_http1_end_of_target(request))) {
        rtn_http1_fail(request, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
        return;
    }
    /* Inside a name that on_field() has not seen: the line before comes first. */
    bool in_name = error == HPE_INVALID_HEADER_TOKEN && !request->field_open;
    if (in_name && check_line_before(request, end_of_line(request) + 2) != 0)
        return;
    if (error == HPE_UNEXPECTED_CONTENT_LENGTH || error == HPE_INVALID_TRANSFER_ENCODING)
        request->hostile = true;
    const char *text = "the request is malformed";
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(parse_errors); i++) {
        if (parse_errors[i].error == (int) error)
            text = parse_errors[i].text;
    }
    rtn_http1_fail(request, 400, text);
}

/* Empty lines before a request are ignored (RFC 9112, 2.2). */
static void skip_empty_lines(struct rtn_request *request)
{
    while (request->end - request->start >= 2 && memcmp(request->buffer + request->start, "\r\n", 2) == 0)
        request->start += 2;
    request->parsed = request->start;
}

/*
 * The method is read here, since llhttp gives up at the first letter that fits none it knows. False while its end is
 * not there yet. One that is well-formed but unknown is 501 (RFC 9110, 15.6.2).
 */
static bool read_method(struct rtn_request *request)
{
    struct rtn_str line = { request->buffer + request->start, request->end - request->start };
    size_t length = 0;
    while (length < line.length && length <= MOST_METHOD && rtn_is_token_char(line.data[length]))
        length++;
    if (length == line.length && length <= MOST_METHOD)
        return false;
    request->method_name = (struct rtn_str){ line.data, length };
    request->method = rtn_method_parse(request->method_name);
    if (length == 0 || (length <= MOST_METHOD && line.data[length] != ' '))
        rtn_http1_fail(request, 400, "the request line does not begin with a method");
    else if (request->method == 0)
        rtn_http1_fail(request, 501, "this method is not known here");
    return true;
}

/* The end of the head is not there yet. */
static void check_unfinished(struct rtn_request *request)
{
    if (request->end - request->start > (size_t) limits_of(request)->header)
        rtn_http1_fail(request, request->target.data != NULL ? 431 : 414, "the header section is too large");
}

/* By llhttp, from the first byte on or on from where it is. */
static void read_on(struct rtn_request *request)
{
    if (request->method_name.data == NULL) {
        if (!read_method(request) || request->error_status != 0)
            return;
        llhttp_reset(&request->parser);
    }
    const char *from = request->buffer + request->parsed;
    if (in_content_length(request))
        turn_tabs(request, from);
    enum llhttp_errno error = llhttp_execute(&request->parser, from, request->end - request->parsed);
    if (error == HPE_PAUSED) {
        request->parsed = request->start + request->head_length;
        return;
    }
    request->parsed = request->end;
    if (error == HPE_OK)
        check_unfinished(request);
    else if (request->error_status == 0)
        fail_by_parser(request, error);
}

static bool begins(struct rtn_request *request)
{
    skip_empty_lines(request);
    size_t length = request->end - request->start;
    if (length == 0 || (length == 1 && request->buffer[request->start] == '\r'))
        return false;
    request->stage = RTN_REQUEST_HEAD;
    return true;
}

/* All at once when nothing of it was seen before. Not inline, for calls that find nothing to read. */
RTN_NOINLINE static void read_head(struct rtn_request *request)
{
    if (request->stage == RTN_REQUEST_EMPTY && !begins(request))
        return;
    if (request->parsed > request->start || !rtn_http1_head_read(request))
        read_on(request);
}

enum rtn_request_stage rtn_request_parse(struct rtn_request *request)
{
    if (request->stage == RTN_REQUEST_HEADED)
        rtn_http1_body_begin(request);
    else if (request->stage <= RTN_REQUEST_HEAD && request->parsed < request->end)
        read_head(request);
    if (request->stage == RTN_REQUEST_BODY)
        rtn_http1_body_decode(request);
    if (request->error_status != 0)
        request->stage = RTN_REQUEST_BROKEN;
    return request->stage;
}
