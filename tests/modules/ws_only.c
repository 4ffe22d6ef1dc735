/* One WebSocket handler and nothing else. */
#include "ws_ignore.h"

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
