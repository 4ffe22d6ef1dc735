/* The table of status codes; a code is found by its class and its number in the class. */
#include "proto/status.h"

#include "base/macros.h"

#define REASON(text)             \
    {                            \
        (text), sizeof(text) - 1 \
    }

static const struct rtn_str informational[] = {
    REASON("Continue"),
    REASON("Switching Protocols"),
};

static const struct rtn_str success[] = {
    REASON("OK"),
    REASON("Created"),
    REASON("Accepted"),
    REASON("Non-Authoritative Information"),
    REASON("No Content"),
    REASON("Reset Content"),
    REASON("Partial Content"),
    REASON("Multi-Status"),
    REASON("Already Reported"),
};

static const struct rtn_str redirection[] = {
    REASON("Multiple Choices"),   REASON("Moved Permanently"), REASON("Found"), REASON("See Other"),
    REASON("Not Modified"),       REASON("Use Proxy"),         { NULL, 0 },     REASON("Temporary Redirect"),
    REASON("Permanent Redirect"),
};

static const struct rtn_str client_error[] = {
    REASON("Bad Request"),
    REASON("Unauthorized"),
    REASON("Payment Required"),
    REASON("Forbidden"),
    REASON("Not Found"),
    REASON("Method Not Allowed"),
    REASON("Not Acceptable"),
    REASON("Proxy Authentication Required"),
    REASON("Request Timeout"),
    REASON("Conflict"),
    REASON("Gone"),
    REASON("Length Required"),
    REASON("Precondition Failed"),
    REASON("Content Too Large"),
    REASON("URI Too Long"),
    REASON("Unsupported Media Type"),
    REASON("Range Not Satisfiable"),
    REASON("Expectation Failed"),
    { NULL, 0 },
    { NULL, 0 },
    { NULL, 0 },
    REASON("Misdirected Request"),
    REASON("Unprocessable Content"),
    REASON("Locked"),
    REASON("Failed Dependency"),
    REASON("Too Early"),
    REASON("Upgrade Required"),
    { NULL, 0 },
    REASON("Precondition Required"),
    REASON("Too Many Requests"),
    { NULL, 0 },
    REASON("Request Header Fields Too Large"),
};

static const struct rtn_str server_error[] = {
    REASON("Internal Server Error"),
    REASON("Not Implemented"),
    REASON("Bad Gateway"),
    REASON("Service Unavailable"),
    REASON("Gateway Timeout"),
    REASON("HTTP Version Not Supported"),
    REASON("Variant Also Negotiates"),
    REASON("Insufficient Storage"),
    REASON("Loop Detected"),
    { NULL, 0 },
    REASON("Not Extended"),
    REASON("Network Authentication Required"),
};

static const struct {
    const struct rtn_str *reasons;
    size_t count;
} classes[] = {
    { NULL, 0 },
    { informational, RTN_ARRAY_LENGTH(informational) },
    { success, RTN_ARRAY_LENGTH(success) },
    { redirection, RTN_ARRAY_LENGTH(redirection) },
    { client_error, RTN_ARRAY_LENGTH(client_error) },
    { server_error, RTN_ARRAY_LENGTH(server_error) },
};

struct rtn_str rtn_status_reason(int status)
{
    if (status == 451)
        return RTN_STR("Unavailable For Legal Reasons");
    size_t group = (size_t) status / 100;
    size_t number = (size_t) status % 100;
    if (group < RTN_ARRAY_LENGTH(classes) && number < classes[group].count &&
        classes[group].reasons[number].data != NULL)
        return classes[group].reasons[number];
    return RTN_STR("Status");
}
