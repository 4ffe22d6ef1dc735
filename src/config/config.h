/*
 * A whole configuration: read, checked, frozen. [main, then frozen]
 *
 * Everything in here lives until the last reference goes. `node` members give the places for errors
 * that are found later (an address in use, an unknown handler).
 */
#ifndef RTN_CONFIG_CONFIG_H
#define RTN_CONFIG_CONFIG_H

#include "config/schema.h"
#include "log/log.h"

struct rtn_config_log {
    const char *target; /* as written, a path made absolute; gives the next two */
    int to; /* enum rtn_log_to */
    const char *path;
    int format; /* enum rtn_log_format */
    int level; /* enum rtn_log_level */
    const struct rtn_node *node;
};

struct rtn_config_daemon {
    struct rtn_schema_strings include; /* patterns */
    struct rtn_schema_strings modules; /* folders */
    struct rtn_config_log log;
    int64_t shutdown_timeout; /* ms */
    int64_t generations; /* older ones that sessions may keep alive */
    int64_t generation_timeout; /* ms; 0: none */
    bool watch;
    const char *control; /* absolute path of a unix socket, or "none"; NULL: the default */
    const struct rtn_node *media_types; /* map: file name extension without dot -> media type; NULL: none */
    const struct rtn_node *node;
};

struct rtn_config_listen {
    const char *address; /* as written; net/addr.h reads it */
    const char *mode; /* of a unix socket, octal digits; NULL: 0777 less the umask */
    bool proxy_protocol; /* trusted peers begin with a PROXY header */
    const struct rtn_node *node;
};

struct rtn_config_limits {
    int64_t connections;
    int64_t connections_per_client; /* per client address; 0: no limit of its own */
    int64_t requests_per_second; /* per client address; 0: no limit */
    int64_t request_burst; /* that may come at once; default filled in: requests_per_second */
    int64_t requests_per_connection; /* 0: no limit */
    int64_t target; /* bytes */
    int64_t header; /* bytes, request line included */
    int64_t header_count;
    int64_t body; /* bytes */
    int64_t message; /* bytes of one WebSocket message */
    int64_t line; /* bytes of one line, without its end */
    int64_t backlog; /* bytes that may wait for a peer */
};

struct rtn_config_timeouts { /* ms */
    int64_t header;
    int64_t body;
    int64_t write;
    int64_t idle; /* 0: never, with protocol: line only, where it is the default */
    int64_t linger;
    int64_t handler; /* of a later reply, until it is begun */
    int64_t ping; /* a ping after so much silence on a WebSocket; 0: never */
    int64_t pong; /* so long is waited for something to come after a ping */
    int64_t close; /* so long is waited for the answer to a close frame */
};

/* What a route says for itself; -1: as the server. */
struct rtn_config_route_limits {
    int64_t body;
    int64_t message;
    int64_t backlog;
};

struct rtn_config_route_timeouts { /* ms */
    int64_t body;
    int64_t write;
    int64_t handler;
    int64_t ping;
    int64_t pong;
    int64_t close;
};

/* What becomes of a connection that has limits.backlog waiting. INHERIT on a route: as the server. */
enum rtn_config_backlog { RTN_BACKLOG_INHERIT, RTN_BACKLOG_CLOSE, RTN_BACKLOG_DROP };

/* permessage-deflate (RFC 7692) */
struct rtn_config_deflate {
    bool on; /* the key is there */
    int64_t server_max_window_bits; /* 9 to 15, as the next */
    int64_t client_max_window_bits;
    bool server_no_context_takeover;
    bool client_no_context_takeover;
    int64_t memory_level; /* of zlib, 1 to 9 */
    int effort; /* enum rtn_config_effort */
    int64_t min_size; /* bytes; shorter messages are sent as they are */
};

struct rtn_config_route {
    const char *path;
    const char *host; /* lower case: "example.org", "*.example.org"; NULL: every host */
    unsigned methods; /* enum rtn_method bits; 0: all that the handler takes */
    const char *module;
    const char *handler;
    const struct rtn_node *options; /* NULL when left out */
    int64_t status; /* fixed answer; of a redirect; 0: none */
    const char *redirect; /* target of Location */
    int request_body; /* enum rtn_config_body; RTN_BODY_INHERIT: as the server */
    struct rtn_config_route_limits limits;
    struct rtn_config_route_timeouts timeouts;
    struct rtn_schema_strings origins; /* of WebSocket: "all", "same", or origins in lower case; default: same */
    int backlog_policy; /* enum rtn_config_backlog */
    struct rtn_config_deflate deflate;
    const struct rtn_node *node;
};

/* Limits and timeouts of outgoing connections: their defaults are their own. */
struct rtn_config_client_limits {
    int64_t message;
    int64_t backlog;
};

struct rtn_config_client_timeouts { /* ms */
    int64_t connect; /* until the connection is open */
    int64_t write;
    int64_t ping;
    int64_t pong;
    int64_t close;
};

/* WebSocket connections that a server makes. */
struct rtn_config_client {
    const char *url;
    const char *module;
    const char *handler;
    const struct rtn_node *options; /* NULL when left out */
    int64_t count; /* connections */
    struct rtn_schema_strings headers; /* "Name: value" */
    struct rtn_schema_strings protocols; /* offered; empty: those of the handler */
    int64_t reconnect; /* ms: the first pause; 0: it does not connect again */
    int64_t reconnect_max; /* ms: the longest */
    int backlog_policy; /* enum rtn_config_backlog, never INHERIT */
    struct rtn_config_deflate deflate;
    struct rtn_config_client_limits limits;
    struct rtn_config_client_timeouts timeouts;
    const struct rtn_node *node;
};

/* A module of the server as a whole: its line handler, owners of message types, what only has hooks. */
struct rtn_config_use {
    const char *module;
    const char *handler;
    const struct rtn_node *options; /* NULL when left out */
    const struct rtn_node *node;
};

enum rtn_config_protocol { RTN_PROTOCOL_HTTP, RTN_PROTOCOL_LINE, RTN_PROTOCOL_WORKER };

/* What is sent behind a line. */
enum rtn_config_line_end { RTN_LINE_END_CRLF, RTN_LINE_END_LF };

/* What becomes of a connection whose peer sends a line longer than limits.line: DROP: of the line. */
enum rtn_config_long_lines { RTN_LONG_LINES_CLOSE, RTN_LONG_LINES_DROP };

/* INHERIT on a server: buffered, but streamed for handlers that take bodies in pieces. */
enum rtn_config_body { RTN_BODY_INHERIT, RTN_BODY_NONE, RTN_BODY_BUFFERED, RTN_BODY_STREAMED };

enum rtn_config_access_to { RTN_ACCESS_TO_LOG, RTN_ACCESS_TO_NONE, RTN_ACCESS_TO_FILE };
enum rtn_config_access_format {
    RTN_ACCESS_COMMON, /* host ident user [time] "request" status bytes */
    RTN_ACCESS_COMBINED, /* and "referer" "user agent" */
    RTN_ACCESS_JSON,
    RTN_ACCESS_CUSTOM /* by pattern */
};

struct rtn_config_access_log {
    const char *target; /* as written: log, none, file:PATH (made absolute); gives the next two */
    int to; /* enum rtn_config_access_to */
    const char *path; /* of a file */
    int format; /* enum rtn_config_access_format */
    const char *pattern; /* of format custom */
    int64_t buffer; /* bytes that may wait for the disk */
    int64_t flush; /* ms: the longest a line waits in the buffer */
    int level; /* enum rtn_log_level; of to: log */
    const struct rtn_node *node;
};

enum rtn_config_proxy_header {
    RTN_PROXY_HEADER_AUTO,
    RTN_PROXY_HEADER_FORWARDED,
    RTN_PROXY_HEADER_X_FORWARDED,
    RTN_PROXY_HEADER_NONE
};
enum rtn_config_request_id { RTN_REQUEST_ID_NONE, RTN_REQUEST_ID_NEW, RTN_REQUEST_ID_ACCEPT };
enum rtn_config_encoding { RTN_ENCODING_GZIP = 1, RTN_ENCODING_BR = 2, RTN_ENCODING_ZSTD = 4 };
enum rtn_config_effort { RTN_EFFORT_FAST, RTN_EFFORT_DEFAULT, RTN_EFFORT_BEST };

struct rtn_config_compression {
    unsigned encodings; /* enum rtn_config_encoding bits; 0: off */
    struct rtn_schema_strings types; /* lower case; "text/html", or all of a kind by a final star */
    int64_t min_size; /* bytes of content; smaller replies of known length are sent as they are */
    int effort; /* enum rtn_config_effort */
};

struct rtn_config_server {
    const char *name;
    int protocol; /* enum rtn_config_protocol */
    struct rtn_schema_array listen; /* struct rtn_config_listen; may be empty */
    int64_t loops;
    int64_t threads; /* default filled in: max(8, 2 x cores) */
    int64_t active_threads; /* default filled in: threads */
    int64_t stuck_threads; /* the same */
    int64_t stall; /* ms; 0: handlers may hold a loop as long as they like */
    int64_t queue;
    int64_t hub_capacity; /* messages that may wait */
    int log_level; /* default filled in: daemon.log.level */
    struct rtn_config_access_log access_log;
    struct rtn_schema_strings header_fields; /* lower case; empty: all */
    int request_body; /* enum rtn_config_body */
    struct rtn_schema_strings trusted_proxies; /* base/cidr.h reads each; "unix" for peers on unix sockets */
    int proxy_header; /* enum rtn_config_proxy_header */
    int request_id; /* enum rtn_config_request_id */
    struct rtn_config_compression compression;
    struct rtn_config_limits limits;
    struct rtn_config_timeouts timeouts;
    int backlog_policy; /* enum rtn_config_backlog, never INHERIT */
    struct rtn_schema_array routes; /* struct rtn_config_route */
    struct rtn_schema_array clients; /* struct rtn_config_client */
    struct rtn_schema_array modules; /* struct rtn_config_use */
    const char *greeting; /* of protocol: line: the first line that is sent; NULL: none */
    int line_end; /* enum rtn_config_line_end */
    int long_lines; /* enum rtn_config_long_lines */
    const struct rtn_node *node;
};

struct rtn_config {
    struct rtn_config_daemon daemon;
    struct rtn_schema_array servers; /* struct rtn_config_server, in file order */
    const struct rtn_node *root; /* the whole tree, servers of included files among the others */
    struct rtn_arena arena;
    struct rtn_config_files *files; /* what was read; of config_include.c */
};

/*
 * Reads `path` and its includes. Returns 0 with *ret, or -EINVAL when diags has errors (all of them,
 * from every file). Warnings may be present either way. Marks in diags point into the configuration,
 * so on failure *ret holds what was read, for printing; free it after printing.
 */
int rtn_config_load(const char *path, struct rtn_config **ret, struct rtn_diags *diags);

/*
 * The same from memory: `text` is copied, `name` stands in messages and is the file that relative
 * paths start from. Includes are not followed.
 */
int rtn_config_load_text(const char *name, struct rtn_str text, struct rtn_config **ret, struct rtn_diags *diags);

/* The paths of the files that were read, the main one first: NULL behind the last. */
const char *rtn_config_file(const struct rtn_config *config, size_t index);

/* Accepts NULL. */
void rtn_config_free(struct rtn_config *config);

/* The path of the control socket; NULL: there is to be none. The default is only used where its folder is. */
#define RTN_CONFIG_CONTROL "/run/retinue/control.sock"
const char *rtn_config_control_path(const struct rtn_config *config);

/* Effective values, defaults included, as YAML; each line ends in # FILE:LINE or # default. */
void rtn_config_dump(const struct rtn_config *config, struct rtn_buf *out);

/* JSON Schema (2020-12) of the whole file. */
void rtn_config_schema(struct rtn_buf *out);

/* What the manual says about a key: "servers.NAME.threads", "threads", "limits.body". -ENOENT: unknown, out has a
 * suggestion. */
int rtn_config_explain(const char *key, struct rtn_buf *out);

/* The key chapter of retinued.yaml(5) in mdoc. */
void rtn_config_manual(struct rtn_buf *out);

#endif
