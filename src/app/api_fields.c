/*
 * Bodies of the public functions about cookies and negotiation. retinue-module(3) documents them. They see all fields:
 * `header_fields` is about what handlers read by name.
 */
#include <retinue/module.h>

#include <errno.h>

#include "app/cookie.h"
#include "app/negotiate.h"
#include "proto/response.h"

rtn_str rtn_cookie_value(rtn_request *request, const char *name)
{
    for (unsigned i = 0; i < request->header_count; i++) {
        if (!rtn_str_equal(request->headers[i].name, RTN_STR("cookie")))
            continue;
        rtn_str value = rtn_cookie_find(request->headers[i].value, rtn_str_of(name));
        if (value.data != NULL)
            return value;
    }
    return (rtn_str){ 0 };
}

int rtn_reply_cookie(rtn_request *request, const struct rtn_cookie *cookie)
{
    struct rtn_cookie known = { 0 };
    memcpy(&known, cookie, RTN_MIN(cookie->struct_size, sizeof(known)));
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    const char *wrong = cookie->struct_size == 0 ? "struct_size is not set" : rtn_cookie_build(&known, &text);
    if (wrong == NULL)
        return rtn_response_field(request, RTN_STR("Set-Cookie"), rtn_buf_str(&text));
    rtn_log(RTN_LOG_WARN, "rtn_reply_cookie: cookie \"%s\" is refused: %s", known.name != NULL ? known.name : "",
            wrong);
    return -EINVAL;
}

static const struct {
    struct rtn_str field;
    int (*quality)(struct rtn_str field, struct rtn_str offer);
    bool absent_is_any; /* without the field everything is liked the same */
} negotiations[] = {
    { { "accept", 6 }, rtn_negotiate_type, true },
    { { "accept-language", 15 }, rtn_negotiate_language, true },
    { { "accept-encoding", 15 }, rtn_negotiate_encoding, false },
};

/* The values of all fields of the name as one list (RFC 9110, 5.3). Absent when there is none or memory is out. */
static struct rtn_str joined(rtn_request *request, struct rtn_str name)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf list = { 0 };
    struct rtn_str first = { NULL, 0 };
    for (unsigned i = 0; i < request->header_count; i++) {
        struct rtn_str value = request->headers[i].value;
        if (!rtn_str_equal(request->headers[i].name, name))
            continue;
        if (first.data == NULL) {
            first = value.data != NULL ? value : RTN_STR("");
            continue;
        }
        if (list.length == 0)
            rtn_buf_append_str(&list, first);
        rtn_buf_append_char(&list, ',');
        rtn_buf_append_str(&list, value);
    }
    if (list.length == 0)
        return first;
    return (struct rtn_str){ rtn_arena_strdup(&request->arena, rtn_buf_str(&list)), list.length };
}

int rtn_negotiate(rtn_request *request, const char *field, const char *const *offers)
{
    size_t which = 0;
    while (which < RTN_ARRAY_LENGTH(negotiations) &&
           !rtn_str_equal_nocase(negotiations[which].field, rtn_str_of(field)))
        which++;
    if (which == RTN_ARRAY_LENGTH(negotiations)) {
        rtn_log(RTN_LOG_WARN, "rtn_negotiate: \"%s\" is neither accept, accept-language nor accept-encoding",
                field != NULL ? field : "");
        return -1;
    }
    struct rtn_str list = joined(request, negotiations[which].field);
    int best = 0;
    int found = -1;
    for (int i = 0; offers[i] != NULL; i++) {
        bool any = list.data == NULL && negotiations[which].absent_is_any;
        int quality = any ? RTN_QUALITY_MAX : negotiations[which].quality(list, rtn_str_of(offers[i]));
        if (quality <= best)
            continue;
        best = quality;
        found = i;
    }
    return found;
}
