/*
 * What a change of each key takes. A row of a list or of a map without a table is for all that is below. Keys of
 * `daemon`: TUNE is done while it runs, RESTART waits for the next start of the daemon, NONE has no effect of its own.
 */
#include "config/config_diff.h"
#include "config/config_tables.h"

struct row {
    const char *path;
    enum rtn_change change;
};

static const struct row server_rows[] = {
    { "protocol", RTN_CHANGE_RESTART },
    { "listen", RTN_CHANGE_LISTEN },
    { "loops", RTN_CHANGE_RESTART },
    { "threads", RTN_CHANGE_TUNE },
    { "active_threads", RTN_CHANGE_TUNE },
    { "stuck_threads", RTN_CHANGE_TUNE },
    { "stall", RTN_CHANGE_TUNE },
    { "queue", RTN_CHANGE_TUNE },
    { "hub_capacity", RTN_CHANGE_TUNE },
    { "log_level", RTN_CHANGE_TUNE },
    { "access_log.to", RTN_CHANGE_TUNE },
    { "access_log.format", RTN_CHANGE_TUNE },
    { "access_log.pattern", RTN_CHANGE_TUNE },
    { "access_log.buffer", RTN_CHANGE_TUNE },
    { "access_log.flush", RTN_CHANGE_TUNE },
    { "access_log.level", RTN_CHANGE_TUNE },
    { "header_fields", RTN_CHANGE_TUNE },
    { "request_body", RTN_CHANGE_TUNE },
    { "trusted_proxies", RTN_CHANGE_TUNE },
    { "proxy_header", RTN_CHANGE_TUNE },
    { "request_id", RTN_CHANGE_TUNE },
    { "compression.encodings", RTN_CHANGE_TUNE },
    { "compression.types", RTN_CHANGE_TUNE },
    { "compression.min_size", RTN_CHANGE_TUNE },
    { "compression.effort", RTN_CHANGE_TUNE },
    { "limits.connections", RTN_CHANGE_TUNE },
    { "limits.connections_per_client", RTN_CHANGE_TUNE },
    { "limits.requests_per_second", RTN_CHANGE_TUNE },
    { "limits.request_burst", RTN_CHANGE_TUNE },
    { "limits.requests_per_connection", RTN_CHANGE_TUNE },
    { "limits.target", RTN_CHANGE_TUNE },
    { "limits.header", RTN_CHANGE_TUNE },
    { "limits.header_count", RTN_CHANGE_TUNE },
    { "limits.body", RTN_CHANGE_TUNE },
    { "limits.message", RTN_CHANGE_TUNE },
    { "limits.line", RTN_CHANGE_TUNE },
    { "limits.backlog", RTN_CHANGE_TUNE },
    { "timeouts.header", RTN_CHANGE_TUNE },
    { "timeouts.body", RTN_CHANGE_TUNE },
    { "timeouts.write", RTN_CHANGE_TUNE },
    { "timeouts.idle", RTN_CHANGE_TUNE },
    { "timeouts.linger", RTN_CHANGE_TUNE },
    { "timeouts.handler", RTN_CHANGE_TUNE },
    { "timeouts.ping", RTN_CHANGE_TUNE },
    { "timeouts.pong", RTN_CHANGE_TUNE },
    { "timeouts.close", RTN_CHANGE_TUNE },
    { "backlog_policy", RTN_CHANGE_TUNE },
    { "routes", RTN_CHANGE_ROUTES },
    { "clients", RTN_CHANGE_ROUTES },
    { "modules", RTN_CHANGE_ROUTES },
    { "greeting", RTN_CHANGE_TUNE },
    { "line_end", RTN_CHANGE_TUNE },
    { "long_lines", RTN_CHANGE_TUNE },
};

static const struct row daemon_rows[] = {
    { "include", RTN_CHANGE_NONE },
    { "modules", RTN_CHANGE_NONE },
    { "log.to", RTN_CHANGE_RESTART },
    { "log.format", RTN_CHANGE_RESTART },
    { "log.level", RTN_CHANGE_TUNE },
    { "media_types", RTN_CHANGE_TUNE },
    { "shutdown_timeout", RTN_CHANGE_TUNE },
    { "control", RTN_CHANGE_RESTART },
    { "generations", RTN_CHANGE_TUNE },
    { "generation_timeout", RTN_CHANGE_TUNE },
    { "watch", RTN_CHANGE_TUNE },
};

/* "routes" is for "routes.path" too. */
static bool is_for(const char *row, const char *path)
{
    size_t length = strlen(row);
    return strncmp(path, row, length) == 0 && (path[length] == '\0' || path[length] == '.');
}

static int find(const struct row *rows, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (is_for(rows[i].path, path))
            return (int) rows[i].change;
    }
    return -1;
}

int rtn_config_change_of_server(const char *path)
{
    return find(server_rows, RTN_ARRAY_LENGTH(server_rows), path);
}

int rtn_config_change_of_daemon(const char *path)
{
    return find(daemon_rows, RTN_ARRAY_LENGTH(daemon_rows), path);
}

/* For the manual */

static const char *const server_texts[] = {
    [RTN_CHANGE_TUNE] = "at a reload, while the server runs",
    [RTN_CHANGE_ROUTES] = "at a reload; open sessions stay as they began",
    [RTN_CHANGE_LISTEN] = "at a reload; addresses that stay are not closed",
    [RTN_CHANGE_RESTART] = "at a reload, which restarts the server",
};

static const char *const daemon_texts[] = {
    [RTN_CHANGE_NONE] = "at a reload",
    [RTN_CHANGE_TUNE] = "at a reload",
    [RTN_CHANGE_RESTART] = "at the next start of the daemon",
};

const char *rtn_config_when_changed(const char *path)
{
    static const char servers[] = "servers.NAME.";
    static const char daemon[] = "daemon.";
    int change = -1;
    if (strncmp(path, servers, strlen(servers)) == 0)
        change = rtn_config_change_of_server(path + strlen(servers));
    if (change >= 0)
        return server_texts[change];
    if (strncmp(path, daemon, strlen(daemon)) == 0)
        change = rtn_config_change_of_daemon(path + strlen(daemon));
    return change >= 0 ? daemon_texts[change] : NULL;
}
