/*
 * The loops of the process, for threads that know a request or a connection by number only: process-wide by nature.
 * [any] unless a function says otherwise
 */
#ifndef RTN_APP_LOOPS_H
#define RTN_APP_LOOPS_H

#include "proto/http1.h"

#define RTN_LOOPS_MOST 1023 /* numbers of loops in ids end before this */

/* From now on / no longer, numbers of this loop are found. 0 or -ENOMEM. [main] */
int rtn_loops_add(struct rtn_http1 *http);
void rtn_loops_remove(struct rtn_http1 *http);

/* The calling thread is the one of this loop; NULL: of none any more. */
void rtn_loops_enter(struct rtn_http1 *http);

/* The loop that the calling thread is; NULL: it is none. */
struct rtn_http1 *rtn_loops_here(void);

/*
 * The loop of that number, which exists until rtn_loops_release(); NULL: there is none (release all the same). Nothing
 * of a module may be called in between.
 */
struct rtn_http1 *rtn_loops_hold(unsigned index);
void rtn_loops_release(void);

/* One more than the highest number; between hold and release. */
unsigned rtn_loops_count(void);
struct rtn_http1 *rtn_loops_at(unsigned index);

#endif
