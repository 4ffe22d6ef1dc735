/*
 * Where another thread is: a signal has it note its call stack, which is then put into words here. [main]
 *
 * System calls that cannot be restarted (sleeping, polling) come back with EINTR in that thread. What is inside of the
 * kernel and does not take signals gives no answer.
 */
#ifndef RTN_LOOP_BACKTRACE_H
#define RTN_LOOP_BACKTRACE_H

#include <stdbool.h>

#include "base/buf.h"
#include "loop/activity.h"

#define RTN_BACKTRACE_FRAMES 48

struct rtn_backtrace {
    void *frames[RTN_BACKTRACE_FRAMES]; /* the innermost first */
    int count;
    char request_id[132]; /* of the request that the thread handled; "": none */
    struct rtn_activity_call call; /* that it was in then; one without a label: none, or not known */
};

/* The realtime signal that is taken for it; threads must not block it. [any] */
int rtn_backtrace_signal(void);

/*
 * Once, before threads are started. `file_of` knows better names of shared objects than the linker's: it writes one and
 * returns true.
 */
void rtn_backtrace_init(bool (*file_of)(const char *name, char *out, size_t size));

/* Waits a moment for the thread. False: it does not answer. */
bool rtn_backtrace_take(const struct rtn_activity *activity, struct rtn_backtrace *ret);

/* "f+0x12 (m.so) < g+0x3 (retinued)", as far as it fits into `most` bytes. */
void rtn_backtrace_format(const struct rtn_backtrace *backtrace, size_t most, struct rtn_buf *out);

#endif
