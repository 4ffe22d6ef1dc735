/*
 * What the counts need of the daemon: a mark between what is counted, a handler on a worker, a topic that passes on
 * what one of its subscribers says, and messages and questions to another server.
 *
 * At a mark callgrind writes what it has counted since the one before, and strace a call that nobody else makes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <valgrind/callgrind.h>

#include <retinue/module.h>

#define TOPIC "counts"

struct small {
    char bytes[16];
};

RTN_MESSAGE(counts_message, struct small)
RTN_QUESTION(counts_question, struct small, struct small)

struct counts {
    rtn_server *server;
    rtn_later later; /* who waits for the questions */
    long questions; /* still to be asked */
};

static int mark(rtn_request *request, void *instance)
{
    (void) instance;
    (void) getppid();
    CALLGRIND_DUMP_STATS;
    return rtn_reply_status(request, 204);
}

static int greet(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_text(request, 200, "hello world\n");
}

/* WebSocket: the topic */

static int subscribe(rtn_connection *connection, void *instance)
{
    (void) instance;
    int r = rtn_subscribe(rtn_connection_id(connection), TOPIC);
    return r > 0 ? 0 : r;
}

static int publish(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    (void) connection;
    (void) instance;
    return rtn_publish(TOPIC, type, data, length, 0);
}

/* The hub: so many messages, then so many questions, one after the other */

static int take(rtn_message *message, const struct small *small, void *instance)
{
    (void) message;
    (void) small;
    (void) instance;
    return RTN_DONE;
}

static int answer(rtn_message *message, const struct small *small, void *instance)
{
    (void) instance;
    return rtn_answer_counts_question(rtn_message_asked(message), small);
}

static void ask_next(int result, const struct small *answer, void *data)
{
    static const struct small question;
    struct counts *self = data;
    (void) answer;
    if (result == 0 && self->questions-- > 0)
        result = rtn_ask_counts_question(self->server, self, &question, 60000, ask_next, self);
    if (result < 0 || self->questions < 0)
        (void) rtn_later_reply(self->later, result < 0 ? 500 : 204, NULL, NULL, 0);
}

static int talk(rtn_request *request, void *instance)
{
    static const struct small message;
    struct counts *self = instance;
    int r = 0;
    for (long n = strtol(rtn_request_param(request, "messages").data, NULL, 10); n > 0 && r == 0; n--)
        r = rtn_send_counts_message(&message);
    if (r < 0)
        return r;
    self->questions = strtol(rtn_request_param(request, "questions").data, NULL, 10);
    self->later = rtn_request_later(request, NULL, NULL);
    ask_next(0, NULL, self);
    return RTN_LATER;
}

static int start(void *instance, rtn_server *server)
{
    struct counts *self = instance;
    self->server = server;
    return 0;
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "mark", .handle = mark },
    { .name = "worker", .handle = greet, .threads = RTN_THREADS_PARALLEL },
    { .name = "talk", .handle = talk },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "topic", .open = subscribe, .message = publish },
    { 0 },
};

static const struct rtn_message_row rows[] = { RTN_ON(counts_message, take), RTN_ON(counts_question, answer), { 0 } };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "hub", .on = rows },
    { 0 },
};

static struct rtn_message_type *const sends[] = { RTN_TYPE(counts_message), RTN_TYPE(counts_question), NULL };

static const struct rtn_module module = {
    .name = "counts",
    .version = "1.0",
    .summary = "What the counts need.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct counts),
    .http = http_handlers,
    .start = start,
    .websocket = ws_handlers,
    .messages = message_handlers,
    .sends = sends,
};
RTN_REGISTER_MODULE(module)
