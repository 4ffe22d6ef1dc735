/* A named server: its threads, what it logs, what of a request it reads, and its parts. */
#include <unistd.h>

#include "config/config_tables.h"
#include "config/memory.h"

const struct rtn_schema_choice rtn_config_bodies[] = {
    { "none", RTN_BODY_NONE },
    { "buffered", RTN_BODY_BUFFERED },
    { "streamed", RTN_BODY_STREAMED },
    { NULL, 0 },
};

static const struct rtn_schema_choice proxy_headers[] = {
    { "auto", RTN_PROXY_HEADER_AUTO },
    { "forwarded", RTN_PROXY_HEADER_FORWARDED },
    { "x-forwarded", RTN_PROXY_HEADER_X_FORWARDED },
    { "none", RTN_PROXY_HEADER_NONE },
    { NULL, 0 },
};

static const struct rtn_schema_choice request_ids[] = {
    { "none", RTN_REQUEST_ID_NONE },
    { "new", RTN_REQUEST_ID_NEW },
    { "accept", RTN_REQUEST_ID_ACCEPT },
    { NULL, 0 },
};

/* "all" alone becomes the empty list. */
static bool check_header_fields(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_schema_strings *fields = value;
    bool ok = true;

    (void) node;
    if (fields->count == 1 && strcmp(fields->items[0], "all") == 0) {
        fields->count = 0;
        return true;
    }
    for (size_t i = 0; i < fields->count; i++) {
        const char *name = fields->items[i];
        struct rtn_mark mark = fields->nodes[i]->mark;
        if (strcmp(name, "all") == 0)
            ok = rtn_schema_error(context, mark, "\"header_fields\" is either all, or a list of names without all");
        else if (strcmp(name, "none") == 0)
            ok = rtn_schema_error(context, mark,
                                  "\"header_fields\": none is no field name here; write all, or a list of "
                                  "names");
        else if (!rtn_is_token(rtn_str_of(name)))
            ok = rtn_schema_error(context, mark, "%s is no name of a header field",
                                  rtn_node_quote(rtn_str_of(name), context->arena));
        fields->items[i] = rtn_config_lower(context->arena, rtn_str_of(name));
    }
    return ok;
}

static const struct rtn_schema_key keys[] = {
    { .name = "protocol",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_server, protocol),
      .fallback = "http",
      .choices = rtn_config_protocols,
      .help =
          "What clients speak: http is HTTP/1.1 and HTTP/1.0, with WebSocket; line is lines of text. A worker has no "
          "clients: it is there for messages of other servers, and for what its modules do by themselves.",
      .example = "worker" },
    { .name = "listen",
      .type = RTN_SCHEMA_LIST,
      .offset = offsetof(struct rtn_config_server, listen),
      .table = &rtn_config_listen_table,
      .min = 0,
      .max = 64,
      .fallback_help = "none; only an HTTP server with clients or modules, and a worker, do without",
      .help = "The addresses that clients connect to: one, or a list. An entry is an address, or a map with its "
              "address and more. An HTTP server without any, which only serves sockets that modules adopt, has []. Of "
              "protocol: http and line.",
      .example = "[127.0.0.1:8080, \"[::1]:8080\"]" },
    { .name = "loops",
      .type = RTN_SCHEMA_INT,
      .offset = offsetof(struct rtn_config_server, loops),
      .fallback = "1",
      .min = 1,
      .max = 64,
      .help =
          "Threads that read and write connections. One serves many thousands of connections; more spread them over "
          "cores. A worker has one, and so has a server with stdio.",
      .example = "2" },
    { .name = "threads",
      .type = RTN_SCHEMA_INT,
      .offset = offsetof(struct rtn_config_server, threads),
      .fallback_help = "twice the number of cores, at least 8",
      .min = 0,
      .max = 1024,
      .help = "Worker threads at most, for handlers that may block. They start when needed. With 0 only handlers that "
              "run on a loop can be used.",
      .example = "16" },
    { .name = "active_threads",
      .type = RTN_SCHEMA_INT,
      .offset = offsetof(struct rtn_config_server, active_threads),
      .fallback_help = "as many as threads",
      .min = 1,
      .max = 1024,
      .help =
          "Workers that run at one time, not counting those whose handler has said that it is waiting. Not more than "
          "threads.",
      .example = "4" },
    { .name = "stuck_threads",
      .type = RTN_SCHEMA_INT,
      .offset = offsetof(struct rtn_config_server, stuck_threads),
      .fallback_help = "as many as threads",
      .min = 0,
      .max = 1024,
      .help = "Workers that may be replaced while their handler does not come back within timeouts.handler. They count "
              "neither in threads nor in active_threads, so that the server goes on. With 0 none is.",
      .example = "4" },
    { .name = "stall",
      .type = RTN_SCHEMA_DURATION,
      .offset = offsetof(struct rtn_config_server, stall),
      .fallback = "200ms",
      .min = 0,
      .max = 3600000,
      .help = "A handler that holds a loop for so long is named in the log, with a backtrace. 0: none is. It is looked "
              "for five times a second, so that a shorter one may go unseen.",
      .example = "1s" },
    { .name = "queue",
      .type = RTN_SCHEMA_INT,
      .offset = offsetof(struct rtn_config_server, queue),
      .fallback = "1024",
      .min = 1,
      .max = 1000000,
      .help = "Requests that may wait for a worker thread, and as many tasks of modules beside them. When the queue is "
              "full, requests are answered with 503.",
      .example = "200" },
    { .name = "hub_capacity",
      .type = RTN_SCHEMA_INT,
      .offset = offsetof(struct rtn_config_server, hub_capacity),
      .fallback = "1024",
      .min = 1,
      .max = 1000000,
      .help = "Messages from other servers that may wait. When so many wait, senders are told so.",
      .example = "10000" },
    { .name = "log_level",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_server, log_level),
      .fallback_help = "the level of daemon.log",
      .choices = rtn_config_levels,
      .help = "The lowest level that this server logs.",
      .example = "notice" },
    { .name = "access_log",
      .type = RTN_SCHEMA_MAP,
      .offset = offsetof(struct rtn_config_server, access_log),
      .table = &rtn_config_access_log_table,
      .help = "One line for each request. Of protocol: http." },
    { .name = "header_fields",
      .type = RTN_SCHEMA_STRINGS,
      .offset = offsetof(struct rtn_config_server, header_fields),
      .fallback = "all",
      .min = 1,
      .max = 1000,
      .check = check_header_fields,
      .help = "The request header fields that handlers can read: all, or a list of names in any case. What the daemon "
              "reads for them, such as conditions, ranges, cookies and what the client accepts, it sees all the same. "
              "Of protocol: http.",
      .example = "[origin, user-agent]" },
    { .name = "request_body",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_server, request_body),
      .fallback_help = "buffered, or streamed for handlers that take bodies in pieces",
      .choices = rtn_config_bodies,
      .help =
          "What becomes of request bodies. With buffered the handler runs when the whole body is in memory. With "
          "streamed it gets the body in pieces as they come; handlers that cannot take pieces get it buffered. With "
          "none the body is read and thrown away, and handlers see none; those that take pieces are refused. A route "
          "may say otherwise. Of protocol: http.",
      .example = "none" },
    { .name = "trusted_proxies",
      .type = RTN_SCHEMA_STRINGS,
      .offset = offsetof(struct rtn_config_server, trusted_proxies),
      .fallback_help = "none",
      .check = rtn_config_check_proxies,
      .max = 1000,
      .help =
          "Peers that are believed about the client behind them: addresses, ranges such as 10.0.0.0/8, and unix for "
          "peers on unix sockets. What other peers say of other clients is ignored. Of protocol: http.",
      .example = "[127.0.0.1, 10.0.0.0/8, \"fd00::/8\", unix]" },
    { .name = "proxy_header",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_server, proxy_header),
      .fallback = "auto",
      .choices = proxy_headers,
      .help = "Where trusted proxies name the client: forwarded is the field Forwarded of RFC 7239, x-forwarded are "
              "X-Forwarded-For, X-Forwarded-Proto and X-Forwarded-Host. With auto it is whichever of them comes; when "
              "both come and name different clients, the answer is 400. With none both are ignored. Anything but auto "
              "needs trusted_proxies. Of protocol: http.",
      .example = "x-forwarded" },
    { .name = "request_id",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_server, request_id),
      .fallback = "none",
      .choices = request_ids,
      .help =
          "Whether requests have an id, for handlers and logs, which the reply carries as X-Request-Id. With new it "
          "is made. With accept it is the X-Request-Id of the client when that has 1 to 128 letters, digits and "
          "-_.:+/=@ and nothing else; otherwise it is made. Of protocol: http.",
      .example = "accept" },
    { .name = "compression",
      .type = RTN_SCHEMA_MAP,
      .offset = offsetof(struct rtn_config_server, compression),
      .table = &rtn_config_compression_table,
      .help = "Which replies are compressed, for clients that say they take it. Off unless there are encodings. Of "
              "protocol: http." },
    { .name = "limits",
      .type = RTN_SCHEMA_MAP,
      .offset = offsetof(struct rtn_config_server, limits),
      .table = &rtn_config_limits_table,
      .help = "How much a client may send, and how much may wait for it. Of protocol: http and line." },
    { .name = "timeouts",
      .type = RTN_SCHEMA_MAP,
      .offset = offsetof(struct rtn_config_server, timeouts),
      .table = &rtn_config_timeouts_table,
      .help = "How long a client may take. Of protocol: http and line." },
    { .name = "backlog_policy",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_server, backlog_policy),
      .fallback = "close",
      .choices = rtn_config_backlogs,
      .help =
          "What becomes of a WebSocket or a line connection whose peer takes so little that limits.backlog waits for "
          "it, when more is to be sent: with close it is closed; with drop what is more is dropped, and the sender is "
          "told. Of protocol: http and line.",
      .example = "drop" },
    { .name = "routes",
      .type = RTN_SCHEMA_LIST,
      .offset = offsetof(struct rtn_config_server, routes),
      .table = &rtn_config_route_table,
      .check = rtn_config_check_routes,
      .fallback_help = "none",
      .help = "What answers which requests. Of several that match, those of the nearest host come first. Among these "
              "the most specific wins: an exact path, then paths with {name} segments, then the longest one that ends "
              "in *. A request that none matches is answered with 404. Of protocol: http.",
      .example = "[{path: /, module: hello}]" },
    { .name = "clients",
      .type = RTN_SCHEMA_LIST,
      .offset = offsetof(struct rtn_config_server, clients),
      .table = &rtn_config_client_table,
      .min = 0,
      .max = 1000,
      .fallback_help = "none",
      .help = "WebSocket connections that the server makes. They are spread over its loops.",
      .example = "[{url: \"ws://127.0.0.1:8080/feed\", module: discussion, handler: client}]" },
    { .name = "modules",
      .type = RTN_SCHEMA_LIST,
      .offset = offsetof(struct rtn_config_server, modules),
      .table = &rtn_config_use_table,
      .min = 0,
      .max = 64,
      .fallback_help = "none, which a line server cannot do without",
      .help = "Modules of the server as a whole: what takes the lines of a line server, what takes messages of other "
              "servers, what works by itself.",
      .example = "[{module: chat}]" },
    { .name = "greeting",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_server, greeting),
      .check = rtn_config_check_greeting,
      .pattern = "^[^\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f]+$",
      .help = "The first line that a client is sent. Of protocol: line.",
      .example = "\"220 ready\"" },
    { .name = "line_end",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_server, line_end),
      .fallback = "crlf",
      .choices = rtn_config_line_ends,
      .help =
          "What is sent behind a line: crlf is CR LF, lf is LF alone, which stdio has in any case. Clients may send "
          "either. Of protocol: line.",
      .example = "lf" },
    { .name = "long_lines",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_server, long_lines),
      .fallback = "close",
      .choices = rtn_config_long_lines,
      .help =
          "What becomes of a connection on which a line longer than limits.line comes: with close it is closed; with "
          "drop the line is thrown away, and the client is sent the line \"error: line longer than 8KiB\", with the "
          "limit in it. Of protocol: line.",
      .example = "drop" },
    { .name = NULL },
};

static int64_t default_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return RTN_MIN(RTN_MAX(8, 2 * cores), 1024);
}

/* Nothing is said of a server that is taken for another than was meant. */
static void check_protocol(struct rtn_config_server *server, const struct rtn_node *node,
                           const struct rtn_schema_context *context)
{
    if (!rtn_config_protocol_is_known(node))
        return;
    rtn_config_check_keys(server, node, context);
    rtn_config_check_purpose(server, node, context);
    rtn_config_check_idle(server, node, context);
    if (!context->sound || server->protocol != RTN_PROTOCOL_HTTP)
        return;
    rtn_config_check_proxy_protocol(server, context);
    rtn_config_check_proxy_header(server, node, context);
}

static void check(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_config_server *server = object;
    bool given = rtn_node_get(node, "threads") != NULL;

    check_protocol(server, node, context);
    if (!context->sound)
        return;
    if (!given)
        server->threads = default_threads();
    if (rtn_node_get(node, "active_threads") == NULL)
        server->active_threads = server->threads;
    if (rtn_node_get(node, "stuck_threads") == NULL)
        server->stuck_threads = server->threads;
    if (server->active_threads <= server->threads)
        return;
    const char *limit = given
                            ? rtn_config_printf(context->arena, "the %lld of \"threads\"", (long long) server->threads)
                            : "\"threads\" has by default; set that too";
    rtn_schema_error(context, rtn_schema_mark(node, "active_threads"), "\"active_threads\" is %lld, more than %s",
                     (long long) server->active_threads, limit);
}

const struct rtn_schema_table rtn_config_server_table = {
    .name = "server",
    .size = sizeof(struct rtn_config_server),
    .keys = keys,
    .typical = "listen",
    .node_offset = offsetof(struct rtn_config_server, node),
    .name_offset = offsetof(struct rtn_config_server, name),
    .check = check,
};
