/*
 * Lines of a file that are lost: counted, and told in the daemon's log, at most once a second. [any], under the mutex
 * of whoever owns the counts; rtn_log_losses_tell() needs none.
 */
#ifndef RTN_LOG_LOG_LOSSES_H
#define RTN_LOG_LOG_LOSSES_H

#include <stdbool.h>
#include <stdint.h>

/* All-zero: none. */
struct rtn_log_losses {
    uint64_t slow; /* there was no room, or no time */
    uint64_t failed; /* the file could not be written */
    int error; /* of the last failure, -errno */
    int64_t tell_at; /* ms: not before */
};

/* `error` is -EAGAIN for lines that were given up. */
void rtn_log_losses_add(struct rtn_log_losses *losses, uint64_t lines, int error);

/* True when something was not told yet. */
bool rtn_log_losses_any(const struct rtn_log_losses *losses);

/* What is to be told now, and is forgotten here; none when it is too early, unless it is the `last` time. */
struct rtn_log_losses rtn_log_losses_take(struct rtn_log_losses *losses, int64_t now, bool last);

/* "access log /var/log/access.log: 2 lines lost: No space left on device" */
void rtn_log_losses_tell(const struct rtn_log_losses *losses, const char *what, const char *path);

#endif
