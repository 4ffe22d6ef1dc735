/* One WebSocket handler and nothing else. */
#include <retinue/module.h>

static int take(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    (void) connection;
    (void) type;
    (void) data;
    (void) length;
    (void) instance;
    return 0;
}

static const struct rtn_ws_handler ws_handlers[] = {
    { .name = "only", .summary = "Takes what comes.", .message = take },
    { 0 },
};

static const struct rtn_module module = {
    .name = "ws_only",
    .threads = RTN_THREADS_LOOP,
    .websocket = ws_handlers,
};
RTN_REGISTER_MODULE(module)
