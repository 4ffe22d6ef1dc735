/* Timers of modules. [any] */
#ifndef RTN_APP_TIMER_H
#define RTN_APP_TIMER_H

#include "app/dispatch.h"

/* As rtn_timer_start() in <retinue/task.h>, which says what these are. */
struct rtn_timer_spec {
    int64_t after; /* ms, as the next; neither is negative */
    int64_t every;
    void (*fire)(void *data);
    void (*end)(void *data);
    void *data;
};

/* On the loop of the site. *number, when not NULL, is set before anything is called. 0, -ECANCELED or -ENOMEM. */
int rtn_timer_begin(struct rtn_site *site, struct rtn_instance *instance, const struct rtn_timer_spec *spec,
                    uint64_t *number);

#endif
