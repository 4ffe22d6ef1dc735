/*
 * getandpost: a form on one server, its post on another. Shows two handlers in one module, options, form fields,
 * a header field and a redirect.
 */
#include <string.h>

#include <retinue/module.h>

struct getandpost {
    const char *action;
    const char *origin;
    const char *back;
};

static const char *escaped(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* `text` with the characters escaped that mean something in HTML; memory of the request, NULL when it is out. */
static const char *escape_html(rtn_request *request, const char *text)
{
    char *html = rtn_request_alloc(request, 6 * strlen(text) + 1);
    char *out = html;
    if (html == NULL)
        return NULL;
    for (; *text != '\0'; text++) {
        const char *entity = escaped(*text);
        size_t length = entity != NULL ? strlen(entity) : 1;
        memcpy(out, entity != NULL ? entity : text, length);
        out += length;
    }
    *out = '\0';
    return html;
}

static int show_form(rtn_request *request, void *instance)
{
    const struct getandpost *self = instance;
    const char *action = escape_html(request, self->action);
    if (action == NULL)
        return rtn_reply_status(request, 503);
    int error = rtn_reply_header(request, "Content-Type", "text/html; charset=utf-8");
    if (error < 0)
        return error;
    return rtn_reply_format(request, 200,
                            "<!doctype html>\n"
                            "<html lang=\"en\">\n"
                            "<title>Say something</title>\n"
                            "<form action=\"%s\" method=\"post\">\n"
                            "  <label>Say: <input name=\"say\" value=\"hi\"></label>\n"
                            "  <button>Send</button>\n"
                            "</form>\n"
                            "</html>\n",
                            action);
}

static bool is_text(rtn_str s, const char *text)
{
    return s.length == strlen(text) && (s.length == 0 || memcmp(s.data, text, s.length) == 0);
}

/* Where to send the browser: `back`, else the page's own server, else nowhere (NULL). Some pages have Origin null. */
static const char *way_back(rtn_request *request, const struct getandpost *self, rtn_str origin)
{
    if (self->back != NULL || origin.length == 0 || is_text(origin, "null"))
        return self->back;
    char *location = rtn_request_alloc(request, origin.length + 1);
    if (location == NULL)
        return NULL;
    memcpy(location, origin.data, origin.length);
    location[origin.length] = '\0';
    return location;
}

static int take_post(rtn_request *request, void *instance)
{
    const struct getandpost *self = instance;
    rtn_str origin = rtn_request_header(request, "Origin");
    if (self->origin != NULL && !is_text(origin, self->origin))
        return rtn_reply_text(request, 403, "posts from this origin are not taken\n");
    rtn_str said = rtn_form_value(request, "say", 0);
    if (said.data == NULL)
        return rtn_reply_text(request, 400, "the form has no field \"say\"\n");
    rtn_log(RTN_LOG_NOTICE, "somebody said: %.*s", RTN_STR_ARG(said));
    const char *location = way_back(request, self, origin);
    return location != NULL ? rtn_reply_redirect(request, 303, location) : rtn_reply_status(request, 204);
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct getandpost, action, .name = "action", .fallback = "/",
               .help = "Of the handler form: URL that the form posts to."),
    RTN_OPTION(STRING, struct getandpost, origin, .name = "origin",
               .help =
                   "Of the handler post: the only Origin that may post, as \"http://localhost:5050\"; default any."),
    RTN_OPTION(STRING, struct getandpost, back, .name = "back",
               .help = "Of the handler post: URL to go to afterwards; default the request's Origin."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "form", .summary = "Shows the form.", .handle = show_form, .methods = RTN_METHOD_GET },
    { .name = "post", .summary = "Takes the post.", .handle = take_post, .methods = RTN_METHOD_POST },
    { 0 },
};

static const struct rtn_module module = {
    .name = "getandpost",
    .version = "1.0",
    .summary = "A form on one server that posts to another.",
    .threads = RTN_THREADS_PARALLEL,
    .instance_size = sizeof(struct getandpost),
    .options = options,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
