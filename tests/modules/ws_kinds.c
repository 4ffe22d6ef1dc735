/*
 * Handlers of both kinds with names in common and names of their own, and of every thread model: for the choice of
 * handlers by routes and clients.
 */
#include <string.h>

#include "ws_ignore.h"

struct ws_kinds {
    const char *word;
};

static int configure(void *instance, rtn_setup *setup)
{
    const struct ws_kinds *kinds = instance;
    if (strcmp(kinds->word, "bad") == 0)
        return rtn_setup_error(setup, "word", "%s is not for %s", kinds->word, rtn_setup_route(setup));
    return 0;
}

/* Fails in the module's name: without an option as the place. */
static int ready(void *instance, rtn_setup *setup)
{
    const struct ws_kinds *kinds = instance;
    return strcmp(kinds->word, "late") == 0 ? rtn_setup_error(setup, NULL, "it is too late") : 0;
}

static int start(void *instance, rtn_server *server)
{
    const struct ws_kinds *kinds = instance;
    rtn_log(RTN_LOG_NOTICE, "ws_kinds: start of %s on %s", kinds->word, rtn_server_name(server));
    return 0;
}

static void stop(void *instance, rtn_server *server)
{
    const struct ws_kinds *kinds = instance;
    rtn_log(RTN_LOG_NOTICE, "ws_kinds: stop of %s on %s", kinds->word, rtn_server_name(server));
}

static int handle(rtn_request *request, void *instance)
{
    const struct ws_kinds *kinds = instance;
    return rtn_reply_text(request, 200, kinds->word);
}

static int greet(rtn_connection *connection, void *instance)
{
    (void) connection;
    (void) instance;
    return 0;
}

static const char *const protocols[] = { "chat.v2", "chat", NULL };

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct ws_kinds, word, .name = "word", .fallback = "word", .help = "A word."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "both", .handle = handle, .methods = RTN_METHOD_POST },
    { .name = "mixed", .handle = handle },
    { .name = "plain", .handle = handle },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "both", .summary = "Takes whole messages.", .open = greet, .message = take, .protocols = protocols },
    { .name = "mixed", .message = take, .threads = RTN_THREADS_SERIAL },
    { .name = "stream", .fragment = take_piece },
    { .name = "worker", .message = take, .threads = RTN_THREADS_PARALLEL },
    { .name = "silent" },
    { 0 },
};

static const struct rtn_module module = {
    .name = "ws_kinds",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct ws_kinds),
    .options = options,
    .http = http_handlers,
    .websocket = ws_handlers,
    .configure = configure,
    .ready = ready,
    .start = start,
    .stop = stop,
};
RTN_REGISTER_MODULE(module)
