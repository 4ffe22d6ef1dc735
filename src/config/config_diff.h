/*
 * What changes between two configurations, by server. [main]
 *
 * Every key has a row that says what a change of it takes: see config_diff_rows.c.
 */
#ifndef RTN_CONFIG_CONFIG_DIFF_H
#define RTN_CONFIG_CONFIG_DIFF_H

#include "config/config.h"

/* What becomes of a server, the weightiest of what its keys ask for. */
enum rtn_change {
    RTN_CHANGE_NONE, /* unchanged */
    RTN_CHANGE_TUNE, /* values that change while it runs: threads, limits, timeouts, levels, header fields, access log
                      */
    RTN_CHANGE_ROUTES, /* routes, clients, modules, or the content of a module: instances are swapped */
    RTN_CHANGE_LISTEN, /* addresses come or go; those that stay are not closed */
    RTN_CHANGE_RESTART, /* a new server in its place takes over the listening sockets: loops, protocol */
    RTN_CHANGE_ADD,
    RTN_CHANGE_REMOVE
};

#define RTN_CHANGE_BIT(change) (1U << (change))

/* A key that differs: "threads", "limits.body", "routes". */
struct rtn_config_key_change {
    const char *key;
    enum rtn_change change; /* of daemon: RESTART is of the daemon, NONE has no effect of its own */
    const char *before; /* values as they are written: "1MiB"; NULL: not on one line, as `after` */
    const char *after;
};

enum rtn_entry_change { RTN_ENTRY_KEPT, RTN_ENTRY_CHANGED, RTN_ENTRY_ADDED, RTN_ENTRY_REMOVED };

/* An entry of a list: a route, a client, a module, an address. */
struct rtn_config_entry_change {
    const char *list; /* the key: "routes" */
    const char *text; /* "example.org/chat", "ws://host/feed", "butler", "127.0.0.1:80" */
    enum rtn_entry_change change;
    const char *keys; /* of a changed one: "options, limits.body" */
    const void *before; /* struct rtn_config_route or the like; NULL: added */
    const void *after; /* NULL: removed */
};

struct rtn_config_change {
    const char *server;
    const struct rtn_config_server *before; /* NULL: added */
    const struct rtn_config_server *after; /* NULL: removed */
    unsigned kinds; /* RTN_CHANGE_BITs; several of TUNE, ROUTES, LISTEN may be set */
    enum rtn_change change; /* the weightiest */
    struct rtn_config_key_change *keys; /* none for one that is added or removed */
    size_t key_count;
    struct rtn_config_entry_change *entries; /* of all lists, those that are kept too; none as before */
    size_t entry_count;
};

struct rtn_config_diff {
    struct rtn_arena arena;
    struct rtn_config_change *servers; /* in the order of the new configuration, behind them those that are removed */
    size_t server_count;
    struct rtn_config_key_change *daemon; /* keys of `daemon` that differ */
    size_t daemon_count;
};

/* Both must outlive the result. rtn_config_diff_done() accepts an all-zero one. */
void rtn_config_diff(const struct rtn_config *before, const struct rtn_config *after, struct rtn_config_diff *ret);
void rtn_config_diff_done(struct rtn_config_diff *diff);

/* The keys of `daemon` are compared again, with other values before; these need not outlive the result. */
void rtn_config_diff_daemon(const struct rtn_config_daemon *before, const struct rtn_config_daemon *after,
                            struct rtn_config_diff *diff);

/* config_diff_rows.c: what a change of a key takes, by its path below `servers.NAME` or `daemon`; -1: no row. */
int rtn_config_change_of_server(const char *path);
int rtn_config_change_of_daemon(const char *path);

#endif
