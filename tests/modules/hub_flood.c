/*
 * Many small messages: /begin/SENDERS/COUNT has so many workers send COUNT each, again and again while the queue is
 * full; /turn/COUNT has the loop itself send, a batch in each turn of a timer. The handler looks at the order of each
 * sender. /tell says what was sent, refused, handled, and out of order.
 */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <retinue/module.h>

#define MOST_SENDERS 16
#define BATCH 256

struct flood {
    uint32_t sender;
    uint32_t check;
    int64_t number;
};

RTN_MESSAGE(flood, struct flood)

static struct {
    _Atomic int64_t sent;
    _Atomic int64_t refused;
    _Atomic int64_t failed;
    _Atomic int64_t handled;
    _Atomic int64_t disorders;
    atomic_int running; /* workers that send */
} counts;
static int64_t expected[MOST_SENDERS]; /* the receiver's */

struct sender {
    int64_t count;
    struct flood next;
    rtn_number timer;
};
static struct sender senders[MOST_SENDERS];

static void add(_Atomic int64_t *count)
{
    atomic_fetch_add_explicit(count, 1, memory_order_relaxed);
}

static int take(rtn_message *message, const struct flood *flood, void *instance)
{
    (void) message;
    (void) instance;
    if (flood->sender >= MOST_SENDERS || flood->check != (uint32_t) ~flood->number ||
        flood->number != expected[flood->sender]++)
        add(&counts.disorders);
    add(&counts.handled);
    return RTN_DONE;
}

/* As rtn_send(). */
static int send_next(struct sender *sender)
{
    sender->next.check = (uint32_t) ~sender->next.number;
    int r = rtn_send_flood(&sender->next);
    if (r == 0)
        sender->next.number++;
    add(r == 0 ? &counts.sent : r == -EAGAIN ? &counts.refused : &counts.failed);
    return r;
}

static int run(void *data)
{
    struct sender *sender = data;
    while (sender->next.number < sender->count && !rtn_stopping()) {
        int r = send_next(sender);
        if (r == -EAGAIN)
            (void) sched_yield();
        else if (r < 0)
            break;
    }
    atomic_fetch_sub(&counts.running, 1);
    return 0;
}

static int64_t number_of(rtn_request *request, const char *name)
{
    char text[32];
    (void) snprintf(text, sizeof(text), "%.*s", RTN_STR_ARG(rtn_request_param(request, name)));
    return strtoll(text, NULL, 10);
}

static int begin(rtn_request *request, void *instance)
{
    int64_t count = number_of(request, "senders");
    if (count > MOST_SENDERS)
        return -EINVAL;
    for (uint32_t i = 0; i < count; i++) {
        senders[i].count += number_of(request, "count"); /* numbers go on */
        senders[i].next.sender = i;
        atomic_fetch_add(&counts.running, 1);
        int r = rtn_task(rtn_request_server(request), instance, run, NULL, &senders[i]);
        if (r < 0)
            return r;
    }
    return rtn_reply_status(request, 204);
}

static void send_batch(void *data)
{
    struct sender *sender = data;
    for (int i = 0; i < BATCH && sender->next.number < sender->count; i++) {
        if (send_next(sender) < 0)
            break;
    }
    if (sender->next.number >= sender->count)
        (void) rtn_cancel(sender->timer);
}

static int turn(rtn_request *request, void *instance)
{
    struct sender *sender = &senders[MOST_SENDERS - 1];
    *sender = (struct sender){ .count = number_of(request, "count"), .next = { .sender = MOST_SENDERS - 1 } };
    int r = rtn_timer_start(rtn_request_server(request), instance, 0, 1, send_batch, NULL, sender, &sender->timer);
    return r < 0 ? r : rtn_reply_status(request, 204);
}

static int tell(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_format(request, 200, "sent=%lld refused=%lld failed=%lld handled=%lld disorders=%lld running=%d",
                            (long long) atomic_load(&counts.sent), (long long) atomic_load(&counts.refused),
                            (long long) atomic_load(&counts.failed), (long long) atomic_load(&counts.handled),
                            (long long) atomic_load(&counts.disorders), atomic_load(&counts.running));
}

static const struct rtn_message_row rows[] = { RTN_ON(flood, take), { 0 } };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "loop", .on = rows },
    { .name = "serial", .threads = RTN_THREADS_SERIAL, .on = rows },
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "begin", .handle = begin },
    { .name = "turn", .handle = turn },
    { .name = "tell", .handle = tell },
    { 0 },
};

static struct rtn_message_type *const sends[] = { RTN_TYPE(flood), NULL };

static const struct rtn_module module = {
    .name = "hub_flood",
    .version = "1.0",
    .summary = "Sends as many messages as it is told.",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
    .messages = message_handlers,
    .sends = sends,
};
RTN_REGISTER_MODULE(module)
