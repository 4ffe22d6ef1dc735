/* Fields stand one behind the other as lines that end with CR LF; neither can be inside of a value. */
#include "app/reply_type.h"

#include <errno.h>

#include "base/header.h"
#include "proto/response.h"

static const struct rtn_str name = { "content-type: ", 14 };

/* The line at `at`, its end included. */
static struct rtn_str line_at(const struct rtn_response *response, size_t at)
{
    const char *start = response->fields + at;
    const char *end = memchr(start, '\n', response->fields_length - at);
    return (struct rtn_str){ start, end != NULL ? (size_t) (end - start) + 1 : response->fields_length - at };
}

static bool is_type(struct rtn_str line)
{
    return line.length >= name.length + 2 && rtn_str_equal_nocase((struct rtn_str){ line.data, name.length }, name);
}

int rtn_reply_type_take(struct rtn_request *request, struct rtn_str *ret)
{
    struct rtn_response *response = &request->response;
    struct rtn_str type = { 0 };
    struct rtn_str line;
    if (!response->has_content_type) {
        *ret = type;
        return 0;
    }
    for (size_t at = 0; at < response->fields_length; at += line.length) {
        line = line_at(response, at);
        if (!is_type(line))
            continue;
        type.length = line.length - name.length - 2;
        type.data = rtn_arena_strdup(&request->arena, (struct rtn_str){ line.data + name.length, type.length });
        if (type.data == NULL)
            return -ENOMEM;
        response->fields_length -= line.length;
        memmove(response->fields + at, response->fields + at + line.length, response->fields_length - at);
        break;
    }
    response->has_content_type = false;
    *ret = type;
    return 0;
}

int rtn_reply_type_set(struct rtn_request *request, struct rtn_str type)
{
    struct rtn_str before;
    if (request->response.state != RTN_RESPONSE_NONE)
        return -EALREADY;
    if (!rtn_header_is_value(type))
        return -EINVAL;
    int r = rtn_reply_type_take(request, &before);
    if (r < 0)
        return r;
    r = rtn_response_add(request, RTN_STR("Content-Type"), type);
    request->response.has_content_type = r == 0;
    return r;
}
