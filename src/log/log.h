/*
 * The log front. Any thread may log; errno is kept. A line goes to the sink when its level reaches
 * the level of the thread's context (its server's `log_level`). [any]
 *
 * Library layers (base to proto) log at debug and trace only; the layer that gives up logs once.
 */
#ifndef RTN_LOG_LOG_H
#define RTN_LOG_LOG_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <retinue/types.h>

#include "base/macros.h"

/* Where lines go and how they look; one per process, made and freed by main. */
struct rtn_log;

enum rtn_log_to { RTN_LOG_TO_AUTO, RTN_LOG_TO_STDERR, RTN_LOG_TO_JOURNAL, RTN_LOG_TO_SYSLOG, RTN_LOG_TO_FILE };
enum rtn_log_format { RTN_LOG_TEXT, RTN_LOG_JSON };

struct rtn_log_options {
    enum rtn_log_to to; /* auto: the journal when stderr is connected to it, else stderr */
    const char *path; /* of RTN_LOG_TO_FILE; elsewhere NULL (tests give the journal's socket) */
    enum rtn_log_format format;
};

/* Returns 0 or -errno (file or journal socket cannot be opened); *ret is untouched then. */
int rtn_log_new(const struct rtn_log_options *options, struct rtn_log **ret);

/* Accepts NULL. No thread may have a context that uses it any more. */
void rtn_log_free(struct rtn_log *log);

/* Opens the file again (after rotation): 1, or -errno, and the old file stays in use. Others: nothing, 0. */
int rtn_log_reopen(struct rtn_log *log);

/*
 * What a thread says about itself; lives in thread-local storage as a pointer, so the struct must
 * outlive its use. `level` is shared and may change while running.
 */
struct rtn_log_context {
    struct rtn_log *log;
    const char *server; /* NULL on main */
    const char *thread; /* "get/worker-3" */
    const _Atomic int *level; /* enum rtn_log_level */
};

void rtn_log_set_context(const struct rtn_log_context *context);
const struct rtn_log_context *rtn_log_get_context(void);

/*
 * What threads without a context log by, each under the name that the system knows it by: those of modules. NULL:
 * nothing below error, and that to stderr as plain text. To be set to NULL before the log is freed.
 */
void rtn_log_set_default(const struct rtn_log_context *context);

/*
 * The id of the request that the calling thread handles from now on; NULL: none. Lines carry it. The text must stay
 * until the next call. Returns what was set before.
 */
const char *rtn_log_set_request(const char *id);

/*
 * rtn_log() and rtn_log_enabled() are public (<retinue/types.h>). A line: newlines and control characters in the
 * message are escaped, long messages cut in the middle.
 */
void rtn_logv(enum rtn_log_level level, const char *format, va_list arguments) RTN_PRINTF(2, 0);

/* Lines that could not be written (disk full, journal gone) since start. */
uint64_t rtn_log_drops(const struct rtn_log *log);

#endif
