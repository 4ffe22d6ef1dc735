/*
 * A module of API level 3, compiled against the headers of that level, which are stored here and never change: proof
 * that the daemon still takes it. Uses a bit of everything that level 3 added: WebSocket.
 */
#include <errno.h>
#include <string.h>

#include <retinue/module.h>

#if RTN_API_LEVEL != 3
#error "the stored headers are those of level 3"
#endif

#define TOPIC "level3"
#define URL_MAX 200

struct level3 {
    const char *word;
    rtn_server *server;
};

static int start(void *instance, rtn_server *server)
{
    struct level3 *level3 = instance;
    level3->server = server;
    return 0;
}

/* Whole messages: given back behind a word, and told to all. */

static int upgrade(rtn_request *request, void *instance)
{
    const struct level3 *level3 = instance;
    if (rtn_request_header(request, "x-refuse").data != NULL)
        return rtn_reply_text(request, 403, "refused\n");
    return rtn_reply_header(request, "X-Word", level3->word);
}

static int open_talk(rtn_connection *connection, void *instance)
{
    (void) instance;
    return rtn_subscribe(rtn_connection_id(connection), TOPIC);
}

static int message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    const struct level3 *level3 = instance;
    int r = rtn_ws_send_text(rtn_connection_id(connection), level3->word);
    return r < 0 ? r : rtn_ws_send(rtn_connection_id(connection), type, data, length);
}

static void close_talk(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance)
{
    (void) instance;
    rtn_log(RTN_LOG_NOTICE, "level3: %s closed, cause %d, code %d, %.*s", rtn_ws_protocol(connection), (int) how->cause,
            how->code, RTN_STR_ARG(how->reason));
}

/* Pieces: an answer to the last, which tells whether it was empty. */
static int fragment(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, bool last,
                    void *instance)
{
    (void) data;
    (void) instance;
    if (!last)
        return 0;
    return rtn_ws_send(rtn_connection_id(connection), type, length == 0 ? "empty" : "bytes", 5);
}

/* Plain requests: publish, and connect. */

static int publish(rtn_request *request, void *instance)
{
    (void) instance;
    rtn_str body = rtn_request_body(request);
    int r = rtn_publish(TOPIC, RTN_WS_TEXT, body.data, body.length, 0);
    return r < 0 ? r : rtn_reply_text(request, 200, "published\n");
}

static int connect_to(rtn_request *request, void *instance)
{
    struct level3 *level3 = instance;
    static const char *const headers[] = { "X-From: level3", NULL };
    const struct rtn_ws_options options = { .struct_size = sizeof(options), .headers = headers };
    rtn_str body = rtn_request_body(request);
    char url[URL_MAX] = "";
    if (body.length >= sizeof(url))
        return rtn_reply_text(request, 400, "too long\n");
    memcpy(url, body.data, body.length);
    int r = rtn_ws_connect(level3->server, url, &options, "talk", level3, NULL);
    return r < 0 ? r : rtn_reply_text(request, 200, "connecting\n");
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct level3, word, .name = "word", .fallback = "none", .help = "A word."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "publish", .handle = publish, .methods = RTN_METHOD_POST },
    { .name = "connect", .handle = connect_to, .threads = RTN_THREADS_PARALLEL, .methods = RTN_METHOD_POST },
    { 0 },
};

static const char *const protocols[] = { "level.three", "level.two", NULL };

/* Several rows: the daemon must step over them by the size that they were compiled with. */
static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "pieces", .fragment = fragment },
    { .name = "talk",
      .summary = "Answers.",
      .threads = RTN_THREADS_PARALLEL,
      .protocols = protocols,
      .upgrade = upgrade,
      .open = open_talk,
      .message = message,
      .close = close_talk },
    { 0 },
};

static const struct rtn_module module = {
    .name = "level3",
    .version = "1.0",
    .summary = "From the days before messages.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct level3),
    .options = options,
    .http = http_handlers,
    .start = start,
    .websocket = ws_handlers,
};
RTN_REGISTER_MODULE(module)
