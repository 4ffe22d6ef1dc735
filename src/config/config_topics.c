/* What people look for by a name that is no key, and the keys that it is about. */
#include "config/config_tables.h"

#define WEBSOCKET_HELP \
    "WebSocket needs no key of its own: a route takes WebSockets when its module has a handler for them."

static const char *const websocket_keys[] = {
    "routes.origins", "routes.deflate", "backlog_policy", "limits.message", "limits.backlog",
    "timeouts.ping",  "timeouts.pong",  "timeouts.close", "clients",        NULL,
};

#define LINE_HELP                                                                                             \
    "\"protocol: line\" makes a server of lines of text: each line that a client sends goes to a handler of " \
    "one of its modules, and limits.line says how long it may be."

static const char *const line_keys[] = {
    "protocol",   "listen",         "servers.NAME.modules", "greeting",      "line_end",       "limits.line",
    "long_lines", "limits.backlog", "backlog_policy",       "timeouts.idle", "timeouts.write", NULL,
};

#define WORKER_HELP                                                                                              \
    "\"protocol: worker\" makes a server without a network: its modules take messages of other servers, and do " \
    "what they do by themselves. How many worker threads a server of any protocol has is said by threads."

static const char *const worker_keys[] = {
    "protocol", "servers.NAME.modules", "clients", "hub_capacity", "threads", "active_threads", "queue", NULL,
};

#define HUB_HELP                                                                                                \
    "Retinue's hub, which brings messages from server to server, needs no key of its own: the server that has " \
    "the handler of a message in routes, clients or modules gets it, and hub_capacity says how many may wait."

static const char *const hub_keys[] = {
    "hub_capacity", "servers.NAME.modules", "routes", "clients", NULL,
};

const struct rtn_schema_topic rtn_config_topics[] = {
    { "websocket", WEBSOCKET_HELP, websocket_keys },
    { "websockets", WEBSOCKET_HELP, websocket_keys },
    { "ws", WEBSOCKET_HELP, websocket_keys },
    { "line", LINE_HELP, line_keys },
    { "lines", LINE_HELP, line_keys },
    { "stdio", LINE_HELP, line_keys },
    { "worker", WORKER_HELP, worker_keys },
    { "hub", HUB_HELP, hub_keys },
    { "messages", HUB_HELP, hub_keys },
    { NULL, NULL, NULL },
};
