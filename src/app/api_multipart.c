/* Bodies of the public rtn_multipart functions. retinue-module(3) documents them. */
#include <retinue/module.h>

#include <errno.h>

#include "app/multipart.h"
#include "proto/request.h"

int rtn_multipart_new(rtn_request *request, const struct rtn_multipart_options *options, rtn_multipart **ret)
{
    struct rtn_multipart_options known = { 0 };
    struct rtn_str boundary;
    if (options->struct_size == 0) {
        rtn_log(RTN_LOG_WARN, "rtn_multipart_new: refused: struct_size is not set");
        return -EINVAL;
    }
    int r = rtn_multipart_boundary(request->content_type, &boundary);
    if (r < 0)
        return r;
    memcpy(&known, options, RTN_MIN(options->struct_size, sizeof(known)));
    struct rtn_multipart *multipart = rtn_arena_alloc(&request->arena, sizeof(*multipart));
    if (multipart == NULL)
        return -ENOMEM;
    r = rtn_multipart_init(multipart, boundary, &known, &request->arena);
    if (r == 0)
        *ret = multipart;
    return r;
}

int rtn_multipart_feed(rtn_multipart *multipart, const void *data, size_t length)
{
    return rtn_multipart_push(multipart, (struct rtn_str){ data, length });
}

int rtn_multipart_finish(rtn_multipart *multipart)
{
    return rtn_multipart_close(multipart);
}

const char *rtn_multipart_error(const rtn_multipart *multipart)
{
    return multipart->error_text;
}
