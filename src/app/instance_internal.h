/* The steps of making an instance: which handlers it gets, and whether they can do what is asked of them. [main] */
#ifndef RTN_APP_INSTANCE_INTERNAL_H
#define RTN_APP_INSTANCE_INTERNAL_H

#include "app/setup.h"

/* Finds the handlers and what follows from them. Without any, after adding an error, `http` and `ws` stay NULL. */
void rtn_instance_choose(struct rtn_instance *instance, const struct rtn_setup *setup);

/* Adds an error for each thing that the handlers and the configuration contradict each other in. */
void rtn_instance_check(const struct rtn_instance *instance, const struct rtn_setup *setup);

/* The thread model that a row of the module's tables is run with. */
static inline enum rtn_threads rtn_instance_threads(const struct rtn_instance *instance, enum rtn_threads of_row)
{
    return of_row != 0 ? of_row : instance->loaded->module.threads;
}

#endif
