/*
 * The access log of a server: one line per request, in the daemon's log or in a file. [main, then frozen], but
 * rtn_access_log and rtn_access_write: [owner's thread]
 */
#ifndef RTN_APP_ACCESS_H
#define RTN_APP_ACCESS_H

#include "config/config.h"
#include "config/config_access.h"
#include "log/log.h"
#include "log/log_writers.h"
#include "proto/request.h"

struct rtn_access {
    const struct rtn_config_server *config;
    struct rtn_arena arena;
    struct rtn_access_pattern pattern; /* of format custom; in the arena */
    struct rtn_log_writer *writer; /* of to: file, once it is open; the set's */
    bool to_log; /* to: log, at this level */
    enum rtn_log_level level;
};

/* In place; the configuration was checked. */
void rtn_access_init(struct rtn_access *access, const struct rtn_config_server *config);
void rtn_access_done(struct rtn_access *access);

/* Opens the file when there is one: a writer of the set, whose thread logs to `log`. 0 or -errno. */
int rtn_access_open(struct rtn_access *access, struct rtn_log_writers *writers, struct rtn_log *log,
                    const _Atomic int *log_level);

/* Whether it could be opened; makes no file. 0 or -errno. */
int rtn_access_check(const struct rtn_access *access);

/* Whether requests are logged at all. [any] */
static inline bool rtn_access_enabled(const struct rtn_access *access)
{
    return access->writer != NULL || (access->to_log && rtn_log_enabled(access->level));
}

/*
 * The line of a request that has its reply, or that has come to nothing, when requests are logged. `aborted`: the reply
 * does not leave whole. Never blocks, allocates nothing.
 */
void rtn_access_write(const struct rtn_access *access, struct rtn_request *request, bool aborted);

static inline void rtn_access_log(const struct rtn_access *access, struct rtn_request *request, bool aborted)
{
    if (rtn_access_enabled(access))
        rtn_access_write(access, request, aborted);
}

#endif
