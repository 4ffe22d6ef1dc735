/*
 * Outgoing connections that do round trips: once all `clients` are open, each sends a message, waits for its echo, and
 * sends the next, `rounds` times. The log tells when all are done, and at the end how they were closed.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

struct trips {
    int64_t clients;
    int64_t rounds;
    atomic_llong open, done, wrong, closed, going_away;
};

struct trip {
    int64_t round;
};

static int send_round(rtn_connection *connection, const struct trip *trip)
{
    char text[64];
    uint64_t id = rtn_connection_id(connection);
    (void) snprintf(text, sizeof(text), "%llu: %lld", (unsigned long long) id, (long long) trip->round);
    int r = rtn_ws_send_text(id, text);
    return r < 0 ? r : 0;
}

/* The last one that opens starts them all. */
static int start_all(struct trips *self, rtn_server *server)
{
    size_t capacity = (size_t) self->clients;
    uint64_t *ids = calloc(capacity, sizeof(*ids));
    if (ids == NULL)
        return -ENOMEM;
    size_t count = rtn_ws_connections(server, RTN_WS_OUTGOING, ids, capacity);
    rtn_log(RTN_LOG_NOTICE, "trips: %zu connections are open", count);
    int64_t failed = rtn_ws_send_many(ids, count < capacity ? count : capacity, RTN_WS_TEXT, "start", 5, NULL);
    free(ids);
    return failed == 0 ? 0 : -EIO;
}

static int opened(rtn_connection *connection, void *instance)
{
    struct trips *self = instance;
    struct trip *trip = calloc(1, sizeof(*trip));
    if (trip == NULL || rtn_connection_set_data(connection, trip, free) < 0) {
        free(trip);
        return -ENOMEM;
    }
    if (atomic_fetch_add(&self->open, 1) + 1 < self->clients)
        return 0;
    return start_all(self, rtn_connection_server(connection));
}

static bool is_expected(rtn_connection *connection, const struct trip *trip, const void *data, size_t length)
{
    char text[64] = "start";
    if (trip->round > 0)
        (void) snprintf(text, sizeof(text), "%llu: %lld", (unsigned long long) rtn_connection_id(connection),
                        (long long) trip->round);
    return strlen(text) == length && memcmp(text, data, length) == 0;
}

static int message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    struct trips *self = instance;
    struct trip *trip = rtn_connection_data(connection);
    (void) type;
    if (!is_expected(connection, trip, data, length))
        atomic_fetch_add(&self->wrong, 1);
    if (trip->round > 0 && atomic_fetch_add(&self->done, 1) + 1 == self->clients * self->rounds)
        rtn_log(RTN_LOG_NOTICE, "trips: done=%lld wrong=%lld", self->done, self->wrong);
    if (trip->round == self->rounds)
        return 0;
    trip->round++;
    return send_round(connection, trip);
}

static void closed(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance)
{
    struct trips *self = instance;
    (void) connection;
    if (!how->opened) {
        rtn_log(RTN_LOG_ERROR, "trips: not opened: %s", how->detail != NULL ? how->detail : "");
        return;
    }
    atomic_fetch_add(&self->closed, 1);
    if (how->code == 1001)
        atomic_fetch_add(&self->going_away, 1);
}

static void stop(void *instance, rtn_server *server)
{
    const struct trips *self = instance;
    (void) server;
    rtn_log(RTN_LOG_NOTICE, "trips: open=%lld closed=%lld going_away=%lld", self->open, self->closed, self->going_away);
}

static const struct rtn_option options[] = {
    RTN_OPTION(INT, struct trips, clients, .name = "clients", .required = true, .min = 1, .max = 1000000,
               .help = "How many there are."),
    RTN_OPTION(INT, struct trips, rounds, .name = "rounds", .fallback = "10", .min = 1, .max = 1000000,
               .help = "Round trips of each."),
    { 0 },
};

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "trips", .open = opened, .message = message, .close = closed },
    { 0 },
};

static const struct rtn_module module = {
    .name = "ws_trips",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct trips),
    .options = options,
    .websocket = ws_handlers,
    .stop = stop,
};
RTN_REGISTER_MODULE(module)
