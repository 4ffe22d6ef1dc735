/* What modules have done on a worker, beside their handlers, and its end, which is one of their callbacks. [any] */
#ifndef RTN_APP_JOB_H
#define RTN_APP_JOB_H

#include "app/dispatch.h"

struct rtn_job {
    struct rtn_site *site;
    struct rtn_instance *instance;
    void (*run)(struct rtn_job *job); /* on a worker */
    void (*done)(struct rtn_job *job); /* where callbacks of the instance run, but see `quiet`; frees the job */
    bool quiet; /* done() calls nothing of the module: any thread will do */
    bool cancelled; /* run() was not called, since the server has ended */
    struct rtn_task task;
    struct rtn_mail mail;
};

/* 0; or nothing is called: -ENOTSUP (no workers), -EAGAIN (the queue is full), -ECANCELED (the server has ended). */
int rtn_job_begin(struct rtn_job *job);

/* As rtn_job_begin() would return now. To be asked before the job is made. */
int rtn_job_check(const struct rtn_site *site);

#endif
