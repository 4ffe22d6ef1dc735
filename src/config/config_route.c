/* `routes` of a server: which requests, and what answers them: a module, a redirect or a fixed status. */
#include "base/method.h"
#include "config/config_tables.h"
#include "config/memory.h"

#define STATUS_FOUND 302

/* clang-format off */
const struct rtn_schema_choice rtn_config_methods[] = {
#define ROW(name_) { #name_, RTN_METHOD_##name_ },
    RTN_METHODS(ROW)
#undef ROW
    { NULL, 0 },
};
/* clang-format on */

static bool check_path(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const char *problem = rtn_config_path_problem(*(const char **) value, context->arena);

    return problem == NULL || rtn_schema_error(context, node->mark, "%s", problem);
}

static bool check_host(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const char **host = value;
    const char *problem = rtn_config_host_read(*host, context->arena, host);

    if (problem == NULL)
        return true;
    *host = NULL;
    return rtn_schema_error(context, node->mark, "\"host\": %s", problem);
}

/* A name is looked up in daemon.modules; a file is found from the folder of the file that names it. */
bool rtn_config_check_module(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const char **module = value;

    if (rtn_str_ends_with(node->text, RTN_STR(".so")) && node->text.length > 3) {
        const char *path = rtn_schema_absolute(*module, &node->mark, context->arena);
        if (path == NULL)
            return rtn_schema_error(context, node->mark, "the working folder cannot be read; write the path absolute");
        *module = path;
        return true;
    }
    if (node->text.length > 0 && strspn(*module, chars) == node->text.length)
        return true;
    *module = NULL; /* nobody looks for it */
    return rtn_schema_error(context, node->mark,
                            "\"module\" must be a name of letters, digits, - and _, or a file that ends in .so, not %s",
                            rtn_node_quote(node->text, context->arena));
}

/* It goes into the Location field as it is. */
static bool check_redirect(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const char *target = *(const char **) value;

    if (*target == '\0')
        return rtn_schema_error(context, node->mark, "\"redirect\" is empty");
    for (const char *c = target; *c != '\0'; c++) {
        if (*c <= ' ' || *c >= 0x7f)
            return rtn_schema_error(
                context, node->mark,
                "\"redirect\" must be a URL or a path in ASCII without spaces; write others as %%XX");
    }
    return true;
}

static const struct rtn_schema_key keys[] = {
    { .name = "path",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_route, path),
      .required = true,
      .check = check_path,
      .pattern = "^(/|.*\\$\\{)",
      .help =
          "The path of the request target. A segment {name} matches any one segment, a last segment * everything that "
          "is left.",
      .example = "\"/users/{id}\"" },
    { .name = "host",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_route, host),
      .check = check_host,
      .pattern = "^(\\*\\.)?[A-Za-z0-9_.-]+$|^\\[[0-9A-Fa-f:.]+\\]$",
      .fallback_help = "every host",
      .help =
          "The host that the route is for, without a port: a name, or *. and a name for everything below that name. "
          "Routes of the host that was asked for come first, then those of a *., the longest first, then those "
          "without a host.",
      .example = "\"*.example.org\"" },
    { .name = "methods",
      .type = RTN_SCHEMA_FLAGS,
      .offset = offsetof(struct rtn_config_route, methods),
      .choices = rtn_config_methods,
      .min = 1,
      .max = 16,
      .fallback_help = "all that the handler takes",
      .help = "The request methods that the route is for.",
      .example = "[GET, POST]" },
    { .name = "module",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_route, module),
      .check = rtn_config_check_module,
      .pattern = RTN_CONFIG_MODULE_PATTERN,
      .help =
          "The module that answers: a name, looked up in the folders of daemon.modules, or a file that ends in .so. A "
          "route has either this, or redirect, or status alone.",
      .example = "hello" },
    { .name = "handler",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_route, handler),
      .fallback_help = "the only one the module has",
      .help = "Which of the module's handlers answers.",
      .example = "form" },
    { .name = "options",
      .type = RTN_SCHEMA_FREE,
      .offset = offsetof(struct rtn_config_route, options),
      .fallback_help = "those of the module",
      .help = "What the module is told. Its own manual or --modinfo lists the keys.",
      .example = "{action: \"http://localhost:5051/\"}" },
    { .name = "status",
      .type = RTN_SCHEMA_INT,
      .offset = offsetof(struct rtn_config_route, status),
      .fallback_help = "302 with redirect",
      .min = 200,
      .max = 599,
      .help = "Alone: the answer, with an empty or one-line body. With redirect: 301, 302, 303, 307 or 308.",
      .example = "204" },
    { .name = "redirect",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_route, redirect),
      .check = check_redirect,
      .help = "Where the client is sent: a path or a URL, the Location field of the answer.",
      .example = "/new" },
    { .name = "request_body",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_route, request_body),
      .choices = rtn_config_bodies,
      .fallback_help = "as the server",
      .help =
          "What becomes of request bodies: buffered, the handler runs when the whole body is in memory; streamed, it "
          "gets the body in pieces as they come; none, the body is read and thrown away. Only for routes with "
          "module, as are limits, timeouts and what concerns WebSocket.",
      .example = "streamed" },
    { .name = "limits",
      .type = RTN_SCHEMA_MAP,
      .offset = offsetof(struct rtn_config_route, limits),
      .table = &rtn_config_route_limits_table,
      .help = "How much a client may send, where that is not as for the server." },
    { .name = "timeouts",
      .type = RTN_SCHEMA_MAP,
      .offset = offsetof(struct rtn_config_route, timeouts),
      .table = &rtn_config_route_timeouts_table,
      .help = "How long a client or a handler may take, where that is not as for the server." },
    { .name = "origins",
      .type = RTN_SCHEMA_STRINGS,
      .offset = offsetof(struct rtn_config_route, origins),
      .min = 1,
      .max = 1000,
      .check = rtn_config_check_origins,
      .pattern = "^(all|same|[A-Za-z][A-Za-z0-9+.-]*://[^/]+)$",
      .fallback_help = "same",
      .help =
          "From which pages browsers may open a WebSocket: same is those of the host and port that they connect to; "
          "others are listed, such as https://example.org. All others are answered with 403, also those whose origin "
          "is "
          "null. With all everyone is taken. A request without Origin is not from a browser, and always taken.",
      .example = "[same, \"https://example.org\"]" },
    { .name = "backlog_policy",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_route, backlog_policy),
      .choices = rtn_config_backlogs,
      .fallback_help = "as the server",
      .help =
          "What becomes of a WebSocket whose peer takes so little that limits.backlog waits for it, when more is to "
          "be sent: with close it is closed; with drop what is more is dropped, and the sender is told.",
      .example = "drop" },
    { .name = "deflate",
      .type = RTN_SCHEMA_MAP,
      .offset = offsetof(struct rtn_config_route, deflate),
      .table = &rtn_config_deflate_table,
      .switches_on = true,
      .fallback_help = "off",
      .help = "Messages of WebSockets are compressed, for clients that offer it (permessage-deflate of RFC 7692). Off "
              "unless it is there; {} will do.",
      .example = "{effort: fast}" },
    { .name = NULL },
};

/* The key that says what answers, or NULL when there is none or more than one. */
static const char *find_answer(const struct rtn_node *node, const struct rtn_schema_context *context)
{
    bool module = rtn_node_get(node, "module") != NULL;
    bool redirect = rtn_node_get(node, "redirect") != NULL;
    bool status = rtn_node_get(node, "status") != NULL;

    if (module && redirect)
        rtn_schema_error(context, rtn_schema_mark(node, "redirect"), "\"redirect\" and \"module\" exclude each other");
    else if (module && status)
        rtn_schema_error(context, rtn_schema_mark(node, "status"), "\"status\" and \"module\" exclude each other");
    else if (module)
        return "module";
    else if (redirect)
        return "redirect";
    else if (status)
        return "status";
    else if (!rtn_schema_has_unknown_key(&rtn_config_route_table, node)) /* that may be a misspelled one */
        rtn_schema_error(context, context->mark, "nothing answers; give \"module\", \"redirect\" or \"status\"");
    return NULL;
}

static void need_module(const struct rtn_node *node, const char *name, const struct rtn_schema_context *context)
{
    const struct rtn_node_pair *pair = rtn_node_pair(node, name);

    if (pair != NULL)
        rtn_schema_error(context, pair->name_mark, "\"%s\" is only for routes with \"module\"", name);
}

static bool is_redirect(int64_t status)
{
    return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

static void check(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    static const char *const of_modules[] = { "handler",  "options", "request_body",   "limits",
                                              "timeouts", "origins", "backlog_policy", "deflate" };
    struct rtn_config_route *route = object;
    const char *answer = find_answer(node, context);
    bool module = answer == NULL || strcmp(answer, "module") == 0;

    for (size_t i = 0; !module && i < RTN_ARRAY_LENGTH(of_modules); i++)
        need_module(node, of_modules[i], context);
    if (rtn_node_get(node, "module") != NULL && rtn_node_get(node, "origins") == NULL)
        rtn_config_default_origins(&route->origins, context->arena);
    if (route->redirect == NULL)
        return;
    if (rtn_node_get(node, "status") == NULL)
        route->status = STATUS_FOUND;
    else if (route->status != 0 && !is_redirect(route->status))
        rtn_schema_error(context, rtn_schema_mark(node, "status"),
                         "\"status\" of a redirect must be 301, 302, 303, 307 or 308, not %lld",
                         (long long) route->status);
}

const struct rtn_schema_table rtn_config_route_table = {
    .name = "route",
    .size = sizeof(struct rtn_config_route),
    .keys = keys,
    .label = "path",
    .node_offset = offsetof(struct rtn_config_route, node),
    .name_offset = SIZE_MAX,
    .check = check,
};
