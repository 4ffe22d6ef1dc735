/* References are counted by whoever has one, on whatever thread; the count orders what they did before the release. */
#include "base/shared.h"

#include <stdatomic.h>
#include <stdlib.h>

struct rtn_shared {
    atomic_uint references;
    void (*release)(void *data);
    void *data;
};

struct rtn_shared *rtn_shared_new(void (*release)(void *data), void *data)
{
    struct rtn_shared *shared = malloc(sizeof(*shared));
    if (shared == NULL)
        return NULL;
    atomic_init(&shared->references, 1);
    shared->release = release;
    shared->data = data;
    return shared;
}

void rtn_shared_ref(struct rtn_shared *shared)
{
    atomic_fetch_add_explicit(&shared->references, 1, memory_order_relaxed);
}

void rtn_shared_unref(void *reference)
{
    struct rtn_shared *shared = reference;
    if (atomic_fetch_sub_explicit(&shared->references, 1, memory_order_acq_rel) > 1)
        return;
    shared->release(shared->data);
    free(shared);
}
