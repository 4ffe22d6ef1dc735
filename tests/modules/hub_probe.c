/*
 * Messages between servers from every side: each handler notes what it got where, and does what the message asks for.
 * Commands (hub_command.c) are run on the loop, on a worker, on a thread of the module, in hooks, and by messages. What
 * was seen is for all instances together, in whatever servers they are.
 */
#include "hub_probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate.h"

static void note_message(const rtn_message *message, const char *kind, const struct hub_note *note)
{
    hub_saw("%s tag=%lld number=%lld from=%s in=%s on=%s asked=%d", kind, (long long) note->tag,
            (long long) note->number, rtn_message_sender(message), rtn_server_name(rtn_message_server(message)),
            rtn_thread_name(), rtn_message_asked(message) != 0);
}

static struct hub_reply make_reply(const struct hub_note *note)
{
    struct hub_reply reply = { .number = note->number };
    (void) snprintf(reply.on, sizeof(reply.on), "%s", rtn_thread_name());
    return reply;
}

struct late {
    struct rtn_message_type *type;
    rtn_number asked;
    struct hub_note note;
    const char *gate;
};

static void *answer_late(void *data)
{
    struct late *late = data;
    gate_pass(late->gate);
    struct hub_reply reply = make_reply(&late->note);
    int r = rtn_answer(late->type, late->asked, &reply, sizeof(reply));
    hub_saw("late tag=%lld result=%d", (long long) late->note.tag, r);
    free(late);
    return NULL;
}

static int answer_later(const struct hub_probe *probe, const rtn_message *message, const struct hub_note *note,
                        struct rtn_message_type *type)
{
    struct late *late = malloc(sizeof(*late));
    if (late == NULL)
        return -ENOMEM;
    *late = (struct late){ type, rtn_message_asked(message), *note, probe->gate };
    int r = hub_thread(answer_late, late);
    return r < 0 ? r : RTN_LATER;
}

static int answer(const rtn_message *message, const struct hub_note *note, const struct rtn_message_type *type)
{
    struct hub_reply reply = make_reply(note);
    size_t size = note->deed == HUB_SHORT ? sizeof(reply) - 1 : sizeof(reply);
    int r = rtn_answer(type, rtn_message_asked(message), &reply, size);
    if (note->deed != HUB_TWICE)
        return note->deed == HUB_BOTH ? -EIO : r;
    reply.number++;
    hub_saw("twice tag=%lld %d %d", (long long) note->tag, r,
            rtn_answer(type, rtn_message_asked(message), &reply, sizeof(reply)));
    return RTN_DONE;
}

static int take(rtn_message *message, const struct hub_note *note, const struct hub_probe *probe, const char *kind,
                struct rtn_message_type *type)
{
    note_message(message, kind, note);
    switch ((enum hub_deed) note->deed) {
    case HUB_PLAIN:
    case HUB_DONE:
        return RTN_DONE;
    case HUB_GATE:
        gate_pass(probe->gate);
        return RTN_DONE;
    case HUB_FAIL:
        return -EIO;
    case HUB_KEEP:
        hub_keep(message, note);
        return RTN_DONE;
    case HUB_ANSWER:
    case HUB_TWICE:
    case HUB_SHORT:
    case HUB_BOTH:
        return answer(message, note, type);
    case HUB_LATER:
        return answer_later(probe, message, note, type);
    case HUB_NEVER:
        return RTN_LATER;
    case HUB_REFUSE:
        return rtn_answer_error(rtn_message_asked(message), -EPROTO);
    case HUB_OTHER:
        return answer(message, note, type == RTN_TYPE(hub_web) ? RTN_TYPE(hub_loop) : RTN_TYPE(hub_web));
    }
    return -EINVAL;
}

static int on_loop(rtn_message *message, const struct hub_note *note, void *instance)
{
    return take(message, note, instance, "loop", RTN_TYPE(hub_loop));
}

static int on_serial(rtn_message *message, const struct hub_note *note, void *instance)
{
    return take(message, note, instance, "serial", RTN_TYPE(hub_serial));
}

static int on_parallel(rtn_message *message, const struct hub_note *note, void *instance)
{
    return take(message, note, instance, "parallel", RTN_TYPE(hub_parallel));
}

static int on_web(rtn_message *message, const struct hub_note *note, void *instance)
{
    return take(message, note, instance, "web", RTN_TYPE(hub_web));
}

static int on_bytes(rtn_message *message, const void *data, size_t length, void *instance)
{
    const unsigned char *bytes = data;
    size_t good = 0;
    (void) message;
    (void) instance;
    while (good < length && bytes[good] == (unsigned char) (good * 7))
        good++;
    hub_saw("bytes length=%zu good=%zu aligned=%d", length, good, (uintptr_t) data % 16 == 0);
    return RTN_DONE;
}

static int on_push(rtn_message *message, const void *data, size_t length, void *instance)
{
    (void) message;
    (void) instance;
    int r = rtn_publish("hub", RTN_WS_TEXT, data, length, 0);
    return r < 0 ? r : RTN_DONE;
}

static char *copy(const void *text, size_t length)
{
    char *copied = calloc(1, length + 1);
    if (copied != NULL && length > 0)
        memcpy(copied, text, length);
    return copied;
}

/* What the commands say is seen. */
static void run_commands(struct hub_probe *probe, rtn_server *server, const char *commands, const char *where)
{
    struct hub_text out = { .length = 0 };
    hub_command(probe, server, commands, &out);
    for (size_t at = 0; at < out.length; at += strlen(&out.data[at]) + 1) {
        char *line = &out.data[at];
        line[strcspn(line, "\n")] = '\0';
        hub_saw("%s: %s in %s", where, line, rtn_server_name(server));
        rtn_log(RTN_LOG_NOTICE, "hub probe %s on \"%s\": %s", where, rtn_thread_name(), line);
    }
}

static int on_do(rtn_message *message, const void *data, size_t length, void *instance)
{
    char *commands = copy(data, length);
    if (commands == NULL)
        return -ENOMEM;
    run_commands(instance, rtn_message_server(message), commands, "did");
    free(commands);
    return RTN_DONE;
}

static const struct rtn_message_row loop_rows[] = {
    RTN_ON(hub_loop, on_loop), RTN_ON(hub_bytes, on_bytes), RTN_ON(hub_do, on_do), { 0 }
};
static const struct rtn_message_row serial_rows[] = { RTN_ON(hub_serial, on_serial), { 0 } };
static const struct rtn_message_row parallel_rows[] = { RTN_ON(hub_parallel, on_parallel), { 0 } };
static const struct rtn_message_row web_rows[] = { RTN_ON(hub_web, on_web), RTN_ON(hub_push, on_push), { 0 } };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "loop", .on = loop_rows },
    { .name = "serial", .threads = RTN_THREADS_SERIAL, .on = serial_rows },
    { .name = "parallel", .threads = RTN_THREADS_PARALLEL, .on = parallel_rows },
    { .name = "web", .on = web_rows },
    { 0 },
};

/* Doors */

struct job {
    struct hub_probe *probe;
    rtn_server *server;
    rtn_later later;
    char *commands;
};

static void *run_job(void *data)
{
    struct job *job = data;
    struct hub_text out = { .length = 0 };
    hub_command(job->probe, job->server, job->commands, &out);
    (void) rtn_later_reply(job->later, 200, "text/plain", out.data, out.length);
    free(job->commands);
    free(job);
    return NULL;
}

static char *copy_body(rtn_request *request)
{
    rtn_str body = rtn_request_body(request);
    return copy(body.data, body.length);
}

static int do_here(rtn_request *request, void *instance)
{
    struct hub_text out = { .length = 0 };
    char *commands = copy_body(request);
    if (commands == NULL)
        return -ENOMEM;
    hub_command(instance, rtn_request_server(request), commands, &out);
    free(commands);
    return rtn_reply(request, 200, out.data, out.length);
}

static int do_on_thread(rtn_request *request, void *instance)
{
    struct job *job = malloc(sizeof(*job));
    if (job == NULL)
        return -ENOMEM;
    *job = (struct job){ .probe = instance, .server = rtn_request_server(request), .commands = copy_body(request) };
    job->later = rtn_request_later(request, NULL, NULL);
    int r = hub_thread(run_job, job);
    return r < 0 ? r : RTN_LATER;
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "do-loop", .handle = do_here },
    { .name = "do-serial", .handle = do_here, .threads = RTN_THREADS_SERIAL },
    { .name = "do-worker", .handle = do_here, .threads = RTN_THREADS_PARALLEL },
    { .name = "do-thread", .handle = do_on_thread },
    { .name = "ask-loop", .handle = hub_ask_for },
    { .name = "ask-serial", .handle = hub_ask_for, .threads = RTN_THREADS_SERIAL },
    { .name = "ask-worker", .handle = hub_ask_for, .threads = RTN_THREADS_PARALLEL },
    { .name = "seen", .handle = hub_tell },
    { 0 },
};

static int open_socket(rtn_connection *connection, void *instance)
{
    (void) instance;
    return rtn_subscribe(rtn_connection_id(connection), "hub");
}

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "socket", .open = open_socket },
    { 0 },
};

/* Hooks */

static int start(void *instance, rtn_server *server)
{
    struct hub_probe *probe = instance;
    if (probe->start != NULL)
        run_commands(probe, server, probe->start, "start");
    return probe->fail ? -EIO : 0;
}

static void quiesce(void *instance, rtn_server *server)
{
    struct hub_probe *probe = instance;
    if (probe->quiesce != NULL)
        run_commands(probe, server, probe->quiesce, "quiesce");
}

static void stop(void *instance, rtn_server *server)
{
    struct hub_probe *probe = instance;
    hub_threads_end();
    if (probe->stop != NULL)
        run_commands(probe, server, probe->stop, "stop");
}

/* Of all servers; [main] */
static unsigned instances;

static int configure(void *instance, rtn_setup *setup)
{
    (void) instance;
    (void) setup;
    instances++;
    return 0;
}

static void unload(void *instance)
{
    (void) instance;
    if (--instances > 0)
        return;
    (void) hub_release_all();
    hub_forget();
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct hub_probe, gate, .name = "gate", .help = "A file that handlers wait for."),
    RTN_OPTION(STRING, struct hub_probe, start, .name = "start", .help = "Commands of the start hook."),
    RTN_OPTION(STRING, struct hub_probe, quiesce, .name = "quiesce", .help = "Commands of the quiesce hook."),
    RTN_OPTION(BOOL, struct hub_probe, fail, .name = "fail", .help = "The start hook fails."),
    RTN_OPTION(STRING, struct hub_probe, stop, .name = "stop", .help = "Commands of the stop hook."),
    { 0 },
};

static struct rtn_message_type *const sends[] = {
    RTN_TYPE(hub_loop),  RTN_TYPE(hub_serial), RTN_TYPE(hub_parallel), RTN_TYPE(hub_web),
    RTN_TYPE(hub_bytes), RTN_TYPE(hub_push),   RTN_TYPE(hub_do),       NULL,
};

static const struct rtn_module module = {
    .name = "hub_probe",
    .version = "1.0",
    .summary = "Sends messages and tells of those that come.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct hub_probe),
    .options = options,
    .http = http_handlers,
    .configure = configure,
    .start = start,
    .quiesce = quiesce,
    .stop = stop,
    .unload = unload,
    .websocket = ws_handlers,
    .messages = message_handlers,
    .sends = sends,
};
RTN_REGISTER_MODULE(module)
