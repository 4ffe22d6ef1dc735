/*
 * Handlers of all kinds with names in common and names of their own, and of every thread model: for the choice of
 * handlers by routes, clients and entries of `modules`. There is no start hook.
 */
#include <string.h>

#include "hub_ignore.h"

struct hub_kinds {
    const char *word;
};

static int configure(void *instance, rtn_setup *setup)
{
    const struct hub_kinds *kinds = instance;
    if (strcmp(kinds->word, "bad") == 0)
        return rtn_setup_error(setup, "word", "%s is not for \"%s\"", kinds->word, rtn_setup_route(setup));
    return 0;
}

/* Fails in the module's name: without an option as the place. */
static int ready(void *instance, rtn_setup *setup)
{
    const struct hub_kinds *kinds = instance;
    return strcmp(kinds->word, "late") == 0 ? rtn_setup_error(setup, NULL, "it is too late") : 0;
}

static int handle(rtn_request *request, void *instance)
{
    const struct hub_kinds *kinds = instance;
    return rtn_reply_text(request, 200, kinds->word);
}

static void close_line(rtn_connection *connection, const struct rtn_line_closed *how, void *instance)
{
    (void) connection;
    (void) how;
    (void) instance;
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct hub_kinds, word, .name = "word", .fallback = "word", .help = "A word."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "all", .handle = handle },
    { .name = "plain", .handle = handle },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "all" },
    { .name = "socket" },
    { 0 },
};

static const struct rtn_line_handler line_handlers[] = {
    { .name = "all", .summary = "Takes lines.", .threads = RTN_THREADS_PARALLEL, .line = take_line },
    { .name = "lines", .line = take_line, .close = close_line },
    { 0 },
};

static const struct rtn_message_row all_rows[] = { RTN_ON(kinds_text, take_text), { 0 } };
static const struct rtn_message_row job_rows[] = { RTN_ON(kinds_job, take_job), RTN_ON(kinds_text, take_text), { 0 } };
static struct rtn_message_type *const job_sends[] = { RTN_TYPE(kinds_done), NULL };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "all", .threads = RTN_THREADS_SERIAL, .on = all_rows },
    { .name = "jobs", .summary = "Takes jobs.", .on = job_rows, .sends = job_sends },
    { 0 },
};

static struct rtn_message_type *const sends[] = { RTN_TYPE(kinds_text), RTN_TYPE(kinds_job), NULL };

static const struct rtn_module module = {
    .name = "hub_kinds",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct hub_kinds),
    .options = options,
    .http = http_handlers,
    .configure = configure,
    .ready = ready,
    .websocket = ws_handlers,
    .line = line_handlers,
    .messages = message_handlers,
    .sends = sends,
};
RTN_REGISTER_MODULE(module)
