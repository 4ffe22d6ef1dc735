/*
 * For reloads: says which edition it is of (a file of the module is swapped for one of another edition), in answers to
 * requests, WebSocket messages and lines, and in the log at each step of its life; `fail` makes one step fail. /count
 * counts up for as long as the instance lives, /wait waits for the file `until` on a worker or, by "halt", on the loop,
 * and so do the start hook with `hold` and the quiesce hook with `linger`. With `tick` a timer counts, too.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <retinue/module.h>

#include "gate.h"

enum step { NEVER, CONFIGURE, READY, START, THREAD_START };
static const char *const steps[] = { "never", "configure", "ready", "start", "thread_start", NULL };

struct remake {
    const char *name;
    int fail;
    const char *until;
    bool tick;
    bool hold;
    bool linger;
    atomic_uint count;
    atomic_uint ticks;
};

static void tell(const struct remake *self, const char *step)
{
    rtn_log(RTN_LOG_NOTICE, "remake %s %s: %s", EDITION, self->name, step);
}

static int configure(void *instance, rtn_setup *setup)
{
    const struct remake *self = instance;
    tell(self, "configure");
    return self->fail == CONFIGURE ? rtn_setup_error(setup, "fail", "told to fail") : 0;
}

static int ready(void *instance, rtn_setup *setup)
{
    const struct remake *self = instance;
    tell(self, "ready");
    return self->fail == READY ? rtn_setup_error(setup, NULL, "told to fail") : 0;
}

static void on_tick(void *data)
{
    struct remake *self = data;
    self->ticks++;
}

static void on_tick_end(void *data)
{
    tell(data, "timer ended");
}

static int start(void *instance, rtn_server *server)
{
    struct remake *self = instance;
    tell(self, "start");
    if (self->hold)
        gate_pass(self->until);
    if (self->fail == START)
        return -EIO;
    return self->tick ? rtn_timer_start(server, self, 10, 10, on_tick, on_tick_end, self, NULL) : 0;
}

static int thread_start(void *instance, rtn_server *server)
{
    const struct remake *self = instance;
    (void) server;
    tell(self, "thread_start");
    return self->fail == THREAD_START ? -EIO : 0;
}

static void thread_stop(void *instance, rtn_server *server)
{
    (void) server;
    tell(instance, "thread_stop");
}

static void quiesce(void *instance, rtn_server *server)
{
    const struct remake *self = instance;
    (void) server;
    tell(self, "quiesce");
    if (self->linger)
        gate_pass(self->until);
}

static void stop(void *instance, rtn_server *server)
{
    (void) server;
    tell(instance, "stop");
}

static void unload(void *instance)
{
    tell(instance, "unload");
}

/* "one a 3 ticks=0" */
static int answer(rtn_request *request, struct remake *self)
{
    return rtn_reply_format(request, 200, "%s %s %u ticks=%u\n", EDITION, self->name, atomic_load(&self->count),
                            atomic_load(&self->ticks));
}

static int handle(rtn_request *request, void *instance)
{
    struct remake *self = instance;
    self->count++;
    return answer(request, self);
}

static int wait_for(rtn_request *request, void *instance)
{
    struct remake *self = instance;
    tell(self, "waits");
    gate_pass(self->until);
    return answer(request, self);
}

static int on_message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length,
                      void *instance)
{
    const struct remake *self = instance;
    char text[256];
    (void) type;
    (void) snprintf(text, sizeof(text), "%s %s: %.*s", EDITION, self->name, (int) length, (const char *) data);
    return rtn_ws_send_text(rtn_connection_id(connection), text);
}

static int on_line(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    const struct remake *self = instance;
    (void) length;
    return rtn_line_send_format(rtn_connection_id(connection), "%s %s: %s", EDITION, self->name, line);
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct remake, name, .name = "name", .fallback = "it", .help = "Told in each line."),
    RTN_OPTION(CHOICE, struct remake, fail, .name = "fail", .fallback = "never", .choices = steps,
               .help = "The step that fails."),
    RTN_OPTION(PATH, struct remake, until, .name = "until", .help = "What the handler \"wait\" waits for."),
    RTN_OPTION(BOOL, struct remake, hold, .name = "hold", .fallback = "false", .help = "Its start waits for the same."),
    RTN_OPTION(BOOL, struct remake, linger, .name = "linger", .fallback = "false", .help = "So does its quiesce."),
    RTN_OPTION(BOOL, struct remake, tick, .name = "tick", .fallback = "false", .help = "A timer runs."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "count", .handle = handle },
    { .name = "worker", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { .name = "wait", .handle = wait_for, .threads = RTN_THREADS_PARALLEL },
    { .name = "halt", .handle = wait_for },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "talk", .message = on_message },
    { .name = "work", .message = on_message, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_line_handler line_handlers[] = {
    { .name = "line", .line = on_line },
    { 0 },
};

static const struct rtn_module module = {
    .name = "remake",
    .version = EDITION,
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct remake),
    .options = options,
    .http = http_handlers,
    .websocket = ws_handlers,
    .line = line_handlers,
    .configure = configure,
    .ready = ready,
    .start = start,
    .thread_start = thread_start,
    .thread_stop = thread_stop,
    .quiesce = quiesce,
    .stop = stop,
    .unload = unload,
};
RTN_REGISTER_MODULE(module)
