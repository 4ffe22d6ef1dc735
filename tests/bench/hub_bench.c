/*
 * What the hub measurements need of the daemon: servers that send, from their loops or workers, and one that receives.
 * /begin/WHAT/FROM/SENDERS/SIZE/WINDOW/COUNT has them begin, /end stops them. WHAT is one of `ways`, with
 * "-paced" one at a time and then a pause; FROM is loop or worker; WINDOW of questions or pairs are under way at a
 * time; COUNT is per sender, 0: no end. /tell says how many came, and the latencies: from the call to the handler, to
 * then(), or, of pairs, to the handler of the message that comes back. At full speed few are stamped, so that what is
 * measured is the hub and not the clock.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

#include "hub_ways.h"

#define BATCH 128 /* messages of a loop until it hears of the last */

/* Receiving */

static int on_bytes(rtn_message *message, const void *data, size_t length, void *instance)
{
    int64_t stamp;
    (void) message;
    (void) length;
    (void) instance;
    memcpy(&stamp, data, sizeof(stamp));
    came(stamp);
    return RTN_DONE;
}

static int on_small(rtn_message *message, const struct small *small, void *instance)
{
    const struct small answer = { .stamp = small->stamp };
    (void) instance;
    return rtn_answer_bench_small(rtn_message_asked(message), &answer);
}

static int on_middle(rtn_message *message, const struct middle *middle, void *instance)
{
    const struct small answer = { .stamp = middle->stamp };
    (void) instance;
    return rtn_answer_bench_middle(rtn_message_asked(message), &answer);
}

static int on_large(rtn_message *message, const struct large *large, void *instance)
{
    const struct small answer = { .stamp = large->stamp };
    (void) instance;
    return rtn_answer_bench_large(rtn_message_asked(message), &answer);
}

static int on_out(rtn_message *message, const struct small *small, void *instance)
{
    (void) message;
    (void) instance;
    return rtn_send_bench_back(small);
}

static int on_back(rtn_message *message, const struct small *small, void *instance)
{
    (void) message;
    come_back(instance, small->stamp);
    return RTN_DONE;
}

/* Sending */

static bool window_is_full(struct hub_bench *self)
{
    uint64_t over = atomic_load_explicit(&self->over, memory_order_relaxed);
    return command.way->returns && self->begun - over >= (command.paced ? 1 : command.window);
}

static int run_worker(void *data)
{
    struct hub_bench *self = data;
    while (goes_on(self)) {
        if (window_is_full(self) || send_one(self) == -EAGAIN)
            (void) sched_yield();
        else if (command.paced)
            (void) nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    }
    return 0;
}

static void send_batch(struct hub_bench *self);

/* The handler was there with the last of a batch. */
static void on_batch(int result, const struct small *answer, void *data)
{
    struct hub_bench *self = data;
    (void) answer;
    self->batches--;
    if (result == 0 && goes_on(self))
        send_batch(self);
}

/* A question behind them tells when the handler has had them all; when it does not fit, the timer goes on. */
static void send_batch(struct hub_bench *self)
{
    const struct small last = { 0 };
    for (unsigned i = 0; i < BATCH && goes_on(self); i++) {
        if (send_one(self) < 0)
            break;
    }
    self->batches += rtn_ask_bench_small(self->server, self, &last, 60000, on_batch, self) == 0 ? 1 : 0;
}

static void go_on(struct hub_bench *self)
{
    if (command.way->returns) {
        while (!window_is_full(self) && goes_on(self) && send_one(self) == 0)
            ;
        return;
    }
    for (unsigned i = self->batches; i < 2 && goes_on(self); i++)
        send_batch(self);
}

/* Looks every millisecond for something to do. */
static void on_time(void *data)
{
    struct hub_bench *self = data;
    unsigned current = atomic_load(&generation);
    if (current % 2 != 0 || self->number > command.senders)
        return;
    bool begins = self->generation != current;
    if (begins) {
        self->generation = current;
        self->sent = 0;
    }
    if (command.worker && begins)
        (void) rtn_task(self->server, self, run_worker, NULL, self);
    else if (!command.worker && command.paced && goes_on(self))
        (void) send_one(self);
    else if (!command.worker)
        go_on(self);
}

/* Control */

static int begin(rtn_request *request, void *instance)
{
    char path[128];
    char what[16];
    char from[16];
    unsigned size;
    long long count;
    (void) instance;
    (void) snprintf(path, sizeof(path), "%.*s", RTN_STR_ARG(rtn_request_param(request, "*")));
    if (sscanf(path, "%15[^/]/%15[^/]/%u/%u/%u/%lld", what, from, &command.senders, &size, &command.window, &count) !=
        6)
        return -EINVAL;
    char *paced = strstr(what, "-paced");
    command.paced = paced != NULL;
    if (paced != NULL)
        *paced = '\0';
    command.way = find_way(what);
    if (command.way == NULL)
        return -EINVAL;
    command.worker = strcmp(from, "worker") == 0;
    command.size = size;
    command.count = count;
    latency_clear();
    atomic_store(&done, 0);
    atomic_fetch_add(&generation, 1);
    return rtn_reply_status(request, 204);
}

static int end(rtn_request *request, void *instance)
{
    (void) instance;
    atomic_fetch_add(&generation, 1);
    return rtn_reply_status(request, 204);
}

static int tell(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_format(request, 200, "%lld %lld %lld", (long long) atomic_load(&done),
                            (long long) latency_quantile(0.5), (long long) latency_quantile(0.99));
}

static int start(void *instance, rtn_server *server)
{
    struct hub_bench *self = instance;
    self->server = server;
    self->generation = 1;
    if (self->number == 0)
        return 0;
    self->payload = calloc(1, LARGEST);
    return self->payload != NULL ? rtn_timer_start(server, self, 1, 1, on_time, NULL, self, NULL) : -ENOMEM;
}

static void unload(void *instance)
{
    const struct hub_bench *self = instance;
    free(self->payload);
}

static const struct rtn_option options[] = {
    RTN_OPTION(INT, struct hub_bench, number, .name = "number", .fallback = "0", .help = "Of a sender, from 1."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "begin", .handle = begin },
    { .name = "end", .handle = end },
    { .name = "tell", .handle = tell },
    { 0 },
};

static const struct rtn_message_row rows[] = { RTN_ON(bench_bytes, on_bytes),   RTN_ON(bench_small, on_small),
                                               RTN_ON(bench_middle, on_middle), RTN_ON(bench_large, on_large),
                                               RTN_ON(bench_out, on_out),       { 0 } };

static const struct rtn_message_row back_rows[] = { RTN_ON(bench_back, on_back), { 0 } };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "loop", .on = rows },
    { .name = "back", .on = back_rows },
    { 0 },
};

static struct rtn_message_type *const sends[] = { RTN_TYPE(bench_bytes),
                                                  RTN_TYPE(bench_small),
                                                  RTN_TYPE(bench_middle),
                                                  RTN_TYPE(bench_large),
                                                  RTN_TYPE(bench_out),
                                                  RTN_TYPE(bench_back),
                                                  NULL };

static const struct rtn_module module = {
    .name = "hub_bench",
    .version = "1.0",
    .summary = "What the hub measurements need.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct hub_bench),
    .options = options,
    .http = http_handlers,
    .start = start,
    .unload = unload,
    .messages = message_handlers,
    .sends = sends,
};
RTN_REGISTER_MODULE(module)
