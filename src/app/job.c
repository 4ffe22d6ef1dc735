/*
 * A job is a task of the pool, within the bound of its queue. Its end goes where callbacks of the instance run: by mail
 * to the loop; as one more task, behind what the instance has to do one at a time; or at once on the same worker.
 * Workers are joined before loops end, so that there always is a loop.
 */
#include "app/job.h"

#include <errno.h>

#include "app/callback.h"
#include "app/step.h"

static bool has_ended(const struct rtn_site *site)
{
    return atomic_load(&site->pendings.ended);
}

static void end(struct rtn_job *job)
{
    struct rtn_instance *instance = job->instance;
    const struct rtn_activity_call before = rtn_callback_enter(instance, "end of a task", NULL);
    job->done(job);
    rtn_callback_leave(&before);
    rtn_instance_over(instance);
}

static void on_mail(struct rtn_mail *mail)
{
    struct rtn_job *job = RTN_CONTAINER_OF(mail, struct rtn_job, mail);
    end(job);
}

static void on_turn(struct rtn_task *task)
{
    struct rtn_job *job = RTN_CONTAINER_OF(task, struct rtn_job, task);
    end(job);
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
        job->task = (struct rtn_task){
            .run = on_turn, .serial = serial, .what = job->instance->place.text, .lane = RTN_LANE_CALLBACKS
        };
        if (rtn_pool_submit_always(job->site->pool, &job->task))
            return;
    }
    end(job);
}

static void run_job(struct rtn_task *task)
{
    struct rtn_job *job = RTN_CONTAINER_OF(task, struct rtn_job, task);
    job->cancelled = has_ended(job->site);
    const struct rtn_activity_call before =
        rtn_callback_enter_for(job->instance, "task", NULL, 0); /* it may take long */
    if (!job->cancelled)
        job->run(job);
    rtn_callback_leave(&before);
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
    if (r == 0 && !rtn_instance_begin(job->instance))
        r = -ECANCELED;
    if (r < 0)
        return r;
    struct rtn_list tasks;
    rtn_list_init(&tasks);
    job->task = (struct rtn_task){ .run = run_job, .what = job->instance->place.text, .lane = RTN_LANE_TASKS };
    rtn_list_append(&tasks, &job->task.node);
    if (rtn_pool_submit(site->pool, &tasks, 1) == 0)
        return 0;
    rtn_instance_over(job->instance);
    return has_ended(site) ? -ECANCELED : -EAGAIN;
}
