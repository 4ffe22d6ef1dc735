/* Functions of modules that run as jobs. */
#include "app/task.h"

#include <errno.h>
#include <stdlib.h>

#include "app/job.h"

struct module_task {
    struct rtn_job job;
    struct rtn_task_spec spec;
    int result;
};

static void run(struct rtn_job *job)
{
    struct module_task *task = RTN_CONTAINER_OF(job, struct module_task, job);
    task->result = task->spec.run(task->spec.data);
}

static void on_done(struct rtn_job *job)
{
    struct module_task *task = RTN_CONTAINER_OF(job, struct module_task, job);
    if (task->spec.done != NULL)
        task->spec.done(job->cancelled ? -ECANCELED : task->result, task->spec.data);
    free(task);
}

int rtn_task_begin(struct rtn_site *site, struct rtn_instance *instance, const struct rtn_task_spec *spec)
{
    struct module_task *task = calloc(1, sizeof(*task));
    if (task == NULL)
        return -ENOMEM;
    task->spec = *spec;
    task->job = (struct rtn_job){
        .site = site, .instance = instance, .run = run, .done = on_done, .quiet = spec->done == NULL
    };
    int r = rtn_job_begin(&task->job);
    if (r < 0)
        free(task);
    return r;
}
