/*
 * How long an instance is needed. Two counts: `users`, who may have its handlers called (programs, connections), and
 * `running`, what it has under way itself (timers, tasks, messages), with one more until it was settled. Nobody touches
 * the instance after giving its own part back: it may be gone then.
 */
#include "app/instance.h"

static void on_unused(struct rtn_mail *mail)
{
    struct rtn_instance *instance = RTN_CONTAINER_OF(mail, struct rtn_instance, unused_mail);
    if (instance->keeper != NULL)
        instance->keeper->unused(instance);
    else
        rtn_instance_free(instance);
}

static void on_idle(struct rtn_mail *mail)
{
    struct rtn_instance *instance = RTN_CONTAINER_OF(mail, struct rtn_instance, idle_mail);
    if (instance->keeper != NULL)
        instance->keeper->idle(instance);
    else
        rtn_instance_free(instance);
}

void rtn_instance_ref(struct rtn_instance *instance)
{
    atomic_fetch_add_explicit(&instance->users, 1, memory_order_relaxed);
}

void rtn_instance_unref(struct rtn_instance *instance)
{
    if (instance == NULL || atomic_fetch_sub_explicit(&instance->users, 1, memory_order_acq_rel) != 1)
        return;
    if (instance->keeper == NULL) {
        rtn_instance_free(instance);
        return;
    }
    if (atomic_exchange(&instance->told, true))
        return;
    instance->unused_mail.deliver = on_unused;
    rtn_mailbox_post(instance->keeper->mailbox, &instance->unused_mail);
}

/* Without any left it was settled: then it is not to be begun again, whatever was seen of `ending`. */
bool rtn_instance_begin(struct rtn_instance *instance)
{
    unsigned before = atomic_load(&instance->running);
    do {
        if (before == 0 || rtn_instance_is_ending(instance))
            return false;
    } while (!atomic_compare_exchange_weak(&instance->running, &before, before + 1));
    return true;
}

void rtn_instance_begin_part(struct rtn_instance *instance)
{
    atomic_fetch_add_explicit(&instance->running, 1, memory_order_relaxed);
}

void rtn_instance_over(struct rtn_instance *instance)
{
    const struct rtn_instance_keeper *keeper = instance->keeper;
    if (atomic_fetch_sub(&instance->running, 1) != 1)
        return;
    instance->idle_mail.deliver = on_idle;
    rtn_mailbox_post(keeper->mailbox, &instance->idle_mail);
}

void rtn_instance_end(struct rtn_instance *instance)
{
    atomic_store(&instance->ending, true);
}

void rtn_instance_settle(struct rtn_instance *instance)
{
    rtn_instance_over(instance);
}
