/*
 * A module of API level 4, compiled against the headers of that level, which are stored here and never change: proof
 * that the daemon still takes it. Uses a bit of everything that level 4 added: messages, lines, tasks.
 */
#include <string.h>

#include <retinue/module.h>

#if RTN_API_LEVEL != 4
#error "the stored headers are those of level 4"
#endif

struct level4_sum {
    int32_t a;
    int32_t b;
};

struct level4_result {
    int32_t sum;
};

RTN_QUESTION(level4_sum, struct level4_sum, struct level4_result)
RTN_MESSAGE_BYTES(level4_text)

struct level4 {
    rtn_server *server;
};

static int start(void *instance, rtn_server *server)
{
    struct level4 *level4 = instance;
    level4->server = server;
    return 0;
}

/* Messages */

static int take_sum(rtn_message *message, const struct level4_sum *payload, void *instance)
{
    (void) instance;
    const struct level4_result result = { .sum = payload->a + payload->b };
    return rtn_answer_level4_sum(rtn_message_asked(message), &result);
}

static int take_text(rtn_message *message, const void *data, size_t length, void *instance)
{
    (void) message;
    (void) instance;
    rtn_log(RTN_LOG_NOTICE, "level4: got %.*s", (int) length, (const char *) data);
    return RTN_DONE;
}

static int tell_sum(rtn_request *request, int result, const struct level4_result *answer, void *data)
{
    (void) data;
    if (result < 0)
        return result;
    return rtn_reply_format(request, 200, "%d\n", (int) answer->sum);
}

static int ask(rtn_request *request, void *instance)
{
    (void) instance;
    const struct level4_sum payload = { .a = 40, .b = 2 };
    int r = rtn_ask_level4_sum_for(request, &payload, 60000, tell_sum, NULL, NULL);
    return r < 0 ? r : RTN_LATER;
}

/* Tasks: a timer that sends a message. */

static void fire(void *data)
{
    (void) data;
    (void) rtn_send_level4_text("the timer", strlen("the timer"));
}

static int set_timer(rtn_request *request, void *instance)
{
    const struct level4 *level4 = instance;
    int r = rtn_timer_start(level4->server, instance, 1, 0, fire, NULL, NULL, NULL);
    return r < 0 ? r : rtn_reply_text(request, 200, "set\n");
}

/* Lines */

static int open_line(rtn_connection *connection, void *instance)
{
    (void) instance;
    return rtn_line_send_text(rtn_connection_id(connection), "welcome");
}

static int take_line(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    (void) instance;
    return rtn_line_send_format(rtn_connection_id(connection), "%zu: %s", length, line);
}

static void close_line(rtn_connection *connection, const struct rtn_line_closed *how, void *instance)
{
    (void) connection;
    (void) instance;
    rtn_log(RTN_LOG_NOTICE, "level4: closed, cause %d", (int) how->cause);
}

static struct rtn_message_type *const sends[] = { RTN_TYPE(level4_sum), RTN_TYPE(level4_text), NULL };

static const struct rtn_http_handler http_handlers[] = {
    { .name = "ask", .handle = ask },
    { .name = "timer", .handle = set_timer, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_line_handler line_handlers[] = {
    { .name = "lines", .summary = "Counts.", .open = open_line, .line = take_line, .close = close_line },
    { 0 },
};

/* Several rows: the daemon must step over them by the size that they were compiled with. */
static const struct rtn_message_row sum_rows[] = { RTN_ON(level4_sum, take_sum), { 0 } };
static const struct rtn_message_row all_rows[] = {
    RTN_ON(level4_text, take_text),
    RTN_ON(level4_sum, take_sum),
    { 0 },
};

static const struct rtn_message_handler message_handlers[] = {
    { .name = "sums", .on = sum_rows },
    { .name = "all", .summary = "Takes both.", .threads = RTN_THREADS_SERIAL, .on = all_rows },
    { 0 },
};

static const struct rtn_module module = {
    .name = "level4",
    .version = "1.0",
    .summary = "From the days before metrics.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct level4),
    .http = http_handlers,
    .start = start,
    .line = line_handlers,
    .messages = message_handlers,
    .sends = sends,
};
RTN_REGISTER_MODULE(module)
