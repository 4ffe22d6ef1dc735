/*
 * Handlers on the loop that do what is allowed and seldom done: send in open and in drain as much as is taken, send
 * what others send to at the same time, connect and close at once. The log tells what came of it.
 */
#include <stdio.h>
#include <string.h>

#include <retinue/module.h>

#include "gate.h"

#define ROUNDS 5 /* of filling up what has drained */

struct edges {
    rtn_server *server;
    bool inside; /* a callback of the connection runs: tests have one at a time */
    int rounds;
};

static void enter(struct edges *edges, const char *callback)
{
    if (edges->inside)
        rtn_log(RTN_LOG_ERROR, "edges: %s inside of another callback", callback);
    edges->inside = true;
}

static int leave(struct edges *edges, int result)
{
    edges->inside = false;
    return result;
}

/* Until something has to wait, or is refused. */
static void fill(uint64_t id)
{
    static const char block[1000];
    while (rtn_ws_send(id, RTN_WS_BINARY, block, sizeof(block)) == RTN_WS_SENT)
        continue;
}

static int pump_open(rtn_connection *connection, void *instance)
{
    struct edges *edges = instance;
    enter(edges, "open");
    edges->rounds = 0;
    fill(rtn_connection_id(connection));
    return leave(edges, 0);
}

static void pump_drain(rtn_connection *connection, void *instance)
{
    struct edges *edges = instance;
    enter(edges, "drain");
    if (++edges->rounds < ROUNDS)
        fill(rtn_connection_id(connection));
    (void) leave(edges, 0);
}

static int pump_message(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length,
                        void *instance)
{
    enter(instance, "message");
    (void) rtn_ws_send(rtn_connection_id(connection), type, data, length);
    return leave(instance, 0);
}

/* "PATH": holds the loop up until that file is there, and answers then. */
static int hold(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    char path[300];
    (void) type;
    (void) instance;
    (void) snprintf(path, sizeof(path), "%.*s", (int) length, (const char *) data);
    rtn_log(RTN_LOG_NOTICE, "edges: holds id=%llu", (unsigned long long) rtn_connection_id(connection));
    gate_pass(path);
    int r = rtn_ws_send_text(rtn_connection_id(connection), "held");
    rtn_log(RTN_LOG_NOTICE, "edges: sent %d", r);
    return 0;
}

/* "URL": connects to it and closes before anything has happened. */
static int haste(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    struct edges *edges = instance;
    const struct rtn_ws_options options = { .struct_size = sizeof(options) };
    char url[200];
    uint64_t id = 0;
    (void) snprintf(url, sizeof(url), "%.*s", (int) length, (const char *) data);
    int connected = rtn_ws_connect(edges->server, url, &options, "haste", edges, &id);
    int closed = rtn_ws_close(id, 1000, "no need");
    (void) snprintf(url, sizeof(url), "%d %d %d", connected, closed, rtn_ws_is_open(id));
    return rtn_ws_send(rtn_connection_id(connection), type, url, strlen(url)) < 0 ? -1 : 0;
}

static void closed(rtn_connection *connection, const struct rtn_ws_closed *how, void *instance)
{
    (void) connection;
    (void) instance;
    rtn_log(RTN_LOG_NOTICE, "edges: close cause=%d code=%d opened=%d detail=(%s)", how->cause, how->code, how->opened,
            how->detail != NULL ? how->detail : "");
}

static int start(void *instance, rtn_server *server)
{
    ((struct edges *) instance)->server = server;
    return 0;
}

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "pump", .open = pump_open, .message = pump_message, .drain = pump_drain, .close = closed },
    { .name = "hold", .message = hold, .close = closed },
    { .name = "haste", .message = haste, .close = closed },
    { 0 },
};

static const struct rtn_module module = {
    .name = "ws_edges",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct edges),
    .websocket = ws_handlers,
    .start = start,
};
RTN_REGISTER_MODULE(module)
