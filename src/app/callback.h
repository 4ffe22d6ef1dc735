/*
 * Around every call into a module: whose callback the thread is in, for whoever looks at it from outside (see
 * activity.h). Calls nest. [any]
 */
#ifndef RTN_APP_CALLBACK_H
#define RTN_APP_CALLBACK_H

#include "app/instance.h"
#include "base/macros.h"
#include "loop/activity.h"

/* `what` and `name` stay as long as the call: texts of the daemon or of the module. */
static inline struct rtn_activity_call rtn_callback_enter(const struct rtn_instance *instance, const char *what,
                                                          const char *name)
{
    const struct rtn_activity_call call = {
        .label = &instance->label, .what = what, .name = name, .limit_ms = RTN_ACTIVITY_USUAL
    };
    return rtn_activity_enter(&call);
}

/* The instance whose callback the calling thread is in, which it keeps there meanwhile; NULL: none. */
static inline struct rtn_instance *rtn_callback_instance(void)
{
    const struct rtn_activity *here = rtn_activity_here();
    const struct rtn_activity_label *label =
        here != NULL ? atomic_load_explicit(&here->label, memory_order_relaxed) : NULL;
    return label != NULL ? RTN_CONTAINER_OF((uintptr_t) label, struct rtn_instance, label) : NULL;
}

/* The same as enter with a time of its own; 0: as long as it likes. */
RTN_INLINE struct rtn_activity_call rtn_callback_enter_for(const struct rtn_instance *instance, const char *what,
                                                           const char *name, int64_t limit_ms)
{
    const struct rtn_activity_call call = {
        .label = &instance->label, .what = what, .name = name, .limit_ms = limit_ms, .firm = true
    };
    return rtn_activity_enter(&call);
}

RTN_INLINE void rtn_callback_leave(const struct rtn_activity_call *before)
{
    rtn_activity_leave(before);
}

#endif
