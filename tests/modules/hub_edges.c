/*
 * Calls of the message and task functions with arguments that are wrong (/bad), and floods: /flood sends messages, or
 * begins tasks, until no more are taken; each of them but the first message waits for the file `gate`. /here is
 * answered by a worker with how many have been through. In the start hook a task that waits there begins with `hold`,
 * and `fail` makes it fail, once such a task runs, if `gate` is given.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <retinue/module.h>

#include "gate.h"

struct edge {
    int64_t number;
};

RTN_QUESTION(edge_question, struct edge, struct edge)
RTN_MESSAGE_BYTES(edge_bytes)
RTN_MESSAGE(edge_flood, struct edge)

struct edges {
    const char *gate;
    bool hold;
    bool fail;
};

static atomic_int waiting; /* or through */
static atomic_int passed;
static atomic_int released;

static int on_question(rtn_message *message, const struct edge *edge, void *instance)
{
    (void) instance;
    return rtn_answer_edge_question(rtn_message_asked(message), edge);
}

static int on_bytes(rtn_message *message, const void *data, size_t length, void *instance)
{
    (void) message;
    (void) data;
    (void) length;
    (void) instance;
    return RTN_DONE;
}

static int pass(void *data)
{
    const struct edges *self = data;
    atomic_fetch_add(&waiting, 1);
    gate_pass(self->gate);
    atomic_fetch_add(&passed, 1);
    return 0;
}

static int on_flood(rtn_message *message, const struct edge *edge, void *instance)
{
    (void) message;
    if (edge->number > 0)
        return pass(instance);
    atomic_fetch_add(&passed, 1);
    return RTN_DONE;
}

static const struct rtn_message_row rows[] = {
    RTN_ON(edge_question, on_question), RTN_ON(edge_bytes, on_bytes), RTN_ON(edge_flood, on_flood), { 0 }
};

/* Wrong arguments */

static void release(void *data)
{
    (void) data;
    atomic_fetch_add(&released, 1);
}

static void then(int result, const struct edge *answer, void *data)
{
    (void) result;
    (void) answer;
    (void) data;
}

static int then_for(rtn_request *request, int result, const struct edge *answer, void *data)
{
    (void) answer;
    (void) data;
    return rtn_reply_format(request, 200, "%d\n", result);
}

static void on_file(const void *bytes, int64_t result, void *data)
{
    (void) bytes;
    (void) result;
    (void) data;
}

static int bad(rtn_request *request, void *instance)
{
    static const struct edge edge = { 1 };
    const struct rtn_message_type *type = RTN_TYPE(edge_question);
    rtn_server *server = rtn_request_server(request);
    struct rtn_question question = { .struct_size = sizeof(question),
                                     .payload = &edge,
                                     .length = sizeof(edge),
                                     .timeout = 1000,
                                     .then = (rtn_function) then };
    struct {
        const char *what;
        int result;
    } calls[] = {
        { "ask server", rtn_ask_edge_question(NULL, instance, &edge, 1000, then, NULL) },
        { "ask instance", rtn_ask_edge_question(server, server, &edge, 1000, then, NULL) },
        { "ask no instance", rtn_ask_edge_question(server, NULL, &edge, 1000, then, NULL) },
        { "ask payload", rtn_ask_edge_question(server, instance, NULL, 1000, then, NULL) },
        { "ask timeout 0", rtn_ask_edge_question(server, instance, &edge, 0, then, NULL) },
        { "ask timeout least", rtn_ask_edge_question(server, instance, &edge, INT64_MIN, then, NULL) },
        { "ask then", rtn_ask_edge_question(server, instance, &edge, 1000, NULL, NULL) },
        { "ask call", rtn_ask(type, server, instance, &question) },
        { "ask nothing", rtn_ask(type, server, instance, NULL) },
        { "ask for then", rtn_ask_edge_question_for(request, &edge, 1000, NULL, NULL, NULL) },
        { "ask for call", rtn_ask_for(type, request, &question) },
        { "ask for nothing", rtn_ask_for(type, request, NULL) },
        { "ask for timeout", rtn_ask_edge_question_for(request, &edge, -1, then_for, NULL, NULL) },
        { "send nothing", rtn_send_edge_bytes(NULL, 1) },
        { "move nothing", rtn_move_edge_bytes(NULL, 1, release, NULL) },
        { "answer nothing", rtn_answer_edge_question(1, NULL) },
        { "answer no error", rtn_answer_error(1, 0) },
        { "write nothing", rtn_task_file_write(server, instance, 0, 0, NULL, 1, on_file, NULL) },
    };
    char text[2048] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        length += (size_t) snprintf(text + length, sizeof(text) - length, "%s: %s\n", calls[i].what,
                                    calls[i].result == -EINVAL ? "refused" : "TAKEN");
    return rtn_reply_format(request, 200, "%sreleased %d\n", text, atomic_load(&released));
}

static int large(rtn_request *request, void *instance)
{
    (void) instance;
    char byte = 0;
    size_t most = (size_t) -1;
    int results[] = { rtn_send_edge_bytes(&byte, most), rtn_send_edge_bytes(&byte, most - 64),
                      rtn_move_edge_bytes(&byte, most, release, NULL), rtn_send_edge_bytes(NULL, 0) };
    return rtn_reply_format(request, 200, "%d %d %d %d\n", results[0], results[1], results[2], results[3]);
}

/* A question whose time is as long as can be. */
static int ask(rtn_request *request, void *instance)
{
    static const struct edge edge = { 1 };
    (void) instance;
    int r = rtn_ask_edge_question_for(request, &edge, INT64_MAX, then_for, NULL, NULL);
    return r < 0 ? r : RTN_LATER;
}

/* Floods */

static int begin_one(rtn_request *request, void *instance, bool message, int number)
{
    const struct edge edge = { number };
    return message ? rtn_send_edge_flood(&edge) : rtn_task(rtn_request_server(request), instance, pass, NULL, instance);
}

static int flood(rtn_request *request, void *instance)
{
    rtn_str what = rtn_request_param(request, "what");
    bool message = what.length == 8 && memcmp(what.data, "messages", 8) == 0;
    int taken = 0;
    int r;
    while ((r = begin_one(request, instance, message, taken)) == 0)
        taken++;
    return rtn_reply_format(request, 200, "%d %d\n", taken, r);
}

static int here(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_format(request, 200, "%d\n", atomic_load(&passed));
}

static int start(void *instance, rtn_server *server)
{
    struct edges *self = instance;
    if (self->hold && rtn_task(server, instance, pass, NULL, self) < 0)
        return -EPERM;
    if (!self->fail)
        return 0;
    while (self->gate != NULL && atomic_load(&waiting) == 0)
        (void) nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    return -EIO;
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct edges, gate, .name = "gate", .help = "A file that messages and tasks wait for."),
    RTN_OPTION(BOOL, struct edges, hold, .name = "hold", .help = "Begins a task in the start hook."),
    RTN_OPTION(BOOL, struct edges, fail, .name = "fail", .help = "The start hook fails."),
    { 0 },
};

static const struct rtn_message_handler message_handlers[] = {
    { .name = "edges", .threads = RTN_THREADS_PARALLEL, .on = rows },
    { .name = "in-order", .threads = RTN_THREADS_SERIAL, .on = rows },
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "bad", .handle = bad },
    { .name = "bad-worker", .handle = bad, .threads = RTN_THREADS_PARALLEL },
    { .name = "large", .handle = large, .threads = RTN_THREADS_PARALLEL },
    { .name = "ask", .handle = ask, .threads = RTN_THREADS_PARALLEL },
    { .name = "flood", .handle = flood },
    { .name = "here", .handle = here, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static struct rtn_message_type *const sends[] = { RTN_TYPE(edge_question), RTN_TYPE(edge_bytes), RTN_TYPE(edge_flood),
                                                  NULL };

static const struct rtn_module module = {
    .name = "hub_edges",
    .version = "1.0",
    .summary = "Messages and tasks at their edges.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct edges),
    .options = options,
    .http = http_handlers,
    .messages = message_handlers,
    .sends = sends,
    .start = start,
};
RTN_REGISTER_MODULE(module)
