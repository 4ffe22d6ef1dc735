/*
 * Callbacks that take too long: looked for, named in the log, counted. [main]
 *
 * Looked at is what a callback was in at the look before, so that what is shorter than the time between two looks may
 * go unseen. Of each there is one warning, one more each time that its duration has grown tenfold, and a line when it
 * ends.
 */
#ifndef RTN_LOOP_STALLS_H
#define RTN_LOOP_STALLS_H

#include <stddef.h>

#include "base/json.h"
#include "loop/activity.h"

#define RTN_STALLS_LOOK_MS 200
#define RTN_STALLS_QUIET_LOOKS 5 /* in a row, and the looks may end until somebody wakes */
#define RTN_STALLS_REST_MS 10000 /* for what wakes nobody, as counters */

struct rtn_stall_view {
    const char *server;
    const struct rtn_watched *watched; /* of that server: others may have had its name before */
    const char *thread;
    const char *kind; /* "loop" or "worker" */
    const char *text; /* route "/x": module m: handler h */
    const char *request_id; /* "": none */
    int64_t ms; /* so far */
    const char *backtrace; /* of the last report; "": there is none */
};

struct rtn_activity_view {
    const char *server; /* "": main */
    const char *thread;
    enum rtn_activity_kind kind;
    const char *place; /* these four are NULL outside of callbacks */
    const char *module;
    const char *what; /* "handler", "timer" */
    const char *name; /* of the handler; NULL: none */
    int64_t running_ms;
    bool stalled;
    bool blocked;
};

/* One look at all threads. */
void rtn_stalls_look(void);

/* The thread ends, and with it what was reported of it: it is not stuck any more. [the thread itself] */
void rtn_stalls_forget(struct rtn_activity *activity);

/* The callbacks that are stuck now. `report` is called under a leaf lock. [any] */
void rtn_stalls_each(void (*report)(const struct rtn_stall_view *view, void *data), void *data);

/* The same as a member "stuck", an array of objects. [any] */
void rtn_stalls_put(struct rtn_json *json);

/* What all threads run now. */
void rtn_stalls_activities(void (*report)(const struct rtn_activity_view *view, void *data), void *data);

/*
 * True when every loop has come round since the last call, or waits for events. False: `why` names one that has not.
 */
bool rtn_stalls_loops_progress(char *why, size_t size);

#endif
