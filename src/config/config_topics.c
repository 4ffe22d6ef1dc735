/* What people look for by a name that is no key, and the keys that it is about. */
#include "config/config_tables.h"

#define WEBSOCKET_HELP \
    "WebSocket needs no key of its own: a route takes WebSockets when its module has a handler for them."

static const char *const websocket_keys[] = {
    "routes.origins", "routes.deflate", "backlog_policy", "limits.message", "limits.backlog",
    "timeouts.ping",  "timeouts.pong",  "timeouts.close", "clients",        NULL,
};

const struct rtn_schema_topic rtn_config_topics[] = {
    { "websocket", WEBSOCKET_HELP, websocket_keys },
    { "websockets", WEBSOCKET_HELP, websocket_keys },
    { "ws", WEBSOCKET_HELP, websocket_keys },
    { NULL, NULL, NULL },
};
