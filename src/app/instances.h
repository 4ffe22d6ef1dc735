/*
 * The instances of a server, by what their callbacks get: that is how modules name them. It has those of all programs
 * that are in use. [any]
 */
#ifndef RTN_APP_INSTANCES_H
#define RTN_APP_INSTANCES_H

#include <pthread.h>

#include "app/instance.h"

#define RTN_INSTANCES_CHAINS 64

struct rtn_instances {
    pthread_mutex_t mutex;
    struct rtn_instance *chains[RTN_INSTANCES_CHAINS]; /* guarded by it, as instance->next */
};

/* In place. [main] */
void rtn_instances_init(struct rtn_instances *instances);

/* Those that are left are in no registry afterwards. No thread may look any more. [main] */
void rtn_instances_done(struct rtn_instances *instances);

/* Before its start hook; it leaves when it is freed. [main] */
void rtn_instances_add(struct rtn_instances *instances, struct rtn_instance *instance);
void rtn_instances_remove(struct rtn_instance *instance); /* safe on one that is in none */

/* The instance whose callbacks get `data`, with a reference; NULL: there is none. */
struct rtn_instance *rtn_instances_find(struct rtn_instances *instances, const void *data);

/* For RTN_CLEANUP(rtn_instances_give_back): the reference of a variable. */
void rtn_instances_give_back(struct rtn_instance **instance);

#endif
