/*
 * Files that are read and written as jobs. The descriptor is duplicated, so that the module may close its own, and
 * bytes to be written are copied.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/file_bytes.h"
#include "app/job.h"
#include "app/task.h"

struct file_task {
    struct rtn_job job;
    struct rtn_task_file_spec spec;
    int64_t result;
    char bytes[];
};

static void run(struct rtn_job *job)
{
    struct file_task *task = RTN_CONTAINER_OF(job, struct file_task, job);
    const struct rtn_task_file_spec *spec = &task->spec;
    task->result = spec->writes ? rtn_file_bytes_write(spec->fd, spec->offset, task->bytes, spec->length)
                                : rtn_file_bytes_read(spec->fd, spec->offset, task->bytes, spec->length);
}

static void free_task(struct file_task *task)
{
    (void) close(task->spec.fd);
    free(task);
}

static void on_done(struct rtn_job *job)
{
    struct file_task *task = RTN_CONTAINER_OF(job, struct file_task, job);
    task->spec.then(task->bytes, job->cancelled ? -ECANCELED : task->result, task->spec.data);
    free_task(task);
}

static struct file_task *allocate(size_t length)
{
    if (length < SIZE_MAX - sizeof(struct file_task))
        return malloc(sizeof(struct file_task) + length);
    errno = ENOMEM;
    return NULL;
}

/* With a descriptor of its own; NULL with errno. */
static struct file_task *make(struct rtn_site *site, struct rtn_instance *instance,
                              const struct rtn_task_file_spec *spec)
{
    struct file_task *task = allocate(spec->length);
    if (task == NULL)
        return NULL;
    *task =
        (struct file_task){ .job = { .site = site, .instance = instance, .run = run, .done = on_done }, .spec = *spec };
    task->spec.fd = fcntl(spec->fd, F_DUPFD_CLOEXEC, 0);
    if (task->spec.fd < 0) {
        free(task); /* which keeps errno */
        return NULL;
    }
    if (spec->writes && spec->length > 0)
        memcpy(task->bytes, spec->bytes, spec->length);
    return task;
}

int rtn_task_file_begin(struct rtn_site *site, struct rtn_instance *instance, const struct rtn_task_file_spec *spec)
{
    int r = rtn_job_check(site);
    if (r < 0)
        return r;
    struct file_task *task = make(site, instance, spec);
    if (task == NULL)
        return -errno;
    r = rtn_job_begin(&task->job);
    if (r < 0)
        free_task(task);
    return r;
}
