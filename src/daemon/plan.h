/*
 * What a reload does to each server, before it is done: the differences of the configurations, the modules whose files
 * have other content, and how many connections that touches. [main]
 */
#ifndef RTN_DAEMON_PLAN_H
#define RTN_DAEMON_PLAN_H

#include "base/json.h"
#include "config/config_diff.h"

struct rtn_daemon;
struct rtn_generation;
struct rtn_program;
struct rtn_run;

struct rtn_plan_server {
    const struct rtn_config_change *change;
    struct rtn_run *run; /* that serves now; NULL: none, and it is made */
    unsigned kinds; /* RTN_CHANGE_BITs, with those of modules and of media types */
    enum rtn_change weightiest;
    const char **contents; /* for each entry: the module whose file has other content; NULL: none has */
    bool stopped; /* it is there, but does not serve */
    bool media; /* daemon.media_types is another */
    unsigned generation; /* in force; of those that stay */
    size_t websockets; /* sessions that stay under it */
    size_t lines;
    size_t ends; /* connections that are ended: of a server that goes or is restarted */
};

struct rtn_plan {
    struct rtn_config_diff diff;
    struct rtn_plan_server *servers; /* as in the diff */
    size_t count;
    unsigned generation; /* that is to be */
    bool daemon_differs; /* from the configuration in force; `diff` compares keys of `daemon` with what is in use */
};

/*
 * From what serves to `generation`. Modules are loaded, which adds errors when they cannot be. rtn_plan_done() has to
 * follow, and accepts an all-zero one.
 */
void rtn_plan_make(const struct rtn_daemon *daemon, struct rtn_generation *generation, struct rtn_plan *ret,
                   struct rtn_diags *diags);
void rtn_plan_done(struct rtn_plan *plan);

/* When the programs are there: counts the sessions that stay under the one that `next` replaces. */
void rtn_plan_count(struct rtn_plan_server *server, const struct rtn_program *next);

/* True when nothing is to be done at all. */
bool rtn_plan_is_empty(const struct rtn_plan *plan);

/* plan_text.c: 'server "get": unchanged', a line for each, and those of the daemon. */
void rtn_plan_print(const struct rtn_plan *plan, struct rtn_buf *out);

#endif
