/* `limits` and `timeouts` of a server: what a client may ask for, and how long it may take. */
#include "config/config_tables.h"

#define KIB INT64_C(1024)
#define MIB (KIB * 1024)
#define TIB (MIB * 1024 * 1024)
#define DAY (INT64_C(24) * 60 * 60 * 1000)

#define LIMIT(member) .name = #member, .offset = offsetof(struct rtn_config_limits, member)

static const struct rtn_schema_key limits_keys[] = {
    { LIMIT(connections), .type = RTN_SCHEMA_INT, .fallback = "10000", .min = 1, .max = 1000000,
      .help = "Connections open at one time. Further ones wait until one closes.", .example = "2000" },
    { LIMIT(target), .type = RTN_SCHEMA_SIZE, .fallback = "8KiB", .min = 64, .max = MIB,
      .help = "Length of the request target, the path with its query. A longer one is answered with 414.",
      .example = "2KiB" },
    { LIMIT(header), .type = RTN_SCHEMA_SIZE, .fallback = "16KiB", .min = 256, .max = MIB,
      .help = "Size of the request line and all header fields together. A larger one is answered with 431.",
      .example = "32KiB" },
    { LIMIT(header_count), .type = RTN_SCHEMA_INT, .fallback = "100", .min = 1, .max = 1000,
      .help = "Number of header fields. More are answered with 431.", .example = "50" },
    { LIMIT(body), .type = RTN_SCHEMA_SIZE, .fallback = "1MiB", .min = 0, .max = TIB,
      .help = "Size of a request body. A larger one is answered with 413.", .example = "64MiB" },
    { .name = NULL },
};

const struct rtn_schema_table rtn_config_limits_table = {
    .name = "limits",
    .size = sizeof(struct rtn_config_limits),
    .keys = limits_keys,
    .node_offset = SIZE_MAX,
    .name_offset = SIZE_MAX,
};

#define TIMEOUT(member)                                                                                              \
    .name = #member, .type = RTN_SCHEMA_DURATION, .offset = offsetof(struct rtn_config_timeouts, member), .min = 10, \
    .max = DAY

static const struct rtn_schema_key timeouts_keys[] = {
    { TIMEOUT(header), .fallback = "10s",
      .help =
          "From the first byte of a request to the end of its header; on a new connection from the accept. Past it the "
          "answer is 408.",
      .example = "5s" },
    { TIMEOUT(body), .fallback = "30s",
      .help = "For a request body; begun anew with each 64 KiB of it. Past it the answer is 408.", .example = "1m" },
    { TIMEOUT(write), .fallback = "30s",
      .help = "Between two pieces of a reply that the client takes in. Past it the connection is cut.",
      .example = "1m" },
    { TIMEOUT(idle), .fallback = "60s",
      .help = "Between two requests on one connection. Past it the connection is closed.", .example = "5m" },
    { TIMEOUT(linger), .fallback = "2s",
      .help = "After a close with input left to read, as after a refusal: how long it is read and dropped, so that the "
              "client gets to see the reply.",
      .example = "500ms" },
    { .name = NULL },
};

const struct rtn_schema_table rtn_config_timeouts_table = {
    .name = "timeouts",
    .size = sizeof(struct rtn_config_timeouts),
    .keys = timeouts_keys,
    .node_offset = SIZE_MAX,
    .name_offset = SIZE_MAX,
};
