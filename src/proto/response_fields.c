/* The fields of a reply, gathered as text: "name: value\r\n" one behind the other. */
#include <errno.h>

#include "base/header.h"
#include "proto/response_internal.h"

#define FIRST_FIELDS 512

#define NAMES_OF_A_LENGTH 2

/* Fields that frame the message or belong to the connection: written here, never by handlers. By length. */
static const char *const own_fields[][NAMES_OF_A_LENGTH] = {
    [4] = { "date" },
    [7] = { "upgrade", "trailer" },
    [10] = { "connection", "keep-alive" },
    [14] = { "content-length" },
    [17] = { "transfer-encoding" },
    [20] = { "sec-websocket-accept" },
    [22] = { "sec-websocket-protocol" },
    [24] = { "sec-websocket-extensions" },
};

static bool is_own(struct rtn_str name)
{
    if (name.length >= RTN_ARRAY_LENGTH(own_fields))
        return false;
    const char *const *names = own_fields[name.length];
    for (size_t i = 0; i < NAMES_OF_A_LENGTH && names[i] != NULL; i++) {
        if (rtn_str_equal_nocase(name, (struct rtn_str){ names[i], name.length }))
            return true;
    }
    return false;
}

static bool is_content_type(struct rtn_str name)
{
    return name.length == strlen("content-type") && rtn_str_equal_nocase(name, RTN_STR("content-type"));
}

static int reserve_fields(struct rtn_request *request, size_t extra)
{
    struct rtn_response *response = &request->response;
    if (response->fields_capacity - response->fields_length >= extra)
        return 0;
    size_t capacity = RTN_MAX(FIRST_FIELDS, (response->fields_length + extra) * 2);
    char *fields = rtn_arena_alloc(&request->arena, capacity);
    if (fields == NULL)
        return -ENOMEM;
    if (response->fields_length > 0)
        memcpy(fields, response->fields, response->fields_length);
    response->fields = fields;
    response->fields_capacity = capacity;
    return 0;
}

int rtn_response_add(struct rtn_request *request, struct rtn_str name, struct rtn_str value)
{
    struct rtn_response *response = &request->response;
    int r = reserve_fields(request, name.length + value.length + 4);
    if (r < 0)
        return r;
    char *at = response->fields + response->fields_length;
    at = rtn_response_put(at, name);
    at = rtn_response_put(at, RTN_STR(": "));
    at = rtn_response_put(at, value);
    at = rtn_response_put(at, RTN_STR("\r\n"));
    response->fields_length = (size_t) (at - response->fields);
    return 0;
}

int rtn_response_field(struct rtn_request *request, struct rtn_str name, struct rtn_str value)
{
    if (request->response.state != RTN_RESPONSE_NONE)
        return -EALREADY;
    if (is_own(name) || !rtn_is_token(name) || !rtn_header_is_value(value))
        return -EINVAL;
    if (request->response.request_id != NULL && rtn_str_equal_nocase(name, RTN_STR("x-request-id")))
        return -EINVAL;
    int r = rtn_response_add(request, name, value);
    if (r == 0 && is_content_type(name))
        request->response.has_content_type = true;
    return r;
}

/* Parts the line at *at, which is moved behind it. False at the end. */
static bool next_line(const struct rtn_response *response, size_t *at, struct rtn_str *name, struct rtn_str *value)
{
    if (*at >= response->fields_length)
        return false;
    const char *line = response->fields + *at;
    const char *end = memchr(line, '\n', response->fields_length - *at);
    const char *colon = memchr(line, ':', (size_t) (end - line));
    *name = (struct rtn_str){ line, (size_t) (colon - line) };
    *value = (struct rtn_str){ colon + 2, (size_t) (end - 1 - (colon + 2)) };
    *at += (size_t) (end + 1 - line);
    return true;
}

bool rtn_response_next_field(const struct rtn_request *request, struct rtn_str name, size_t *at, struct rtn_str *ret)
{
    struct rtn_str found, value;
    while (next_line(&request->response, at, &found, &value)) {
        if (!rtn_str_equal_nocase(found, name))
            continue;
        *ret = value;
        return true;
    }
    return false;
}

void rtn_response_remove_field(struct rtn_request *request, struct rtn_str name)
{
    struct rtn_response *response = &request->response;
    struct rtn_str found, value;
    size_t start = 0;
    size_t at = 0;
    while (next_line(response, &at, &found, &value)) {
        if (rtn_str_equal_nocase(found, name)) {
            memmove(response->fields + start, response->fields + at, response->fields_length - at);
            response->fields_length -= at - start;
            at = start;
        }
        start = at;
    }
    if (is_content_type(name))
        response->has_content_type = false;
}

void rtn_response_reset(struct rtn_request *request)
{
    request->response.fields_length = 0;
    request->response.has_content_type = false;
}
