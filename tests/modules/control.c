/*
 * Stops servers, from every place that a module has: a hook (`at`), /control/stop/NAME on the loop or on a worker, or a
 * thread of its own (/control/thread/NAME). /control/wait stops its own server and goes on until rtn_stopping() is
 * true, /control/stopping tells what a thread of the server sees; the server "*" is all of them. /control/task begins a
 * task that waits for the file `until`, /control/timer a timer. Hooks tell in the log that they were there, and append
 * to the file `tell`.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

#include "gate.h"

enum place { NOWHERE, CONFIGURE, READY, START, QUIESCE, THREAD_STOP, STOP, UNLOAD };
static const char *const places[] = { "nowhere",     "configure", "ready",  "start", "quiesce",
                                      "thread_stop", "stop",      "unload", NULL };

struct control {
    const char *name;
    const char *server; /* that is stopped at the place; "*": all are */
    int at;
    const char *hang; /* a file that the stop hook waits for */
    const char *until; /* a file that tasks wait for */
    const char *tell;
};

static int stop_server(const char *name)
{
    if (strcmp(name, "*") != 0)
        return rtn_server_stop(name);
    rtn_shutdown();
    return 0;
}

static void append(const char *path, const char *name, const char *place)
{
    FILE *file = fopen(path, "ae");
    if (file == NULL)
        return;
    (void) fprintf(file, "%s %s\n", name, place);
    (void) fclose(file);
}

static void come_to(const struct control *self, enum place place)
{
    rtn_log(RTN_LOG_NOTICE, "control %s: %s on \"%s\"", self->name, places[place], rtn_thread_name());
    if (self->tell != NULL)
        append(self->tell, self->name, places[place]);
    if (self->at == (int) place)
        rtn_log(RTN_LOG_NOTICE, "control %s: stopping %s: %d", self->name, self->server, stop_server(self->server));
}

static int configure(void *instance, rtn_setup *setup)
{
    (void) setup;
    come_to(instance, CONFIGURE);
    return 0;
}

static int ready(void *instance, rtn_setup *setup)
{
    (void) setup;
    come_to(instance, READY);
    return 0;
}

static int start(void *instance, rtn_server *server)
{
    (void) server;
    come_to(instance, START);
    return 0;
}

static void quiesce(void *instance, rtn_server *server)
{
    (void) server;
    come_to(instance, QUIESCE);
}

static void thread_stop(void *instance, rtn_server *server)
{
    (void) server;
    come_to(instance, THREAD_STOP);
}

static void stop(void *instance, rtn_server *server)
{
    const struct control *self = instance;
    (void) server;
    come_to(self, STOP);
    if (self->hang != NULL)
        gate_pass(self->hang);
}

static void unload(void *instance)
{
    come_to(instance, UNLOAD);
}

/* Requests */

static int do_stop(rtn_request *request, const char *name, void *instance)
{
    (void) instance;
    return rtn_reply_format(request, 200, "%d %s\n", stop_server(name), rtn_thread_name());
}

static int do_wait(rtn_request *request, const char *name, void *instance)
{
    int result = rtn_server_stop(rtn_server_name(rtn_request_server(request)));
    (void) name;
    (void) instance;
    while (!rtn_stopping())
        rtn_suspend(60000);
    return rtn_reply_format(request, 200, "%d %s\n", result, rtn_thread_name());
}

static void *run_thread(void *data)
{
    char *name = data;
    bool before = rtn_stopping();
    int result = stop_server(name);
    rtn_log(RTN_LOG_NOTICE, "control: a thread stops %s: %d stopping=%d", name, result, before);
    free(name);
    return NULL;
}

static int do_thread(rtn_request *request, const char *name, void *instance)
{
    pthread_t thread;
    char *copy = strdup(name);
    (void) instance;
    if (copy == NULL || pthread_create(&thread, NULL, run_thread, copy) != 0) {
        free(copy);
        return -ENOMEM;
    }
    pthread_join(thread, NULL);
    return rtn_reply_text(request, 200, "joined\n");
}

static int do_stopping(rtn_request *request, const char *name, void *instance)
{
    (void) name;
    (void) instance;
    return rtn_reply_format(request, 200, "%d\n", rtn_stopping());
}

static int run_task(void *data)
{
    const struct control *self = data;
    rtn_log(RTN_LOG_NOTICE, "control %s: task begins", self->name);
    gate_pass(self->until);
    return rtn_stopping();
}

static void task_done(int result, void *data)
{
    const struct control *self = data;
    rtn_log(RTN_LOG_NOTICE, "control %s: task done: %d on \"%s\"", self->name, result, rtn_thread_name());
}

static void on_timer(void *data)
{
    const struct control *self = data;
    rtn_log(RTN_LOG_TRACE, "control %s: timer", self->name);
}

static void timer_ended(void *data)
{
    const struct control *self = data;
    rtn_log(RTN_LOG_NOTICE, "control %s: timer ended", self->name);
}

static int do_task(rtn_request *request, const char *name, void *instance)
{
    rtn_server *server = rtn_request_server(request);
    (void) name;
    return rtn_reply_format(request, 200, "%d\n", rtn_task(server, instance, run_task, task_done, instance));
}

static int do_timer(rtn_request *request, const char *name, void *instance)
{
    rtn_server *server = rtn_request_server(request);
    (void) name;
    return rtn_reply_format(request, 200, "%d\n",
                            rtn_timer_start(server, instance, 1, 1, on_timer, timer_ended, instance, NULL));
}

static const struct {
    const char *name;
    int (*run)(rtn_request *request, const char *server, void *instance);
} actions[] = {
    { "task", do_task }, { "timer", do_timer },   { "stop", do_stop },
    { "wait", do_wait }, { "thread", do_thread }, { "stopping", do_stopping },
};

static int handle(rtn_request *request, void *instance)
{
    rtn_str what = rtn_request_param(request, "what");
    rtn_str server = rtn_request_param(request, "server");
    char name[64];
    (void) snprintf(name, sizeof(name), "%.*s", (int) server.length, server.data);
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strlen(actions[i].name) == what.length && memcmp(actions[i].name, what.data, what.length) == 0)
            return actions[i].run(request, name, instance);
    }
    return RTN_NEXT;
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct control, name, .name = "name", .fallback = "unnamed", .help = "Told in each line."),
    RTN_OPTION(STRING, struct control, server, .name = "server", .fallback = "*", .help = "The one to stop; *: all."),
    RTN_OPTION(CHOICE, struct control, at, .name = "at", .fallback = "nowhere", .choices = places,
               .help = "The hook that stops it."),
    RTN_OPTION(PATH, struct control, hang, .name = "hang", .help = "A file that stop waits for."),
    RTN_OPTION(PATH, struct control, until, .name = "until", .help = "A file that tasks wait for."),
    RTN_OPTION(PATH, struct control, tell, .name = "tell", .help = "A file that hooks append to."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "loop", .handle = handle },
    { .name = "worker", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "control",
    .version = "1.0",
    .summary = "Stops servers.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct control),
    .options = options,
    .http = http_handlers,
    .configure = configure,
    .ready = ready,
    .start = start,
    .thread_stop = thread_stop,
    .quiesce = quiesce,
    .stop = stop,
    .unload = unload,
};
RTN_REGISTER_MODULE(module)
