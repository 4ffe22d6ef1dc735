/* Errands: in place on the loop, or as a task past the bound of the pool's queue, which comes back by mail. */
#include "app/errand.h"

#include "app/callback.h"
#include "app/step.h"

static void on_returned(struct rtn_mail *mail)
{
    struct rtn_errand *errand = RTN_CONTAINER_OF(mail, struct rtn_errand, mail);
    errand->done(errand);
}

static void run(struct rtn_errand *errand)
{
    const struct rtn_activity_call before = rtn_callback_enter(errand->instance, errand->what, NULL);
    errand->run(errand);
    rtn_callback_leave(&before);
}

/* An errand that does not come back may be gone when it has run. */
static void run_on_worker(struct rtn_task *task)
{
    struct rtn_errand *errand = RTN_CONTAINER_OF(task, struct rtn_errand, task);
    bool returns = errand->done != NULL;
    run(errand);
    if (!returns)
        return;
    errand->mail.deliver = on_returned;
    rtn_loop_post(errand->site->http->loop, &errand->mail);
}

static bool give_to_worker(struct rtn_errand *errand)
{
    struct rtn_instance *instance = errand->instance;
    if (instance->threads == RTN_THREADS_LOOP || errand->site->pool == NULL)
        return false;
    errand->task = (struct rtn_task){ .run = run_on_worker,
                                      .serial = rtn_step_serial(instance),
                                      .what = instance->place.text,
                                      .lane = RTN_LANE_CALLBACKS };
    return rtn_pool_submit_always(errand->site->pool, &errand->task);
}

void rtn_errand_go(struct rtn_errand *errand)
{
    if (give_to_worker(errand))
        return;
    bool returns = errand->done != NULL;
    run(errand);
    if (returns)
        errand->done(errand);
}
