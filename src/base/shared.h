/*
 * One release that several wait for: something that is used in many places, and given back when the last of them is
 * done with it. [any]
 */
#ifndef RTN_BASE_SHARED_H
#define RTN_BASE_SHARED_H

struct rtn_shared;

/* One reference, the caller's. NULL when memory is out. */
struct rtn_shared *rtn_shared_new(void (*release)(void *data), void *data);

void rtn_shared_ref(struct rtn_shared *shared);

/* The last one calls release(data). Takes a void pointer so that it can be a release itself. */
void rtn_shared_unref(void *reference);

#endif
