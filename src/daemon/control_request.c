/*
 * llhttp says where the parts of a request are; the target is kept, everything else is only counted. When the request
 * is complete the target is taken apart, in place. The first problem is kept, and nothing is read behind it.
 */
#include "daemon/control_request.h"

#include <string.h>

static struct rtn_control_request *request_of(llhttp_t *parser)
{
    return parser->data;
}

static int fail(struct rtn_control_request *request, int status, const char *problem)
{
    if (request->stage == RTN_CONTROL_BROKEN)
        return HPE_USER;
    request->stage = RTN_CONTROL_BROKEN;
    request->status = status;
    request->problem = problem;
    return HPE_USER;
}

static int count_head(struct rtn_control_request *request, size_t length)
{
    request->head_length += length;
    return request->head_length > RTN_CONTROL_HEAD_MAX ? fail(request, 431, "the header section is too large") : 0;
}

static int on_target(llhttp_t *parser, const char *at, size_t length)
{
    struct rtn_control_request *request = request_of(parser);
    if (request->target.length + length > RTN_CONTROL_TARGET_MAX)
        return fail(request, 414, "the request target is too long");
    rtn_buf_append(&request->target, at, length);
    return count_head(request, length);
}

static int on_head(llhttp_t *parser, const char *at, size_t length)
{
    (void) at;
    return count_head(request_of(parser), length);
}

/* A line costs more than what is in it: so many short ones are too large, too. */
static int on_line(llhttp_t *parser)
{
    return count_head(request_of(parser), strlen(": \r\n"));
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct rtn_control_request *request = request_of(parser);
    (void) at;
    request->body_length += length;
    return request->body_length > RTN_CONTROL_BODY_MAX ? fail(request, 413, "the body is too large") : 0;
}

static int on_head_complete(llhttp_t *parser)
{
    struct rtn_control_request *request = request_of(parser);
    request->post = parser->method == HTTP_POST;
    if (parser->method != HTTP_GET && parser->method != HTTP_POST)
        (void) fail(request, 405, "the methods here are GET and POST");
    else if (parser->content_length > RTN_CONTROL_BODY_MAX)
        (void) fail(request, 413, "the body is too large");
    /* Whatever else is returned means something to the parser. */
    return request->stage == RTN_CONTROL_BROKEN ? -1 : 0;
}

/* Resolves the escapes of a part, which gets shorter, and ends it. False: an escape is broken, or stands for NUL. */
static bool unescape(char *part)
{
    const struct rtn_str s = { part, strlen(part) };
    char *to = part;
    for (size_t i = 0; i < s.length; i++) {
        int byte = s.data[i] == '%' ? rtn_percent_byte(s, i) : (unsigned char) s.data[i];
        if (byte <= 0)
            return false;
        if (s.data[i] == '%')
            i += 2;
        *to++ = (char) byte;
    }
    *to = '\0';
    return true;
}

static const char *read_parameter(struct rtn_control_request *request, char *pair)
{
    if (*pair == '\0')
        return NULL;
    if (request->parameter_count == RTN_CONTROL_PARAMETERS)
        return "there are too many parameters";
    char *equals = strchr(pair, '=');
    char *value = equals != NULL ? equals + 1 : pair + strlen(pair);
    if (equals != NULL)
        *equals = '\0';
    if (!unescape(pair) || !unescape(value))
        return "an escape in the query is broken";
    if (rtn_control_request_parameter(request, pair) != NULL)
        return "a parameter is there twice";
    request->parameters[request->parameter_count].name = pair;
    request->parameters[request->parameter_count++].value = value;
    return NULL;
}

/* Returns what is wrong; NULL: nothing. */
static const char *read_target(struct rtn_control_request *request)
{
    char *path = request->target.data;
    const char *problem = NULL;
    if (path == NULL || path[0] != '/')
        return "the request target does not begin with a slash";
    char *query = strchr(path, '?');
    if (query != NULL)
        *query++ = '\0';
    if (!unescape(path))
        return "an escape in the path is broken";
    request->path = path;
    while (query != NULL && problem == NULL) {
        char *next = strchr(query, '&');
        if (next != NULL)
            *next++ = '\0';
        problem = read_parameter(request, query);
        query = next;
    }
    return problem;
}

static int on_complete(llhttp_t *parser)
{
    struct rtn_control_request *request = request_of(parser);
    const char *problem = read_target(request);
    if (problem != NULL)
        return fail(request, 400, problem);
    request->keep_alive = llhttp_should_keep_alive(parser) != 0 && parser->upgrade == 0;
    request->stage = RTN_CONTROL_COMPLETE;
    return HPE_PAUSED; /* what follows is another request */
}

static const llhttp_settings_t settings = {
    .on_url = on_target,
    .on_header_field = on_head,
    .on_header_value = on_head,
    .on_header_value_complete = on_line,
    .on_headers_complete = on_head_complete,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

void rtn_control_request_init(struct rtn_control_request *request)
{
    *request = (struct rtn_control_request){ .stage = RTN_CONTROL_READING };
    llhttp_init(&request->parser, HTTP_REQUEST, &settings);
    request->parser.data = request;
}

void rtn_control_request_done(struct rtn_control_request *request)
{
    rtn_buf_done(&request->target);
}

size_t rtn_control_request_feed(struct rtn_control_request *request, const char *data, size_t length)
{
    if (request->stage != RTN_CONTROL_READING || length == 0)
        return 0;
    request->begun = true;
    enum llhttp_errno error = llhttp_execute(&request->parser, data, length);
    if (request->stage == RTN_CONTROL_COMPLETE)
        return (size_t) (llhttp_get_error_pos(&request->parser) - data);
    if (error != HPE_OK)
        (void) fail(request, 400, "this is no HTTP/1.1 request");
    return length;
}

const char *rtn_control_request_parameter(const struct rtn_control_request *request, const char *name)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        if (strcmp(request->parameters[i].name, name) == 0)
            return request->parameters[i].value;
    }
    return NULL;
}

const char *rtn_control_request_stranger(const struct rtn_control_request *request, const char *const *names)
{
    for (size_t i = 0; i < request->parameter_count; i++) {
        bool known = false;
        for (const char *const *name = names; *name != NULL && !known; name++)
            known = strcmp(*name, request->parameters[i].name) == 0;
        if (!known)
            return request->parameters[i].name;
    }
    return NULL;
}
