/*
 * The configuration changes while the daemon runs. [main]
 *
 * Everything new is made and checked beside what runs; a failure frees the new and keeps the old. The work goes on over
 * several iterations of main's loop; one reload at a time, a second one asked for meanwhile follows the first.
 */
#ifndef RTN_DAEMON_RELOAD_H
#define RTN_DAEMON_RELOAD_H

#include <stdbool.h>

#include "base/buf.h"

struct rtn_daemon;

/* What came of it. */
struct rtn_reload_result {
    bool good;
    bool dry_run;
    unsigned generation; /* the one in force now */
    struct rtn_str text; /* what a person reads: the plan, or the errors with file:line:col, warnings included */
};

/* On main. `result` is valid during the call. */
typedef void (*rtn_reload_done)(const struct rtn_reload_result *result, void *data);

/*
 * Reads the file that the daemon was started with again. With `dry_run`, nothing changes: the plan is made, modules are
 * loaded and configured, addresses tried. `who` is for the log ("SIGHUP", "retinuectl"). `done` may be NULL; it is
 * called exactly once, also when the daemon stops meanwhile. Never before this returns.
 */
void rtn_reload(struct rtn_daemon *daemon, bool dry_run, const char *who, rtn_reload_done done, void *data);

#endif
