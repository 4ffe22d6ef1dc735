/*
 * What the WebSocket measurements need of the daemon: echo on a worker, a topic that passes on what one of its
 * subscribers says, and a client that sends back and forth. GET tells how many messages the clients have got back.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include <retinue/module.h>

#define TOPIC "bench"

struct ws_bench {
    int64_t trips;
};

/* Of all instances: who asks is another one than who counts. */
static _Atomic int64_t trips_done;

static const char text[] = "{\"kind\": \"measure\", \"text\": \"The quick brown fox jumps over the lazy dog.\", "
                           "\"number\": 1234567890123}";

/* What a peer that has gone did not get is no error. */
static int outcome(int r)
{
    return r > 0 || r == -ENOENT || r == -ENOTCONN || r == -ENOBUFS ? 0 : r;
}

static int echo(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    (void) instance;
    return outcome(rtn_ws_send(rtn_connection_id(connection), type, data, length));
}

static int subscribe(rtn_connection *connection, void *instance)
{
    (void) instance;
    return outcome(rtn_subscribe(rtn_connection_id(connection), TOPIC));
}

static int publish(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    (void) connection;
    (void) instance;
    return rtn_publish(TOPIC, type, data, length, 0);
}

static int send_first(rtn_connection *connection, void *instance)
{
    (void) instance;
    return outcome(rtn_ws_send_text(rtn_connection_id(connection), text));
}

/* The connection's data is how many trips it has made. */
static int send_next(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    const struct ws_bench *self = instance;
    intptr_t done = (intptr_t) rtn_connection_data(connection) + 1;
    atomic_fetch_add_explicit(&trips_done, 1, memory_order_relaxed);
    int r = rtn_connection_set_data(connection, (void *) done, NULL);
    if (r < 0 || done == self->trips)
        return r;
    return outcome(rtn_ws_send(rtn_connection_id(connection), type, data, length));
}

static int tell_trips(rtn_request *request, void *instance)
{
    char number[32];
    (void) instance;
    (void) snprintf(number, sizeof(number), "%lld\n", (long long) atomic_load(&trips_done));
    return rtn_reply_text(request, 200, number);
}

static const struct rtn_option options[] = {
    RTN_OPTION(INT, struct ws_bench, trips, .name = "trips", .fallback = "0", .min = 0, .max = 1000000000,
               .help = "Of the handler client: messages that each of them sends. 0: no end."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "trips", .summary = "Tells how many trips were made.", .handle = tell_trips, .methods = RTN_METHOD_GET },
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "worker", .summary = "Echo on a worker.", .threads = RTN_THREADS_PARALLEL, .message = echo },
    { .name = "topic", .summary = "Passes on to all.", .open = subscribe, .message = publish },
    { .name = "client", .summary = "Sends back and forth.", .open = send_first, .message = send_next },
    { 0 },
};

static const struct rtn_module module = {
    .name = "ws_bench",
    .version = "1.0",
    .summary = "What the WebSocket measurements need.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct ws_bench),
    .options = options,
    .http = http_handlers,
    .websocket = ws_handlers,
};
RTN_REGISTER_MODULE(module)
