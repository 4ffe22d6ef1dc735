/* A short hash table under a lock, which is held for the look alone. */
#include "app/instances.h"

#include <stdint.h>

#include "app/callback.h"

/* Blocks of memory begin at multiples of 16. */
static struct rtn_instance **chain_of(struct rtn_instances *instances, const void *data)
{
    uintptr_t number = (uintptr_t) data >> 4;
    return &instances->chains[(number ^ number >> 6) % RTN_INSTANCES_CHAINS];
}

void rtn_instances_init(struct rtn_instances *instances)
{
    *instances = (struct rtn_instances){ 0 };
    pthread_mutex_init(&instances->mutex, NULL);
}

void rtn_instances_done(struct rtn_instances *instances)
{
    for (size_t i = 0; i < RTN_INSTANCES_CHAINS; i++) {
        while (instances->chains[i] != NULL)
            rtn_instances_remove(instances->chains[i]);
    }
    pthread_mutex_destroy(&instances->mutex);
}

void rtn_instances_add(struct rtn_instances *instances, struct rtn_instance *instance)
{
    struct rtn_instance **chain = chain_of(instances, instance->data);
    pthread_mutex_lock(&instances->mutex);
    instance->registry = instances;
    instance->next = *chain;
    *chain = instance;
    pthread_mutex_unlock(&instances->mutex);
}

void rtn_instances_remove(struct rtn_instance *instance)
{
    struct rtn_instances *instances = instance->registry;
    if (instances == NULL)
        return;
    pthread_mutex_lock(&instances->mutex);
    struct rtn_instance **at = chain_of(instances, instance->data);
    while (*at != instance)
        at = &(*at)->next;
    *at = instance->next;
    instance->registry = NULL;
    pthread_mutex_unlock(&instances->mutex);
}

/* Most look for the one whose callback they are in: that needs no lock. */
static struct rtn_instance *find_here(const struct rtn_instances *instances, const void *data)
{
    struct rtn_instance *instance = rtn_callback_instance();
    if (instance == NULL || instance->data != data || instance->registry != instances)
        return NULL;
    rtn_instance_ref(instance);
    return instance;
}

struct rtn_instance *rtn_instances_find(struct rtn_instances *instances, const void *data)
{
    struct rtn_instance *here = find_here(instances, data);
    if (here != NULL)
        return here;
    pthread_mutex_lock(&instances->mutex);
    struct rtn_instance *instance = *chain_of(instances, data);
    while (instance != NULL && instance->data != data)
        instance = instance->next;
    if (instance != NULL)
        rtn_instance_ref(instance);
    pthread_mutex_unlock(&instances->mutex);
    return instance;
}

void rtn_instances_give_back(struct rtn_instance **instance)
{
    rtn_instance_unref(*instance);
}
