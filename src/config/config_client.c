/*
 * `clients` of a server: WebSocket connections that it makes. Their limits and timeouts have defaults of their own,
 * since those of the server are about peers that come by themselves.
 */
#include "config/config_tables.h"

#define KIB INT64_C(1024)
#define GIB (KIB * 1024 * 1024)
#define DAY (INT64_C(24) * 60 * 60 * 1000)

/* The longest pause, where nothing is said of it. */
#define RECONNECT_MAX INT64_C(60000)

static const struct rtn_schema_key limits_keys[] = {
    { .name = "message",
      .type = RTN_SCHEMA_SIZE,
      .offset = offsetof(struct rtn_config_client_limits, message),
      .fallback = "1MiB",
      .min = 1,
      .max = GIB,
      .help = "Size of a message that comes. A larger one closes the connection with 1009.",
      .example = "64KiB" },
    { .name = "backlog",
      .type = RTN_SCHEMA_SIZE,
      .offset = offsetof(struct rtn_config_client_limits, backlog),
      .fallback = "1MiB",
      .min = KIB,
      .max = GIB,
      .help = "What may wait for the peer. A message is taken as long as less than this waits.",
      .example = "16MiB" },
    { .name = NULL },
};

static const struct rtn_schema_table limits_table = {
    .name = "limits",
    .size = sizeof(struct rtn_config_client_limits),
    .keys = limits_keys,
    .node_offset = SIZE_MAX,
    .name_offset = SIZE_MAX,
};

#define TIMEOUT(member, least)                                                                                   \
    .name = #member, .type = RTN_SCHEMA_DURATION, .offset = offsetof(struct rtn_config_client_timeouts, member), \
    .min = (least), .max = DAY

static const struct rtn_schema_key timeouts_keys[] = {
    { TIMEOUT(connect, 10), .fallback = "10s",
      .help = "From looking up the host to the answer of the server. Past it the attempt has failed.",
      .example = "3s" },
    { TIMEOUT(write, 10), .fallback = "30s",
      .help = "For the peer to take in some more of what is sent. Past it the connection is cut.", .example = "1m" },
    { TIMEOUT(ping, 0), .fallback = "30s", .help = "A ping is sent after so much silence of the peer. 0: never.",
      .example = "10s" },
    { TIMEOUT(pong, 1), .fallback = "10s",
      .help = "After a ping, until something comes from the peer. Past it the connection is cut.", .example = "3s" },
    { TIMEOUT(close, 10), .fallback = "5s",
      .help = "For the peer's answer to a close frame. Past it the connection is cut.", .example = "1s" },
    { .name = NULL },
};

static const struct rtn_schema_table timeouts_table = {
    .name = "timeouts",
    .size = sizeof(struct rtn_config_client_timeouts),
    .keys = timeouts_keys,
    .node_offset = SIZE_MAX,
    .name_offset = SIZE_MAX,
};

#define CLIENT(member) .name = #member, .offset = offsetof(struct rtn_config_client, member)

static const struct rtn_schema_key keys[] = {
    { CLIENT(url), .type = RTN_SCHEMA_STRING, .required = true, .check = rtn_config_check_url,
      .pattern = "^[Ww][Ss](://.+|\\+[A-Za-z]+:/.+)",
      .help = "Where it connects to: ws://HOST[:PORT]/PATH, or ws+unix:/SOCKET:/PATH for a unix socket.",
      .example = "\"ws://127.0.0.1:8080/feed\"" },
    { CLIENT(module), .type = RTN_SCHEMA_STRING, .required = true, .check = rtn_config_check_module,
      .pattern = RTN_CONFIG_MODULE_PATTERN,
      .help =
          "The module that is told what happens: a name, looked up in the folders of daemon.modules, or a file that "
          "ends in .so.",
      .example = "discussion" },
    { CLIENT(handler), .type = RTN_SCHEMA_STRING, .fallback_help = "the only one the module has",
      .help = "Which of the module's WebSocket handlers that is.", .example = "client" },
    { CLIENT(options), .type = RTN_SCHEMA_FREE, .fallback_help = "those of the module",
      .help = "What the module is told. Its own manual or --modinfo lists the keys.", .example = "{rounds: 5}" },
    { CLIENT(count), .type = RTN_SCHEMA_INT, .fallback = "1", .min = 1, .max = 100000,
      .help = "How many connections are made, all alike.", .example = "10" },
    { CLIENT(headers), .type = RTN_SCHEMA_STRINGS, .min = 0, .max = 100, .check = rtn_config_check_headers,
      .pattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+:", .help = "Header fields that are sent with the handshake.",
      .example = "[\"Authorization: Bearer ${TOKEN:-none}\"]" },
    { CLIENT(protocols), .type = RTN_SCHEMA_STRINGS, .min = 0, .max = 100, .check = rtn_config_check_protocols,
      .pattern = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", .fallback_help = "those of the handler",
      .help = "The subprotocols that are offered, the best first.", .example = "[chat.v2, chat.v1]" },
    { CLIENT(reconnect), .type = RTN_SCHEMA_DURATION, .fallback = "1s", .min = 0, .max = DAY,
      .help =
          "The pause before it connects again when a connection has ended or did not come about. It doubles each "
          "time, up to reconnect_max, and begins anew when a connection has lasted longer than the pause before it; "
          "it is shortened by chance so that many do not come at once. 0: it does not connect again.",
      .example = "250ms" },
    { CLIENT(reconnect_max), .type = RTN_SCHEMA_DURATION, .min = 0, .max = DAY,
      .fallback_help = "60s, or reconnect when that is longer", .help = "The longest pause before it connects again.",
      .example = "5m" },
    { CLIENT(backlog_policy), .type = RTN_SCHEMA_ENUM, .fallback = "close", .choices = rtn_config_backlogs,
      .help =
          "What becomes of a connection whose peer takes so little that limits.backlog waits for it, when more is to "
          "be sent: with close it is closed; with drop what is more is dropped, and the sender is told.",
      .example = "drop" },
    { CLIENT(deflate), .type = RTN_SCHEMA_MAP, .table = &rtn_config_deflate_table, .switches_on = true,
      .fallback_help = "off",
      .help =
          "Compression of messages is offered (permessage-deflate of RFC 7692). Off unless it is there; {} will do.",
      .example = "{}" },
    { CLIENT(limits), .type = RTN_SCHEMA_MAP, .table = &limits_table,
      .help = "How much the peer may send, and how much may wait for it." },
    { CLIENT(timeouts), .type = RTN_SCHEMA_MAP, .table = &timeouts_table, .help = "How long the peer may take." },
    { .name = NULL },
};

static void check(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_config_client *client = object;

    if (!context->sound)
        return;
    if (rtn_node_get(node, "reconnect_max") == NULL)
        client->reconnect_max = RTN_MAX(client->reconnect, RECONNECT_MAX);
    if (client->reconnect_max < client->reconnect)
        rtn_schema_error(context, rtn_schema_mark(node, "reconnect_max"),
                         "\"reconnect_max\" is shorter than \"reconnect\"");
}

const struct rtn_schema_table rtn_config_client_table = {
    .name = "client",
    .size = sizeof(struct rtn_config_client),
    .keys = keys,
    .label = "url",
    .node_offset = offsetof(struct rtn_config_client, node),
    .name_offset = SIZE_MAX,
    .check = check,
};
