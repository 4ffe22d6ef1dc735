/*
 * A job is a task of the pool, within the bound of its queue. Its end goes where callbacks of the instance run: by mail
 * to the loop; as one more task, behind what the instance has to do one at a time; or at once on the same worker.
 * Workers are joined before loops end, so that there always is a loop.
 */
#include "app/job.h"

#include <errno.h>

#include "app/step.h"

static bool has_ended(const struct rtn_site *site)
{
    return atomic_load(&site->pendings.ended);
}

static void on_mail(struct rtn_mail *mail)
{
    struct rtn_job *job = RTN_CONTAINER_OF(mail, struct rtn_job, mail);
    job->done(job);
}

static void on_turn(struct rtn_task *task)
{
    struct rtn_job *job = RTN_CONTAINER_OF(task, struct rtn_job, task);
    job->done(job);
}

static void finish(struct rtn_job *job)
{
    struct rtn_serial *serial = rtn_step_serial(job->instance);
    if (!job->quiet && job->instance->threads == RTN_THREADS_LOOP) {
        job->mail.deliver = on_mail;
        rtn_loop_post(job->site->http->loop, &job->mail);
        return;
    }
    if (!job->quiet && serial != NULL) {
        job->task = (struct rtn_task){ .run = on_turn, .serial = serial, .what = job->instance->place.text };
        if (rtn_pool_submit_always(job->site->pool, &job->task))
            return;
    }
    job->done(job);
}

static void run_job(struct rtn_task *task)
{
    struct rtn_job *job = RTN_CONTAINER_OF(task, struct rtn_job, task);
    job->cancelled = has_ended(job->site);
    if (!job->cancelled)
        job->run(job);
    finish(job);
}

int rtn_job_check(const struct rtn_site *site)
{
    if (has_ended(site))
        return -ECANCELED;
    return site->pool != NULL ? 0 : -ENOTSUP;
}

int rtn_job_begin(struct rtn_job *job)
{
    struct rtn_site *site = job->site;
    int r = rtn_job_check(site);
    if (r < 0)
        return r;
    struct rtn_list tasks;
    rtn_list_init(&tasks);
    job->task = (struct rtn_task){ .run = run_job, .what = job->instance->place.text, .lane = RTN_LANE_TASKS };
    rtn_list_append(&tasks, &job->task.node);
    if (rtn_pool_submit(site->pool, &tasks, 1) == 0)
        return 0;
    return has_ended(site) ? -ECANCELED : -EAGAIN;
}
