/*
 * Handlers that do not come back before a test opens their gate ("until: PATH"), on a loop and on workers, before and
 * in the middle of their replies; and one that ends the process. What their last call returned is in the log.
 */
#include <string.h>

#include <retinue/module.h>

#include "gate.h"

struct stalls {
    const char *until; /* NULL: nothing is waited for */
};

static int quick(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_text(request, 200, "quick\n");
}

/* By this name it is looked for in the backtrace. */
__attribute__((noinline)) static void stalls_spin(const struct stalls *stalls)
{
    struct timespec now;
    while (access(stalls->until, F_OK) != 0)
        (void) clock_gettime(CLOCK_MONOTONIC, &now); /* where the thread sanitizer delivers signals */
    __asm__ volatile("");
}

static int spin(rtn_request *request, void *instance)
{
    stalls_spin(instance);
    return rtn_reply_text(request, 200, "spun\n");
}

static int note(const char *what, int result)
{
    rtn_log(RTN_LOG_NOTICE, "stalls: %s returned %s", what, result < 0 ? strerror(-result) : "0");
    return result;
}

static int hold(rtn_request *request, void *instance)
{
    const struct stalls *stalls = instance;
    rtn_log(RTN_LOG_NOTICE, "stalls: hold begins");
    gate_pass(stalls->until);
    rtn_log(RTN_LOG_NOTICE, "stalls: gone %d", rtn_request_gone(request));
    return note("hold", rtn_reply_text(request, 200, "held\n"));
}

static int blocked(rtn_request *request, void *instance)
{
    const struct stalls *stalls = instance;
    rtn_block_begin();
    gate_pass(stalls->until);
    rtn_block_end();
    return note("blocked", rtn_reply_text(request, 200, "held\n"));
}

static int begin(rtn_request *request, void *instance)
{
    const struct stalls *stalls = instance;
    (void) rtn_reply_begin(request, 200, -1);
    (void) rtn_reply_write(request, "first\n", 6);
    (void) rtn_reply_flush(request);
    gate_pass(stalls->until);
    int r = rtn_reply_write(request, "second\n", 7);
    return note("write", r == 0 ? rtn_reply_flush(request) : r);
}

static int take_body(rtn_request *request, const void *data, size_t length, void *instance)
{
    const struct stalls *stalls = instance;
    (void) request;
    (void) data;
    (void) length;
    gate_pass(stalls->until);
    return RTN_DONE;
}

static int end_body(rtn_request *request, void *instance)
{
    (void) instance;
    return note("upload", rtn_reply_text(request, 200, "taken\n"));
}

static int crash(rtn_request *request, void *instance)
{
    (void) instance;
    volatile int *nowhere = (volatile int *) rtn_request_data(request);
    return *nowhere;
}

static int on_message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length,
                      void *instance)
{
    const struct stalls *stalls = instance;
    gate_pass(stalls->until);
    return rtn_ws_send(rtn_connection_id(connection), type, data, length);
}

static const struct rtn_option options[] = {
    RTN_OPTION(PATH, struct stalls, until, .name = "until", .help = "A file: a call takes until it is there."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "quick", .handle = quick },
    { .name = "quick-worker", .handle = quick, .threads = RTN_THREADS_PARALLEL },
    { .name = "spin", .handle = spin },
    { .name = "hold", .handle = hold, .threads = RTN_THREADS_PARALLEL },
    { .name = "serial", .handle = hold, .threads = RTN_THREADS_SERIAL },
    { .name = "blocked", .handle = blocked, .threads = RTN_THREADS_PARALLEL },
    { .name = "begin", .handle = begin, .threads = RTN_THREADS_PARALLEL },
    { .name = "upload",
      .methods = RTN_METHOD_POST,
      .body = take_body,
      .handle = end_body,
      .threads = RTN_THREADS_PARALLEL },
    { .name = "crash", .handle = crash, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "echo", .message = on_message, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "stalls",
    .version = "1.0",
    .summary = "Does not come back.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct stalls),
    .options = options,
    .http = http_handlers,
    .websocket = ws_handlers,
};
RTN_REGISTER_MODULE(module)
