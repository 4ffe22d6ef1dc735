/*
 * llhttp's callbacks, and what it lets through but this daemon refuses. [owner's thread]
 *
 * llhttp (strict mode) finds the parts; the checks here look at the raw bytes around them, which are still
 * in the buffer: the request line must be exactly `method SP target SP HTTP/1.x CRLF`, every line must end in
 * CR LF, no value may be folded over lines, one Host, one Transfer-Encoding that is "chunked", no method or
 * version that is not HTTP/1's. Bodies are compacted in place: chunk framing is overwritten by content, and
 * trailers are looked at byte by byte as they pass.
 *
 * What is answered must not depend on how the bytes were cut into reads, so each check looks only at bytes up to
 * the one that llhttp has reached.
 */
#include <errno.h>

#include "base/macros.h"
#include "proto/http1.h"
#include "proto/method.h"

#define MOST_BODY_OVERHEAD_PER_BYTE 16 /* of chunk framing, beside limits.header for the whole body */
#define MOST_METHOD 64 /* length up to which a method is waited for */

static struct rtn_request *request_of(llhttp_t *parser)
{
    return parser->data;
}

static const struct rtn_config_limits *limits_of(const struct rtn_request *request)
{
    return &request->http->config->limits;
}

/* Always returns HPE_USER, which stops the parser. The first error counts. */
static int fail(struct rtn_request *request, int status, const char *text)
{
    if (request->error_status == 0) {
        request->error_status = status;
        request->error_text = text;
    }
    return HPE_USER;
}

/* For what no honest client sends: ways to make two servers see different requests. */
static int fail_hostile(struct rtn_request *request, int status, const char *text)
{
    request->hostile = true;
    return fail(request, status, text);
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

static bool bytes_are(const struct rtn_request *request, const char *at, struct rtn_str expected)
{
    const char *end = request->buffer + request->end;
    return end - at >= (ptrdiff_t) expected.length && memcmp(at, expected.data, expected.length) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* " HTTP/2.0", " HTTP/0.9": a version that exists in form (RFC 9112, 2.3) but is not spoken here. */
static bool is_other_version(const struct rtn_request *request, const char *at)
{
    if (!bytes_are(request, at, RTN_STR(" HTTP/")) || request->buffer + request->end - at < 9)
        return false;
    bool ours = at[6] == '1' && (at[8] == '0' || at[8] == '1');
    return is_digit(at[6]) && at[7] == '.' && is_digit(at[8]) && !ours;
}

static const char *end_of_target(const struct rtn_request *request)
{
    return request->target.data + request->target.length;
}

static int check_request_line(struct rtn_request *request)
{
    if (request->target.data != request->method_name.data + request->method_name.length + 1)
        return fail(request, 400, "the request line has more than one space between its parts");
    const char *version = end_of_target(request);
    if (is_other_version(request, version))
        return fail(request, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    if (!bytes_are(request, version, RTN_STR(" HTTP/1.1\r\n")) &&
        !bytes_are(request, version, RTN_STR(" HTTP/1.0\r\n")))
        return fail(request, 400, "the request line does not end in an HTTP version");
    request->version = version[strlen(" HTTP/1.")] == '1' ? 11 : 10;
    return 0;
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
        return end_of_target(request) + strlen(" HTTP/1.1");
    return skip_blanks(request, request->field_value.data + request->field_value.length);
}

/* A name begins at `at`: directly behind the CR LF of the line before, or that line was folded. */
static int check_line_before(struct rtn_request *request, const char *at)
{
    if (request->field_count == 0 && check_request_line(request) != 0)
        return HPE_USER;
    const char *end = end_of_line(request);
    if (!bytes_are(request, end, RTN_STR("\r\n")))
        return fail(request, 400, "a line does not end in CR LF");
    if (end + 2 != at)
        return fail(request, 400, "a header field is folded over several lines");
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t length)
{
    struct rtn_request *request = request_of(parser);
    if (!extend(&request->target, at, length))
        return fail(request, 400, "the request line is broken");
    if (request->target.length > (size_t) limits_of(request)->target)
        return fail(request, 414, "the request target is too long");
    return 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t length)
{
    struct rtn_request *request = request_of(parser);
    if (request->stage == RTN_REQUEST_BODY)
        return 0; /* a trailer: counted by its bytes, not kept */
    if (!request->field_open) {
        if (check_line_before(request, at) != 0)
            return HPE_USER;
        if (++request->field_count > (unsigned) limits_of(request)->header_count)
            return fail(request, 431, "there are too many header fields");
        request->field_open = true;
        request->field_name = (struct rtn_str){ 0 };
        request->field_value = (struct rtn_str){ 0 };
    }
    if (!extend(&request->field_name, at, length))
        return fail(request, 400, "a header field name is broken");
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
    struct rtn_request *request = request_of(parser);
    if (request->stage == RTN_REQUEST_BODY)
        return 0;
    if (!extend(&request->field_value, at, length))
        return fail(request, 400, "a header field is folded over several lines");
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

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Letters, digits and the marks a host can hold (RFC 3986, 3.2.2), but no comma. */
static bool is_host_char(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c))
        return true;
    return c != '\0' && strchr("-._~!$&'()*+;=", c) != NULL;
}

/* Offset behind the name or IPv4 address that `s` begins with. */
static size_t host_name_end(struct rtn_str s)
{
    size_t at = 0;
    while (at < s.length) {
        bool escape = s.data[at] == '%' && s.length - at > 2 && is_hex(s.data[at + 1]) && is_hex(s.data[at + 2]);
        if (!escape && !is_host_char(s.data[at]))
            break;
        at += escape ? 3 : 1;
    }
    return at;
}

/* Offset behind the "[::1]" that `s` begins with; 0 when it is none. */
static size_t ip_literal_end(struct rtn_str s)
{
    size_t at = 1;
    while (at < s.length && (is_host_char(s.data[at]) || s.data[at] == ':'))
        at++;
    return at > 1 && at < s.length && s.data[at] == ']' ? at + 1 : 0;
}

/* A host, and maybe a port (RFC 9110, 7.2). */
static bool is_authority(struct rtn_str s)
{
    bool literal = s.length > 0 && s.data[0] == '[';
    size_t at = literal ? ip_literal_end(s) : host_name_end(s);
    if (literal && at == 0)
        return false;
    if (at < s.length && s.data[at++] != ':')
        return false;
    while (at < s.length && is_digit(s.data[at]))
        at++;
    return at == s.length;
}

static int check_host(struct rtn_request *request, struct rtn_str value)
{
    if (request->host_seen)
        return fail(request, 400, "there is more than one Host field");
    request->host_seen = true;
    if (!is_authority(value))
        return fail(request, 400, "the Host field is not a host name");
    return 0;
}

static int check_transfer_encoding(struct rtn_request *request, struct rtn_str value)
{
    if (request->coding_seen)
        return fail_hostile(request, 400, "there is more than one Transfer-Encoding field");
    request->coding_seen = true;
    if (rtn_str_equal_nocase(value, RTN_STR("chunked")))
        return 0;
    struct rtn_str last = value;
    struct rtn_str element = { 0 };
    unsigned chunked = 0;
    while (rtn_str_next(&last, ',', &element))
        chunked += rtn_str_equal_nocase(element, RTN_STR("chunked"));
    if (chunked == 1 && rtn_str_equal_nocase(element, RTN_STR("chunked")))
        return fail(request, 501, "chunked is the only transfer coding");
    return fail_hostile(request, 400, "chunked must be the last transfer coding, once");
}

static int note_content_type(struct rtn_request *request, struct rtn_str value)
{
    if (request->content_type.data == NULL)
        request->content_type = value;
    return 0;
}

static int check_expect(struct rtn_request *request, struct rtn_str value)
{
    if (!rtn_str_equal_nocase(value, RTN_STR("100-continue")))
        return fail(request, 417, "100-continue is the only expectation");
    request->expects_continue = true;
    return 0;
}

static const struct {
    struct rtn_str name;
    int (*check)(struct rtn_request *request, struct rtn_str value);
} known_fields[] = {
    { { "host", 4 }, check_host },
    { { "transfer-encoding", 17 }, check_transfer_encoding },
    { { "expect", 6 }, check_expect },
    { { "content-type", 12 }, note_content_type },
};

static void store_field(struct rtn_request *request, struct rtn_str name, struct rtn_str value)
{
    const struct rtn_map *wanted = request->http->header_fields;
    if (wanted != NULL && rtn_map_get(wanted, name) == NULL)
        return;
    request->headers[request->header_count++] = (struct rtn_header){ .name = name, .value = value };
}

/* The line as far as it is known: a name, its colon, the value (its end is checked with what follows). */
static int check_field_line(struct rtn_request *request)
{
    struct rtn_str name = request->field_name;
    if (!request->field_open || name.length == 0)
        return fail(request, 400, "a header field has no name");
    const char *behind_colon = name.data + name.length + 1;
    /* An empty value may never have been seen: it is just behind its colon. */
    if (request->field_value.length == 0)
        request->field_value = (struct rtn_str){ behind_colon, 0 };
    else if (skip_blanks(request, behind_colon) != request->field_value.data)
        return fail(request, 400, "a header field is folded over several lines");
    return 0;
}

static int on_value_complete(llhttp_t *parser)
{
    struct rtn_request *request = request_of(parser);
    if (request->stage == RTN_REQUEST_BODY)
        return 0;
    if (check_field_line(request) != 0)
        return HPE_USER;
    request->field_open = false;
    struct rtn_str name = request->field_name;
    struct rtn_str value = rtn_str_trim(request->field_value);
    lower_case(name);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(known_fields); i++) {
        if (!rtn_str_equal(name, known_fields[i].name))
            continue;
        int r = known_fields[i].check(request, value);
        if (r != 0)
            return r;
    }
    store_field(request, name, value);
    return 0;
}

/* Of "http://host:80/path" the "host:80"; absent when it is no http URL. */
static struct rtn_str authority_of(struct rtn_str target)
{
    static const struct rtn_str schemes[] = { { "http://", 7 }, { "https://", 8 } };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(schemes); i++) {
        size_t start = schemes[i].length;
        if (target.length < start || !rtn_str_equal_nocase((struct rtn_str){ target.data, start }, schemes[i]))
            continue;
        size_t end = start;
        while (end < target.length && target.data[end] != '/' && target.data[end] != '?')
            end++;
        return (struct rtn_str){ target.data + start, end - start };
    }
    return (struct rtn_str){ 0 };
}

/* The target in one of the forms of RFC 9112, 3.2, without control characters, spaces or a fragment. */
static int check_target(struct rtn_request *request)
{
    struct rtn_str target = request->target;
    for (size_t i = 0; i < target.length; i++) {
        unsigned char c = (unsigned char) target.data[i];
        if (c <= ' ' || c >= 0x7f || c == '#')
            return fail(request, 400, "the request target has a character that must be percent-encoded");
    }
    if (target.data[0] == '/')
        return 0;
    if (rtn_str_equal(target, RTN_STR("*"))) {
        if (request->method == RTN_METHOD_OPTIONS)
            return 0;
        return fail(request, 400, "the target * is for OPTIONS only");
    }
    /* A host must be there, and no user (RFC 9110, 4.2.1 and 4.2.4). */
    struct rtn_str authority = authority_of(target);
    if (authority.length == 0 || authority.data[0] == ':' || !is_authority(authority))
        return fail(request, 400, "the request target is neither a path nor an http URL");
    return 0;
}

/* The last line of the head, and with it the offset of the body. */
static int check_end_of_head(struct rtn_request *request)
{
    const char *end = end_of_line(request);
    if (!bytes_are(request, end, RTN_STR("\r\n\r\n")))
        return fail(request, 400, "a line does not end in CR LF");
    request->head_length = (size_t) (end + 4 - request->buffer) - request->start;
    if (request->head_length > (size_t) limits_of(request)->header)
        return fail(request, 431, "the header section is too large");
    return 0;
}

static int check_framing(struct rtn_request *request, llhttp_t *parser)
{
    if (request->version == 11 && !request->host_seen)
        return fail(request, 400, "the Host field is missing");
    if (request->coding_seen && request->version < 11)
        return fail(request, 400, "HTTP/1.0 has no transfer codings");
    if (request->coding_seen && (parser->flags & F_CONTENT_LENGTH))
        return fail_hostile(request, 400, "both Content-Length and Transfer-Encoding are given");
    if (!request->coding_seen && parser->content_length > (uint64_t) limits_of(request)->body)
        return fail(request, 413, "the body is larger than this server takes");
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct rtn_request *request = request_of(parser);
    /* Any of these may have to be refused even when llhttp would go on as another protocol. */
    if ((request->field_count == 0 && check_request_line(request) != 0) || check_target(request) != 0 ||
        check_end_of_head(request) != 0 || check_framing(request, parser) != 0)
        return -1;
    /* close wins over keep-alive (RFC 9112, 9.3); llhttp does not look for it in HTTP/1.0. */
    request->keep_alive = llhttp_should_keep_alive(parser) != 0 && (parser->flags & F_CONNECTION_CLOSE) == 0;
    if (request->version < 11 || (!request->coding_seen && parser->content_length == 0))
        request->expects_continue = false;
    parser->upgrade = 0;
    request->stage = RTN_REQUEST_BODY;
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct rtn_request *request = request_of(parser);
    request->body_received += length;
    if (request->body_received > (size_t) limits_of(request)->body)
        return fail(request, 413, "the body is larger than this server takes");
    if (request->http->config->request_body == RTN_BODY_NONE)
        return 0;
    if (request->body.data == NULL)
        request->body.data = request->buffer + request->start + request->head_length;
    char *to = (char *) (uintptr_t) request->body.data + request->body.length; /* in our own buffer */
    if (to != at)
        memmove(to, at, length);
    request->body.length += length;
    return 0;
}

/* Stops behind the line of the last chunk: from there on check_trailers() looks on. */
static int on_chunk_header(llhttp_t *parser)
{
    struct rtn_request *request = request_of(parser);
    if (parser->content_length > 0)
        return 0;
    request->trailer_byte = '\n';
    return HPE_PAUSED;
}

static int on_message_complete(llhttp_t *parser)
{
    request_of(parser)->stage = RTN_REQUEST_COMPLETE;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_message_complete = on_message_complete,
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
    { HPE_INVALID_CHUNK_SIZE, "a chunk size is not a hexadecimal number" },
    { HPE_LF_EXPECTED, "a line does not end in CR LF" },
    { HPE_CR_EXPECTED, "a line does not end in CR LF" },
    { HPE_STRICT, "a line does not end in CR LF" },
    { HPE_UNEXPECTED_SPACE, "there is a space where none may be" },
};

static void fail_by_parser(struct rtn_request *request, enum llhttp_errno error)
{
    if ((error == HPE_INVALID_VERSION || error == HPE_INVALID_CONSTANT) &&
        is_other_version(request, end_of_target(request))) {
        fail(request, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
        return;
    }
    /* Inside a name that on_field() has not seen: the line before comes first. */
    bool in_name = error == HPE_INVALID_HEADER_TOKEN && request->stage == RTN_REQUEST_HEAD && !request->field_open;
    if (in_name && check_line_before(request, end_of_line(request) + 2) != 0)
        return;
    if (error == HPE_UNEXPECTED_CONTENT_LENGTH || error == HPE_INVALID_TRANSFER_ENCODING)
        request->hostile = true;
    const char *text = "the request is malformed";
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(parse_errors); i++) {
        if (parse_errors[i].error == (int) error)
            text = parse_errors[i].text;
    }
    fail(request, 400, text);
}

/* Empty lines before a request are ignored (RFC 9112, 2.2). */
static void skip_empty_lines(struct rtn_request *request)
{
    while (request->end - request->start >= 2 && memcmp(request->buffer + request->start, "\r\n", 2) == 0)
        request->start += 2;
    request->parsed = request->start;
}

static bool is_token_char(char c)
{
    return c > ' ' && c < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
}

/*
 * The method is read here, since llhttp gives up at the first letter that fits none it knows. False while its end is
 * not there yet. One that is well-formed but unknown is 501 (RFC 9110, 15.6.2).
 */
static bool read_method(struct rtn_request *request)
{
    struct rtn_str line = { request->buffer + request->start, request->end - request->start };
    size_t length = 0;
    while (length < line.length && length <= MOST_METHOD && is_token_char(line.data[length]))
        length++;
    if (length == line.length && length <= MOST_METHOD)
        return false;
    request->method_name = (struct rtn_str){ line.data, length };
    request->method = rtn_method_parse(request->method_name);
    if (length == 0 || (length <= MOST_METHOD && line.data[length] != ' '))
        fail(request, 400, "the request line does not begin with a method");
    else if (request->method == 0)
        fail(request, 501, "this method is not known here");
    return true;
}

/* Lines of trailers must end in CR LF, begin with a name, and not be folded. The rest is checked by llhttp. */
static void check_trailers(struct rtn_request *request, struct rtn_str bytes)
{
    for (size_t i = 0; i < bytes.length; i++) {
        char c = bytes.data[i];
        bool at_start = request->trailer_byte == '\n';
        if (c == '\n' && request->trailer_byte != '\r')
            fail(request, 400, "a line does not end in CR LF");
        else if (at_start && c == ':')
            fail(request, 400, "a header field has no name");
        else if (at_start && (c == ' ' || c == '\t'))
            fail(request, 400, "a header field is folded over several lines");
        request->trailer_byte = c;
    }
}

/* Everything read was parsed and the request goes on: gives framing bytes back and checks what has no callback. */
static void check_unfinished(struct rtn_request *request)
{
    const struct rtn_config_limits *limits = limits_of(request);
    if (request->stage == RTN_REQUEST_HEAD) {
        if (request->end - request->start > (size_t) limits->header)
            fail(request, request->target.data != NULL ? 431 : 414, "the header section is too large");
        return;
    }
    request->end = request->start + request->head_length + request->body.length;
    request->parsed = request->end;
}

static void check_body_overhead(struct rtn_request *request, size_t consumed, size_t received_before)
{
    request->body_overhead += consumed - RTN_MIN(consumed, request->body_received - received_before);
    if (request->body_overhead >
        (size_t) limits_of(request)->header + MOST_BODY_OVERHEAD_PER_BYTE * request->body_received)
        fail(request, 413, "chunk extensions or trailers are too large");
}

/* Parses what is there up to the end of the request, or of its last chunk. Returns the bytes used. */
static size_t execute(struct rtn_request *request)
{
    const char *from = request->buffer + request->parsed;
    struct rtn_str bytes = { from, request->end - request->parsed };
    bool in_trailers = request->trailer_byte != '\0';
    enum llhttp_errno error = llhttp_execute(&request->parser, bytes.data, bytes.length);
    if (error == HPE_PAUSED)
        bytes.length = (size_t) (llhttp_get_error_pos(&request->parser) - from);
    else if (error != HPE_OK && request->error_status == 0)
        fail_by_parser(request, error);
    if (in_trailers && (error == HPE_OK || error == HPE_PAUSED))
        check_trailers(request, bytes);
    request->parsed += bytes.length;
    return bytes.length;
}

static void parse(struct rtn_request *request)
{
    if (request->method_name.data == NULL && !read_method(request))
        return;
    if (request->error_status != 0)
        return;
    size_t received_before = request->body_received;
    bool in_body = request->stage == RTN_REQUEST_BODY;
    size_t consumed = execute(request);
    if (llhttp_get_errno(&request->parser) == HPE_PAUSED && request->stage == RTN_REQUEST_BODY) {
        llhttp_resume(&request->parser);
        consumed += execute(request);
    }
    if (request->error_status == 0 && in_body)
        check_body_overhead(request, consumed, received_before);
    if (request->error_status == 0 && request->stage != RTN_REQUEST_COMPLETE)
        check_unfinished(request);
}

enum rtn_request_stage rtn_request_parse(struct rtn_request *request)
{
    if (request->stage == RTN_REQUEST_EMPTY) {
        skip_empty_lines(request);
        if (request->end == request->start ||
            (request->end - request->start == 1 && request->buffer[request->start] == '\r'))
            return RTN_REQUEST_EMPTY;
        request->stage = RTN_REQUEST_HEAD;
    }
    if (request->stage >= RTN_REQUEST_COMPLETE || request->parsed == request->end)
        return request->stage;
    parse(request);
    if (request->error_status != 0)
        request->stage = RTN_REQUEST_BROKEN;
    return request->stage;
}
