/*
 * fanout: a text that is posted over HTTP goes to a worker server, which finds some facts about it; whoever posted gets
 * them as the answer, and all who listen to the feed, by WebSocket or in lines, get them too. Shows how four kinds of
 * handlers on four servers work together.
 *
 * Thread model: post and feed run on the loop, since they only pass on; work is serial.
 */
#include "fanout.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#define TOPIC_LONGEST 255 /* as topics have it */

static int subscribe(rtn_connection *connection, void *instance)
{
    const struct fanout *fanout = instance;
    int r = rtn_subscribe(rtn_connection_id(connection), fanout->topic);
    return r == -ENOENT ? 0 : r;
}

/* Line handlers take lines; who listens here has nothing to say. */
static int ignore_line(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    (void) connection;
    (void) line;
    (void) length;
    (void) instance;
    return 0;
}

static int configure(void *instance, rtn_setup *setup)
{
    const struct fanout *fanout = instance;
    size_t length = strlen(fanout->topic);
    if (length == 0 || length > TOPIC_LONGEST)
        return rtn_setup_error(setup, "topic", "must have 1 to %d bytes, not %zu", TOPIC_LONGEST, length);
    /* So that it is not done by several threads at once. */
    json_object_seed(0);
    return 0;
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct fanout, topic, .name = "topic", .fallback = "fanout",
               .help =
                   "Of the handlers work and feed: what one publishes to and the other listens to. 1 to 255 bytes."),
    RTN_OPTION(DURATION, struct fanout, timeout, .name = "timeout", .fallback = "10s", .min = 10, .max = 3600000,
               .help = "Of the handler post: how long it waits for the worker; past it the answer is 504."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "post",
      .summary = "Takes a text, and answers with what the worker finds.",
      .handle = post,
      .methods = RTN_METHOD_POST },
    { 0 },
};

static const struct rtn_message_row work_rows[] = { RTN_ON(fanout_text, work), { 0 } };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "work",
      .summary = "Finds facts about a text, answers with them and publishes them.",
      .threads = RTN_THREADS_SERIAL,
      .on = work_rows },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "feed", .summary = "Sends what is published.", .open = subscribe },
    { 0 },
};

static const struct rtn_line_handler line_handlers[] = {
    { .name = "feed", .summary = "Sends what is published.", .open = subscribe, .line = ignore_line },
    { 0 },
};

static struct rtn_message_type *const sends[] = { RTN_TYPE(fanout_text), NULL };

static const struct rtn_module module = {
    .name = "fanout",
    .version = "1.0",
    .summary = "From an HTTP post by a worker to all who listen, by WebSocket or in lines.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct fanout),
    .options = options,
    .http = http_handlers,
    .websocket = ws_handlers,
    .line = line_handlers,
    .messages = message_handlers,
    .sends = sends,
    .configure = configure,
};
RTN_REGISTER_MODULE(module)
