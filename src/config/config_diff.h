/*
 * What changes between two configurations, by server. [main]
 *
 * Every key of a server has a row that says what a change of it takes: see config_diff.c.
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

struct rtn_config_change {
    const char *server;
    const struct rtn_config_server *before; /* NULL: added */
    const struct rtn_config_server *after; /* NULL: removed */
    unsigned kinds; /* bits: 1 << enum rtn_change; several of TUNE, ROUTES, LISTEN may be set */
    enum rtn_change change; /* the weightiest */
    const char **keys; /* that differ: "threads", "limits.body", "routes"; NULL-terminated; [main] owned by the plan */
};

#endif
