/*
 * What is refused in a request beyond llhttp's own strictness: the exact request line, the forms of the target, the
 * fields that frame the message or name the host. Each check names a status and says why in words.
 */
#include "proto/http1_check.h"

#include "proto/authority.h"

int rtn_http1_fail(struct rtn_request *request, int status, const char *text)
{
    if (request->error_status == 0) {
        request->error_status = status;
        request->error_text = text;
    }
    return HPE_USER;
}

int rtn_http1_fail_hostile(struct rtn_request *request, int status, const char *text)
{
    request->hostile = true;
    return rtn_http1_fail(request, status, text);
}

bool rtn_http1_bytes_are(const struct rtn_request *request, const char *at, struct rtn_str expected)
{
    const char *end = request->buffer + request->end;
    return end - at >= (ptrdiff_t) expected.length && memcmp(at, expected.data, expected.length) == 0;
}

bool rtn_http1_other_version(const struct rtn_request *request, const char *at)
{
    if (!rtn_http1_bytes_are(request, at, RTN_STR(" HTTP/")) || request->buffer + request->end - at < 9)
        return false;
    bool ours = at[6] == '1' && (at[8] == '0' || at[8] == '1');
    return rtn_is_digit(at[6]) && at[7] == '.' && rtn_is_digit(at[8]) && !ours;
}

const char *rtn_http1_end_of_target(const struct rtn_request *request)
{
    return request->target.data + request->target.length;
}

int rtn_http1_check_request_line(struct rtn_request *request)
{
    if (request->target.data != request->method_name.data + request->method_name.length + 1)
        return rtn_http1_fail(request, 400, "the request line has more than one space between its parts");
    const char *version = rtn_http1_end_of_target(request);
    if (rtn_http1_other_version(request, version))
        return rtn_http1_fail(request, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
    if (!rtn_http1_bytes_are(request, version, RTN_STR(" HTTP/1.1\r\n")) &&
        !rtn_http1_bytes_are(request, version, RTN_STR(" HTTP/1.0\r\n")))
        return rtn_http1_fail(request, 400, "the request line does not end in an HTTP version");
    request->version = version[strlen(" HTTP/1.")] == '1' ? 11 : 10;
    return 0;
}

/* Clients of one server mostly name the same host: the last good one is kept, and known by a comparison. [loop] */
static bool is_host(struct rtn_http1 *http, struct rtn_str value)
{
    if (value.length > 0 && rtn_str_equal(value, (struct rtn_str){ http->host, http->host_length }))
        return true;
    if (!rtn_authority_valid(value))
        return false;
    if (value.length <= sizeof(http->host)) {
        memcpy(http->host, value.data, value.length);
        http->host_length = (unsigned char) value.length;
    }
    return true;
}

static int check_host(struct rtn_request *request, struct rtn_str value)
{
    if (request->host_seen)
        return rtn_http1_fail(request, 400, "there is more than one Host field");
    request->host_seen = true;
    if (!is_host(request->http, value))
        return rtn_http1_fail(request, 400, "the Host field is not a host name");
    request->host = value;
    return 0;
}

static int check_transfer_encoding(struct rtn_request *request, struct rtn_str value)
{
    if (request->coding_seen)
        return rtn_http1_fail_hostile(request, 400, "there is more than one Transfer-Encoding field");
    request->coding_seen = true;
    if (rtn_str_equal_nocase(value, RTN_STR("chunked")))
        return 0;
    struct rtn_str last = value;
    struct rtn_str element = { 0 };
    unsigned chunked = 0;
    while (rtn_str_next(&last, ',', &element))
        chunked += rtn_str_equal_nocase(element, RTN_STR("chunked"));
    if (chunked == 1 && rtn_str_equal_nocase(element, RTN_STR("chunked")))
        return rtn_http1_fail(request, 501, "chunked is the only transfer coding");
    return rtn_http1_fail_hostile(request, 400, "chunked must be the last transfer coding, once");
}

static int note_content_type(struct rtn_request *request, struct rtn_str value)
{
    if (request->content_type.data == NULL)
        request->content_type = value;
    return 0;
}

/* A list, whose members may be empty (RFC 9110, 10.1.1 and 5.6.1). */
static int check_expect(struct rtn_request *request, struct rtn_str value)
{
    struct rtn_str member;
    while (rtn_str_next(&value, ',', &member)) {
        if (member.length > 0 && !rtn_str_equal_nocase(member, RTN_STR("100-continue")))
            return rtn_http1_fail(request, 417, "100-continue is the only expectation");
        request->expects_continue |= member.length > 0;
    }
    return 0;
}

/* llhttp reads these options too, but not behind a tab, and takes Proxy-Connection for this field. */
static int note_connection(struct rtn_request *request, struct rtn_str value)
{
    struct rtn_str option;
    while (rtn_str_next(&value, ',', &option)) {
        request->says_close |= rtn_str_equal_nocase(option, RTN_STR("close"));
        request->says_keep_alive |= rtn_str_equal_nocase(option, RTN_STR("keep-alive"));
    }
    return 0;
}

/* llhttp reads it too, with the same outcome, where it is asked. */
static int check_content_length(struct rtn_request *request, struct rtn_str value)
{
    uint64_t length = 0;
    bool good = value.length > 0;
    for (size_t i = 0; i < value.length && good; i++)
        good = rtn_is_digit(value.data[i]) && !__builtin_mul_overflow(length, 10U, &length) &&
               !__builtin_add_overflow(length, (unsigned) (value.data[i] - '0'), &length);
    if (!good)
        return rtn_http1_fail(request, 400, "Content-Length is not a number");
    if (request->length_seen)
        return rtn_http1_fail_hostile(request, 400, "Content-Length is given twice or beside Transfer-Encoding");
    request->length_seen = true;
    request->content_length = length;
    return 0;
}

int rtn_http1_check_field(struct rtn_request *request, struct rtn_str name, struct rtn_str value)
{
    /* No two of these names have the same length, which the compiler knows when it compares one. */
#define ROW(name_, check_)  \
    case sizeof(name_) - 1: \
        return memcmp(name.data, name_, sizeof(name_) - 1) == 0 ? check_(request, value) : 0;
    switch (name.length) {
        ROW("host", check_host)
        ROW("expect", check_expect)
        ROW("connection", note_connection)
        ROW("content-type", note_content_type)
        ROW("content-length", check_content_length)
        ROW("transfer-encoding", check_transfer_encoding)
    default:
        return 0;
    }
#undef ROW
}

int rtn_http1_check_target(struct rtn_request *request)
{
    struct rtn_str target = request->target;
    for (size_t i = 0; i < target.length; i++) {
        unsigned char c = (unsigned char) target.data[i];
        if (c <= ' ' || c >= 0x7f || c == '#')
            return rtn_http1_fail(request, 400, "the request target has a character that must be percent-encoded");
    }
    if (target.data[0] == '/')
        return 0;
    if (rtn_str_equal(target, RTN_STR("*"))) {
        if (request->method == RTN_METHOD_OPTIONS)
            return 0;
        return rtn_http1_fail(request, 400, "the target * is for OPTIONS only");
    }
    /* A host must be there, and no user (RFC 9110, 4.2.1 and 4.2.4). */
    struct rtn_str authority = rtn_authority_of(target);
    if (authority.length == 0 || authority.data[0] == ':' || !rtn_authority_valid(authority))
        return rtn_http1_fail(request, 400, "the request target is neither a path nor an http URL");
    request->host = authority; /* the Host field is ignored beside it (RFC 9112, 3.2.2) */
    return 0;
}

int rtn_http1_check_framing(struct rtn_request *request)
{
    if (request->version == 11 && !request->host_seen)
        return rtn_http1_fail(request, 400, "the Host field is missing");
    if (request->coding_seen && request->version < 11)
        return rtn_http1_fail(request, 400, "HTTP/1.0 has no transfer codings");
    if (request->coding_seen && request->length_seen)
        return rtn_http1_fail_hostile(request, 400, "both Content-Length and Transfer-Encoding are given");
    return 0;
}

void rtn_http1_end_head(struct rtn_request *request, const char *behind)
{
    request->head_length = (size_t) (behind - request->buffer) - request->start;
    /* RFC 9112, 9.3: close wins; HTTP/1.0 has to ask. */
    request->keep_alive = !request->says_close && (request->version >= 11 || request->says_keep_alive);
    if (request->version < 11 || (!request->coding_seen && request->content_length == 0))
        request->expects_continue = false;
}
