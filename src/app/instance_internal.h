/* The steps of making an instance: which handlers it gets, and whether they can do what is asked of them. [main] */
#ifndef RTN_APP_INSTANCE_INTERNAL_H
#define RTN_APP_INSTANCE_INTERNAL_H

#include "app/setup.h"

/* Finds the handlers and what follows from them; none where an error was added. */
void rtn_instance_choose(struct rtn_instance *instance, const struct rtn_setup *setup);

/* Adds an error for each thing that the handlers and the configuration contradict each other in. */
void rtn_instance_check(const struct rtn_instance *instance, const struct rtn_setup *setup);

/* What all kinds of handlers have. */
struct rtn_instance_handler {
    const char *name;
    enum rtn_threads threads; /* that it is run with when it is alone */
};

#define RTN_INSTANCE_HANDLERS_MAX 4

/* The handlers of all kinds that the instance has; how many. */
size_t rtn_instance_handlers(const struct rtn_instance *instance,
                             struct rtn_instance_handler ret[RTN_INSTANCE_HANDLERS_MAX]);

#endif
