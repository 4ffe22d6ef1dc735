/* An atomic reference count. [any] */
#ifndef RTN_BASE_REF_H
#define RTN_BASE_REF_H

#include <stdatomic.h>
#include <stdbool.h>

struct rtn_ref {
    atomic_uint count;
};

static inline void rtn_ref_init(struct rtn_ref *ref)
{
    atomic_init(&ref->count, 1);
}

static inline void rtn_ref_get(struct rtn_ref *ref)
{
    atomic_fetch_add_explicit(&ref->count, 1, memory_order_relaxed);
}

/* True for the call that dropped the last reference: the caller frees the object. */
static inline bool rtn_ref_put(struct rtn_ref *ref)
{
    return atomic_fetch_sub_explicit(&ref->count, 1, memory_order_acq_rel) == 1;
}

#endif
