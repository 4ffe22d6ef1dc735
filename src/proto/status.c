/* The table of status lines; a code is found by its class and its number in the class. */
#include "proto/status.h"

#include "base/macros.h"

#define LINE(text)                                                   \
    {                                                                \
        sizeof("HTTP/1.1 " text "\r\n") - 1, "HTTP/1.1 " text "\r\n" \
    }
#define NO_LINE \
    {           \
        0, ""   \
    }

static const struct rtn_status_line informational[] = {
    LINE("100 Continue"),
    LINE("101 Switching Protocols"),
};

static const struct rtn_status_line success[] = {
    LINE("200 OK"),
    LINE("201 Created"),
    LINE("202 Accepted"),
    LINE("203 Non-Authoritative Information"),
    LINE("204 No Content"),
    LINE("205 Reset Content"),
    LINE("206 Partial Content"),
    LINE("207 Multi-Status"),
    LINE("208 Already Reported"),
};

static const struct rtn_status_line redirection[] = {
    LINE("300 Multiple Choices"),   LINE("301 Moved Permanently"), LINE("302 Found"), LINE("303 See Other"),
    LINE("304 Not Modified"),       LINE("305 Use Proxy"),         NO_LINE,           LINE("307 Temporary Redirect"),
    LINE("308 Permanent Redirect"),
};

static const struct rtn_status_line client_error[] = {
    LINE("400 Bad Request"),
    LINE("401 Unauthorized"),
    LINE("402 Payment Required"),
    LINE("403 Forbidden"),
    LINE("404 Not Found"),
    LINE("405 Method Not Allowed"),
    LINE("406 Not Acceptable"),
    LINE("407 Proxy Authentication Required"),
    LINE("408 Request Timeout"),
    LINE("409 Conflict"),
    LINE("410 Gone"),
    LINE("411 Length Required"),
    LINE("412 Precondition Failed"),
    LINE("413 Content Too Large"),
    LINE("414 URI Too Long"),
    LINE("415 Unsupported Media Type"),
    LINE("416 Range Not Satisfiable"),
    LINE("417 Expectation Failed"),
    NO_LINE,
    NO_LINE,
    NO_LINE,
    LINE("421 Misdirected Request"),
    LINE("422 Unprocessable Content"),
    LINE("423 Locked"),
    LINE("424 Failed Dependency"),
    LINE("425 Too Early"),
    LINE("426 Upgrade Required"),
    NO_LINE,
    LINE("428 Precondition Required"),
    LINE("429 Too Many Requests"),
    NO_LINE,
    LINE("431 Request Header Fields Too Large"),
};

static const struct rtn_status_line server_error[] = {
    LINE("500 Internal Server Error"),
    LINE("501 Not Implemented"),
    LINE("502 Bad Gateway"),
    LINE("503 Service Unavailable"),
    LINE("504 Gateway Timeout"),
    LINE("505 HTTP Version Not Supported"),
    LINE("506 Variant Also Negotiates"),
    LINE("507 Insufficient Storage"),
    LINE("508 Loop Detected"),
    NO_LINE,
    LINE("510 Not Extended"),
    LINE("511 Network Authentication Required"),
};

static const struct rtn_status_line unavailable_for_legal_reasons = LINE("451 Unavailable For Legal Reasons");

static const struct {
    const struct rtn_status_line *lines;
    size_t count;
} classes[] = {
    { NULL, 0 },
    { informational, RTN_ARRAY_LENGTH(informational) },
    { success, RTN_ARRAY_LENGTH(success) },
    { redirection, RTN_ARRAY_LENGTH(redirection) },
    { client_error, RTN_ARRAY_LENGTH(client_error) },
    { server_error, RTN_ARRAY_LENGTH(server_error) },
};

const struct rtn_status_line *rtn_status_line(int status)
{
    size_t group = (unsigned) status / 100;
    size_t number = (unsigned) status % 100;
    if (group < RTN_ARRAY_LENGTH(classes) && number < classes[group].count && classes[group].lines[number].length > 0)
        return &classes[group].lines[number];
    return status == 451 ? &unavailable_for_legal_reasons : NULL;
}

struct rtn_str rtn_status_reason(int status)
{
    const struct rtn_status_line *line = rtn_status_line(status);
    size_t before = sizeof("HTTP/1.1 200 ") - 1;
    if (line == NULL)
        return RTN_STR("Status");
    return (struct rtn_str){ line->text + before, line->length - before - strlen("\r\n") };
}
