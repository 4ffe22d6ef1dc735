/*
 * `limits` and `timeouts` of a server: what a client may ask for, and how long it may take; and what routes say of
 * these for themselves.
 */
#include "config/config_tables.h"

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define TIB (MIB * 1024 * 1024)
#define DAY (INT64_C(24) * 60 * 60 * 1000)

#define LIMIT(member) .name = #member, .offset = offsetof(struct rtn_config_limits, member)

static const struct rtn_schema_key limits_keys[] = {
    { LIMIT(connections), .type = RTN_SCHEMA_INT, .fallback = "10000", .min = 1, .max = 1000000,
      .help = "Connections open at one time. Further ones wait until one closes.", .example = "2000" },
    { LIMIT(connections_per_client), .type = RTN_SCHEMA_INT, .fallback = "0", .min = 0, .max = 1000000,
      .help = "Connections of one client address that are open at one time. Further ones are closed, with protocol: "
              "http after the answer 429; trusted proxies may have as many as they like. An IPv6 client is its /64. 0: "
              "as many as connections.",
      .example = "50" },
    { LIMIT(requests_per_second), .type = RTN_SCHEMA_INT, .fallback = "0", .min = 0, .max = 1000000,
      .help =
          "Requests of one client address in each second, on average. More are answered with 429. An IPv6 client is "
          "its /64. 0: no limit. Of protocol: http.",
      .example = "20" },
    { LIMIT(request_burst), .type = RTN_SCHEMA_INT, .fallback_help = "as many as requests_per_second", .min = 1,
      .max = 1000000,
      .help = "Requests of one client address that may come at once after a while without. Only with "
              "requests_per_second. Of protocol: http.",
      .example = "100" },
    { LIMIT(requests_per_connection), .type = RTN_SCHEMA_INT, .fallback = "0", .min = 0, .max = 1000000000,
      .help = "Requests on one connection; it is closed after the last of them. 0: no limit. Of protocol: http.",
      .example = "1000" },
    { LIMIT(target), .type = RTN_SCHEMA_SIZE, .fallback = "8KiB", .min = 64, .max = MIB,
      .help = "Length of the request target, the path with its query. A longer one is answered with 414. Of protocol: "
              "http.",
      .example = "2KiB" },
    { LIMIT(header), .type = RTN_SCHEMA_SIZE, .fallback = "16KiB", .min = 256, .max = MIB,
      .help = "Size of the request line and all header fields together. A larger one is answered with 431. Of "
              "protocol: http.",
      .example = "32KiB" },
    { LIMIT(header_count), .type = RTN_SCHEMA_INT, .fallback = "100", .min = 1, .max = 1000,
      .help = "Number of header fields. More are answered with 431. Of protocol: http.", .example = "50" },
    { LIMIT(body), .type = RTN_SCHEMA_SIZE, .fallback = "1MiB", .min = 0, .max = TIB,
      .help = "Size of a request body. A larger one is answered with 413. Of protocol: http.", .example = "64MiB" },
    { LIMIT(message), .type = RTN_SCHEMA_SIZE, .fallback = "1MiB", .min = 1, .max = GIB,
      .help = "Size of a message that comes by WebSocket. A larger one closes the connection with 1009. Of protocol: "
              "http.",
      .example = "64KiB" },
    { LIMIT(line), .type = RTN_SCHEMA_SIZE, .fallback = "8KiB", .min = 1, .max = 16 * MIB,
      .help = "Length of a line, without its end; long_lines says what becomes of a longer one. Of protocol: line.",
      .example = "64KiB" },
    { LIMIT(backlog), .type = RTN_SCHEMA_SIZE, .fallback = "1MiB", .min = KIB, .max = GIB,
      .help = "What may wait for the peer of a WebSocket or a line connection. A message or line is taken as long as "
              "less than this waits, so that at most this and one more do; then backlog_policy says what happens.",
      .example = "16MiB" },
    { .name = NULL },
};

static void check_limits(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_config_limits *limits = object;
    const struct rtn_node_pair *burst = rtn_node_pair(node, "request_burst");

    if (burst == NULL)
        limits->request_burst = limits->requests_per_second;
    else if (context->sound && limits->requests_per_second == 0)
        rtn_schema_error(context, burst->name_mark, "\"request_burst\" needs \"requests_per_second\"");
}

const struct rtn_schema_table rtn_config_limits_table = {
    .name = "limits",
    .size = sizeof(struct rtn_config_limits),
    .keys = limits_keys,
    .node_offset = SIZE_MAX,
    .name_offset = SIZE_MAX,
    .check = check_limits,
};

#define INHERIT (-1)
#define AS_THE_SERVER .fallback_help = "as the server"

static const struct rtn_schema_key route_limits_keys[] = {
    { .name = "body",
      .type = RTN_SCHEMA_SIZE,
      .offset = offsetof(struct rtn_config_route_limits, body),
      AS_THE_SERVER,
      .min = 0,
      .max = TIB,
      .help = "Size of a request body. A larger one is answered with 413.",
      .example = "1GiB" },
    { .name = "message",
      .type = RTN_SCHEMA_SIZE,
      .offset = offsetof(struct rtn_config_route_limits, message),
      AS_THE_SERVER,
      .min = 1,
      .max = GIB,
      .help = "Size of a message that comes by WebSocket. A larger one closes the connection with 1009.",
      .example = "64MiB" },
    { .name = "backlog",
      .type = RTN_SCHEMA_SIZE,
      .offset = offsetof(struct rtn_config_route_limits, backlog),
      AS_THE_SERVER,
      .min = KIB,
      .max = GIB,
      .help = "What may wait for the peer of a WebSocket. A message is taken as long as less than this waits.",
      .example = "64KiB" },
    { .name = NULL },
};

/* Keys of routes that were left out; all of them are numbers. */
static void inherit(const struct rtn_schema_key *keys, void *object, const struct rtn_node *node)
{
    for (const struct rtn_schema_key *key = keys; key->name != NULL; key++) {
        if (rtn_node_get(node, key->name) == NULL)
            *(int64_t *) (void *) ((char *) object + key->offset) = INHERIT;
    }
}

static void inherit_limits(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    (void) context;
    inherit(route_limits_keys, object, node);
}

const struct rtn_schema_table rtn_config_route_limits_table = {
    .name = "limits",
    .size = sizeof(struct rtn_config_route_limits),
    .keys = route_limits_keys,
    .node_offset = SIZE_MAX,
    .name_offset = SIZE_MAX,
    .check = inherit_limits,
};

#define TIMEOUT_FROM(member, least)                                                                       \
    .name = #member, .type = RTN_SCHEMA_DURATION, .offset = offsetof(struct rtn_config_timeouts, member), \
    .min = (least), .max = DAY
#define TIMEOUT(member) TIMEOUT_FROM(member, 10)

static const struct rtn_schema_key timeouts_keys[] = {
    { TIMEOUT(header), .fallback = "10s",
      .help =
          "From the first byte of a request to the end of its header; on a new connection from the accept. Past it the "
          "answer is 408. Of protocol: http.",
      .example = "5s" },
    { TIMEOUT(body), .fallback = "30s",
      .help = "For a request body; begun anew with each 64 KiB of it. Past it the answer is 408. Of protocol: http.",
      .example = "1m" },
    { TIMEOUT(write), .fallback = "30s",
      .help = "For the client to take in some more of a reply, or of what a WebSocket or a line server sends. Past it "
              "the connection is cut.",
      .example = "1m" },
    { TIMEOUT_FROM(idle, 0), .fallback = "60s", .fallback_help = "60s; with protocol: line 0",
      .help =
          "Between two requests on one connection, or with protocol: line between two lines of the peer. Past it the "
          "connection is closed. 0, which only line servers can have: never.",
      .example = "5m" },
    { TIMEOUT(linger), .fallback = "2s",
      .help = "After a close with input left to read, as after a refusal: how long it is read and dropped, so that the "
              "client gets to see the reply. Of protocol: http.",
      .example = "500ms" },
    { TIMEOUT(handler), .fallback = "30s",
      .help = "For a handler that replies later, until it begins to, and for one that holds a worker, until it comes "
              "back or sends some of its reply. Past it the answer is 504, or the reply that has begun is cut off; a "
              "worker that is held is named in the log and replaced (stuck_threads). Of protocol: http and line.",
      .example = "5s" },
    { TIMEOUT_FROM(ping, 0), .fallback = "30s",
      .help = "A WebSocket is sent a ping after so much silence of its peer. 0: never. Of protocol: http.",
      .example = "10s" },
    { TIMEOUT_FROM(pong, 1), .fallback = "10s",
      .help =
          "After a ping to a silent WebSocket, until something comes from its peer. Past it the connection is cut. Of "
          "protocol: http.",
      .example = "3s" },
    { TIMEOUT(close), .fallback = "5s",
      .help = "For the answer to a close frame on a WebSocket. Past it the connection is cut. Of protocol: http.",
      .example = "1s" },
    { .name = NULL },
};

const struct rtn_schema_table rtn_config_timeouts_table = {
    .name = "timeouts",
    .size = sizeof(struct rtn_config_timeouts),
    .keys = timeouts_keys,
    .node_offset = SIZE_MAX,
    .name_offset = SIZE_MAX,
};

#define ROUTE_TIMEOUT_FROM(member, least)                                                                       \
    .name = #member, .type = RTN_SCHEMA_DURATION, .offset = offsetof(struct rtn_config_route_timeouts, member), \
    .min = (least), .max = DAY, AS_THE_SERVER
#define ROUTE_TIMEOUT(member) ROUTE_TIMEOUT_FROM(member, 10)

static const struct rtn_schema_key route_timeouts_keys[] = {
    { ROUTE_TIMEOUT(body), .help = "For a request body; begun anew with each 64 KiB of it. Past it the answer is 408.",
      .example = "5m" },
    { ROUTE_TIMEOUT(write),
      .help = "For the client to take in some more of a reply, or of what a WebSocket sends. Past it the connection is "
              "cut.",
      .example = "5m" },
    { ROUTE_TIMEOUT(handler),
      .help = "For a handler that replies later, until it begins to. Past it the answer is 504.", .example = "2m" },
    { ROUTE_TIMEOUT_FROM(ping, 0), .help = "A WebSocket is sent a ping after so much silence of its peer. 0: never.",
      .example = "1m" },
    { ROUTE_TIMEOUT_FROM(pong, 1),
      .help = "After a ping to a silent WebSocket, until something comes from its peer. Past it the connection is cut.",
      .example = "30s" },
    { ROUTE_TIMEOUT(close), .help = "For the answer to a close frame on a WebSocket. Past it the connection is cut.",
      .example = "10s" },
    { .name = NULL },
};

static void inherit_timeouts(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    (void) context;
    inherit(route_timeouts_keys, object, node);
}

const struct rtn_schema_table rtn_config_route_timeouts_table = {
    .name = "timeouts",
    .size = sizeof(struct rtn_config_route_timeouts),
    .keys = route_timeouts_keys,
    .node_offset = SIZE_MAX,
    .name_offset = SIZE_MAX,
    .check = inherit_timeouts,
};
