/* Cookies and negotiation, told by the query: what is asked for, set, or offered. */
#include <string.h>

#include <retinue/module.h>

#define MOST_OFFERS 8

/* The value of `name` in the query as a string; NULL when there is none. */
static const char *text_of(rtn_request *request, const char *name, size_t index)
{
    rtn_str value = rtn_query_value(request, name, index);
    char *text = value.data != NULL ? rtn_request_alloc(request, value.length + 1) : NULL;
    if (text == NULL)
        return NULL;
    memcpy(text, value.data, value.length);
    text[value.length] = '\0';
    return text;
}

static int show_cookie(rtn_request *request, void *instance)
{
    (void) instance;
    rtn_str value = rtn_cookie_value(request, text_of(request, "name", 0));
    return value.data != NULL ? rtn_reply_format(request, 200, "[%.*s]\n", RTN_STR_ARG(value))
                              : rtn_reply_text(request, 200, "absent\n");
}

static int set_cookie(rtn_request *request, void *instance)
{
    (void) instance;
    rtn_str age = rtn_query_value(request, "age", 0);
    const struct rtn_cookie cookie = {
        .struct_size = sizeof(cookie),
        .name = text_of(request, "name", 0),
        .value = text_of(request, "value", 0),
        .path = text_of(request, "path", 0),
        .domain = text_of(request, "domain", 0),
        .max_age = age.length == 0      ? 0
                   : age.data[0] == '-' ? -1
                                        : 60,
        .same_site = text_of(request, "same_site", 0),
        .secure = rtn_query_value(request, "secure", 0).data != NULL,
        .http_only = rtn_query_value(request, "http_only", 0).data != NULL,
    };
    int first = rtn_reply_cookie(request, &cookie);
    /* A module compiled when the struct ended behind `value`. */
    const struct rtn_cookie old = {
        .struct_size = offsetof(struct rtn_cookie, path), .name = "old", .value = "1", .path = "not looked at"
    };
    int second = rtn_reply_cookie(request, &old);
    return rtn_reply_format(request, 200, "%d %d\n", first, second);
}

static int negotiate(rtn_request *request, void *instance)
{
    (void) instance;
    const char *offers[MOST_OFFERS + 1] = { NULL };
    for (size_t i = 0; i < MOST_OFFERS; i++)
        offers[i] = text_of(request, "offer", i);
    return rtn_reply_format(request, 200, "%d\n", rtn_negotiate(request, text_of(request, "field", 0), offers));
}

/* What a module gets that leaves out struct_size. */
static int unsized(rtn_request *request, void *instance)
{
    (void) instance;
    const struct rtn_cookie cookie = { .name = "a", .value = "b" };
    const struct rtn_file file = { .size = 1 };
    const struct rtn_multipart_options options = { .parts = 1 };
    rtn_multipart *form = NULL;
    int of_cookie = rtn_reply_cookie(request, &cookie);
    int of_file = rtn_reply_fd(request, &file);
    int of_form = rtn_multipart_new(request, &options, &form);
    return rtn_reply_format(request, 200, "%d %d %d\n", of_cookie, of_file, of_form);
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "cookie", .handle = show_cookie },
    { .name = "set", .handle = set_cookie },
    { .name = "negotiate", .handle = negotiate },
    { .name = "unsized", .handle = unsized },
    { 0 },
};

static const struct rtn_module module = {
    .name = "fields",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
