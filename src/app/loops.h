/*
 * The loops of the process, for threads that know a request or a connection by number only: process-wide by nature.
 * [any] unless a function says otherwise
 */
#ifndef RTN_APP_LOOPS_H
#define RTN_APP_LOOPS_H

#include "proto/http1.h"

#define RTN_LOOPS_MOST 1023 /* numbers of loops, which ids hold, end before this */

/* From now on / no longer, numbers of this loop are found. 0 or -ENOMEM. [main] */
int rtn_loops_add(struct rtn_http1 *http);
void rtn_loops_remove(struct rtn_http1 *http);

/* The calling thread is the one of this loop; NULL: of none any more. */
void rtn_loops_enter(struct rtn_http1 *http);

/* The loop that the calling thread is; NULL: it is none. */
struct rtn_http1 *rtn_loops_here(void);

/* Posts to the loop of that number. False: there is none, and the mail is still the caller's. */
bool rtn_loops_post(unsigned index, struct rtn_mail *mail);

/* In between, loops that are found go on to exist. Nothing of a module may be called. */
void rtn_loops_lock(void);
void rtn_loops_unlock(void);

/* One more than the highest number / the loop of that number, NULL: there is none. Between lock and unlock. */
unsigned rtn_loops_count(void);
struct rtn_http1 *rtn_loops_at(unsigned index);

#endif
