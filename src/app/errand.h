/*
 * Something to be called where the callbacks of an instance run: at once on the loop, or by a task on a worker, after
 * which the loop has it again. [loop] unless a function says otherwise
 */
#ifndef RTN_APP_ERRAND_H
#define RTN_APP_ERRAND_H

#include "app/dispatch.h"

struct rtn_errand {
    struct rtn_site *site;
    struct rtn_instance *instance;
    const char *what; /* is called: "timer" */
    void (*run)(struct rtn_errand *errand); /* on the kind of thread that the instance's handlers run on */
    void (*done)(struct rtn_errand *errand); /* on the loop, when run has returned; may free the errand; may be NULL */
    struct rtn_task task;
    struct rtn_mail mail;
};

/*
 * Has run() called, then done(). On the loop both are called before this returns. Without workers any more the loop
 * does it.
 */
void rtn_errand_go(struct rtn_errand *errand);

#endif
