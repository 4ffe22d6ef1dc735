/*
 * How many lines there are about requests whose handlers have no time left (timeouts.handler). Each request gets its
 * own while they are few. A handler that is stuck under load would fill the log, though: past the first few of a second
 * they are counted, and told in one line at its end. [loop]
 */
#ifndef RTN_APP_OVERDUE_H
#define RTN_APP_OVERDUE_H

#include <ev.h>
#include <stdbool.h>

#define RTN_OVERDUE_MOST 10 /* lines of their own in a second, which begins with the first */

/* What became of one. */
enum rtn_overdue_end {
    RTN_OVERDUE_ANSWERED, /* the client gets 504 */
    RTN_OVERDUE_CUT, /* its reply had begun, and is cut off */
    RTN_OVERDUE_ENDS
};

struct rtn_overdue {
    struct ev_loop *ev;
    struct ev_timer second; /* active from the first line on, until one passes without any */
    unsigned told; /* in it */
    unsigned untold[RTN_OVERDUE_ENDS];
};

void rtn_overdue_init(struct rtn_overdue *overdue, struct ev_loop *ev);

/* At the end of the loop: tells what was counted. */
void rtn_overdue_done(struct rtn_overdue *overdue);

/* One more. True when a line of its own is to tell of it; false: it was counted. */
bool rtn_overdue_note(struct rtn_overdue *overdue, enum rtn_overdue_end end);

#endif
