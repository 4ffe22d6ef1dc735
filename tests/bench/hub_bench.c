/*
 * What the hub measurements need of the daemon: servers that send, from their loops or workers, and one that receives.
 * POST /begin/WHAT/FROM/SENDERS/SIZE/COUNT has them begin: WHAT is send, move or ask, with "-paced" one at a time and
 * then a pause; FROM is loop or worker; COUNT is per sender, 0: no end. /tell says how many came, and the latencies:
 * from the call to the handler, or to then().
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <retinue/module.h>

#define BATCH 128 /* messages of a loop until it hears of the last */
#define WINDOW 64 /* questions under way */
#define LARGEST (1 << 20)
#define SLOTS 1024 /* of the histogram: 16 for each power of two */

struct small {
    int64_t stamp;
    char rest[8];
};
struct middle {
    int64_t stamp;
    char rest[1016];
};
struct large {
    int64_t stamp;
    char rest[LARGEST - 8];
};

RTN_MESSAGE_BYTES(bench_bytes)
RTN_QUESTION(bench_small, struct small, struct small)
RTN_QUESTION(bench_middle, struct middle, struct small)
RTN_QUESTION(bench_large, struct large, struct small)

struct hub_bench {
    int64_t number; /* of the sender, from 1; 0: none */
    rtn_server *server;
    unsigned generation; /* of the command that it does */
    atomic_uint waiting; /* questions under way */
    unsigned batches; /* under way */
    int64_t sent;
    char *payload;
};

static struct {
    char what[16];
    bool paced;
    bool worker;
    unsigned senders;
    size_t size;
    int64_t count;
} command;
static atomic_uint generation = 1; /* of the command; odd: there is none */
static atomic_uint slots[SLOTS];
static _Atomic int64_t done;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static unsigned slot_of(int64_t ns)
{
    if (ns < 16)
        return (unsigned) (ns < 0 ? 0 : ns);
    unsigned power = 63u - (unsigned) __builtin_clzll((unsigned long long) ns);
    unsigned slot = (power - 3) * 16 + (unsigned) (ns >> (power - 4) & 15);
    return slot < SLOTS ? slot : SLOTS - 1;
}

/* The least that falls into it. */
static int64_t value_of(unsigned slot)
{
    return slot < 16 ? slot : (INT64_C(16) + slot % 16) << (slot / 16 - 1);
}

static void came(int64_t stamp)
{
    atomic_fetch_add_explicit(&slots[slot_of(now() - stamp)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&done, 1, memory_order_relaxed);
}

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

/* Sending */

static bool goes_on(const struct hub_bench *self)
{
    return atomic_load(&generation) == self->generation && (command.count == 0 || self->sent < command.count);
}

static void keep_payload(void *data)
{
    (void) data;
}

/* The payload of a message that is moved may be overwritten by the next: only its stamp counts. */
static int send_one(struct hub_bench *self)
{
    int64_t stamp = now();
    memcpy(self->payload, &stamp, sizeof(stamp));
    int r = strcmp(command.what, "move") == 0 ? rtn_move_bench_bytes(self->payload, command.size, keep_payload, NULL)
                                              : rtn_send_bench_bytes(self->payload, command.size);
    self->sent += r == 0 ? 1 : 0;
    return r;
}

static void on_answer(int result, const struct small *answer, void *data);

static int ask_one(struct hub_bench *self)
{
    void *payload = self->payload;
    *(int64_t *) payload = now();
    int r = -EINVAL;
    if (command.size == sizeof(struct small))
        r = rtn_ask_bench_small(self->server, self, payload, 60000, on_answer, self);
    else if (command.size == sizeof(struct middle))
        r = rtn_ask_bench_middle(self->server, self, payload, 60000, on_answer, self);
    else if (command.size == sizeof(struct large))
        r = rtn_ask_bench_large(self->server, self, payload, 60000, on_answer, self);
    if (r < 0)
        return r;
    self->sent++;
    atomic_fetch_add(&self->waiting, 1);
    return 0;
}

static void on_answer(int result, const struct small *answer, void *data)
{
    struct hub_bench *self = data;
    atomic_fetch_sub(&self->waiting, 1);
    if (result < 0)
        return;
    came(answer->stamp);
    if (!command.worker && !command.paced && goes_on(self))
        (void) ask_one(self);
}

static bool asks(void)
{
    return strcmp(command.what, "ask") == 0;
}

static int run_worker(void *data)
{
    struct hub_bench *self = data;
    while (goes_on(self)) {
        if (asks() && atomic_load(&self->waiting) >= (command.paced ? 1 : WINDOW)) {
            (void) sched_yield();
            continue;
        }
        if ((asks() ? ask_one(self) : send_one(self)) == -EAGAIN)
            (void) sched_yield();
        if (command.paced)
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
    if (asks()) {
        while (atomic_load(&self->waiting) < WINDOW && goes_on(self) && ask_one(self) == 0)
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
        (void) (asks() ? ask_one(self) : send_one(self));
    else if (!command.worker)
        go_on(self);
}

/* Control */

static int begin(rtn_request *request, void *instance)
{
    char path[128];
    char from[16];
    unsigned size;
    long long count;
    (void) instance;
    (void) snprintf(path, sizeof(path), "%.*s", RTN_STR_ARG(rtn_request_param(request, "*")));
    if (sscanf(path, "%15[^/]/%15[^/]/%u/%u/%lld", command.what, from, &command.senders, &size, &count) != 5)
        return -EINVAL;
    char *paced = strstr(command.what, "-paced");
    command.paced = paced != NULL;
    if (paced != NULL)
        *paced = '\0';
    command.worker = strcmp(from, "worker") == 0;
    command.size = size;
    command.count = count;
    for (unsigned i = 0; i < SLOTS; i++)
        atomic_store(&slots[i], 0);
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

static int64_t quantile(double part)
{
    uint64_t total = 0;
    uint64_t seen = 0;
    for (unsigned i = 0; i < SLOTS; i++)
        total += atomic_load(&slots[i]);
    for (unsigned i = 0; i < SLOTS; i++) {
        seen += atomic_load(&slots[i]);
        if ((double) seen >= part * (double) total)
            return value_of(i);
    }
    return 0;
}

static int tell(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_format(request, 200, "%lld %lld %lld", (long long) atomic_load(&done), (long long) quantile(0.5),
                            (long long) quantile(0.99));
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

static const struct rtn_message_row rows[] = { RTN_ON(bench_bytes, on_bytes),
                                               RTN_ON(bench_small, on_small),
                                               RTN_ON(bench_middle, on_middle),
                                               RTN_ON(bench_large, on_large),
                                               { 0 } };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "loop", .on = rows },
    { 0 },
};

static struct rtn_message_type *const sends[] = { RTN_TYPE(bench_bytes), RTN_TYPE(bench_small), RTN_TYPE(bench_middle),
                                                  RTN_TYPE(bench_large), NULL };

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
