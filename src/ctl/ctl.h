/*
 * What the parts of retinuectl share: what was asked for on the command line, and how a command ends. [main] the only
 * thread
 */
#ifndef RTN_CTL_CTL_H
#define RTN_CTL_CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Exit statuses. */
#define RTN_CTL_OK 0
#define RTN_CTL_FAILED 1 /* refused, or it went wrong */
#define RTN_CTL_USAGE 2
#define RTN_CTL_NOBODY 3 /* no daemon is there */

struct rtn_ctl {
    const char *socket; /* path of the control socket */
    bool json; /* as the daemon says it */
    bool color;
    bool utf8; /* what reads our output takes more than ASCII */
    unsigned width; /* columns of the terminal; 0: it is none, and lines may be long */
    const char *arguments[2]; /* of the command, behind its name; NULL: not given */
    bool names; /* --names */
    bool dry_run;
    const char *duration; /* --for; NULL: not given, as the next */
    const char *limit;
    int64_t interval_ms; /* --interval */
    int64_t rounds; /* -n; 0: for ever */
};

/* ctl_show.c, ctl_traffic.c, ctl_order.c, ctl_top.c: one for each command. They return the exit status. */
int rtn_ctl_status(const struct rtn_ctl *ctl);
int rtn_ctl_servers(const struct rtn_ctl *ctl);
int rtn_ctl_routes(const struct rtn_ctl *ctl);
int rtn_ctl_modules(const struct rtn_ctl *ctl);
int rtn_ctl_connections(const struct rtn_ctl *ctl);
int rtn_ctl_messages(const struct rtn_ctl *ctl);
int rtn_ctl_log_level(const struct rtn_ctl *ctl);
int rtn_ctl_reload(const struct rtn_ctl *ctl);
int rtn_ctl_stop(const struct rtn_ctl *ctl);
int rtn_ctl_drain(const struct rtn_ctl *ctl);
int rtn_ctl_top(const struct rtn_ctl *ctl);

#endif
