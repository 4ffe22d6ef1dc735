/*
 * butler: a terminal whose lines are requests to another server of the daemon, which answers them. Shows typed messages
 * in both directions, a question, tasks, and how a server and the daemon are stopped. Who does the slow work, on which
 * server and whether as a task, is said by the configuration.
 *
 * Thread model: the client runs on the loop; server and offload are serial, so that they may take their time.
 */
#include "butler.h"

#include <string.h>

static int configure(void *instance, rtn_setup *setup)
{
    const struct butler *butler = instance;
    size_t length = strlen(butler->server);
    return length > 0 && length <= 64 ? 0 : rtn_setup_error(setup, "server", "must be the name of a server");
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct butler, server, .name = "server", .fallback = "server",
               .help = "Of the handler client: the server that \"kill\" stops. 1 to 64 bytes."),
    RTN_OPTION(BOOL, struct butler, end, .name = "end", .fallback = "true",
               .help = "Of the handler client: when a terminal has gone, the daemon ends."),
    RTN_OPTION(DURATION, struct butler, patience, .name = "patience", .fallback = "30s", .min = 10, .max = 3600000,
               .help = "Of the handler server: how long it waits for slow work to be done."),
    RTN_OPTION(DURATION, struct butler, slow, .name = "slow", .fallback = "3s", .min = 1, .max = 3600000,
               .help = "Of the handler offload: how long slow work takes."),
    RTN_OPTION(BOOL, struct butler, tasks, .name = "tasks", .fallback = "false",
               .help = "Of the handler offload: each piece of slow work is a task, beside the others."),
    { 0 },
};

static const struct rtn_line_handler line_handlers[] = {
    { .name = "client",
      .summary = "The terminal: sends lines as requests; \"kill\" stops the server, \"quit\" the daemon.",
      .line = client_line,
      .close = client_close },
    { 0 },
};

static const struct rtn_message_row client_rows[] = { RTN_ON(butler_response, client_response), { 0 } };
static const struct rtn_message_row server_rows[] = { RTN_ON(butler_request, server_request), { 0 } };
static const struct rtn_message_row offload_rows[] = { RTN_ON(butler_work, offload_work), { 0 } };

static struct rtn_message_type *const client_sends[] = { RTN_TYPE(butler_request), NULL };
static struct rtn_message_type *const server_sends[] = { RTN_TYPE(butler_response), RTN_TYPE(butler_work), NULL };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "client", .summary = "Prints responses.", .on = client_rows, .sends = client_sends },
    { .name = "server",
      .summary = "Answers requests, and passes on the slow ones.",
      .threads = RTN_THREADS_SERIAL,
      .on = server_rows,
      .sends = server_sends },
    { .name = "offload", .summary = "Does slow work.", .threads = RTN_THREADS_SERIAL, .on = offload_rows },
    { 0 },
};

static const struct rtn_module module = {
    .name = "butler",
    .version = "1.0",
    .summary = "A terminal and a backend that send each other messages.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct butler),
    .options = options,
    .line = line_handlers,
    .messages = message_handlers,
    .configure = configure,
};
RTN_REGISTER_MODULE(module)
