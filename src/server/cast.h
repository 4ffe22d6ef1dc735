/*
 * The instances of a server that live, and the running of their hooks: which of them each thread has started. [main]
 * unless a function says otherwise
 *
 * start, quiesce and stop run on loop 0, thread_start and thread_stop on every loop and worker, each once.
 *
 * Main changes who is there, by epochs: a thread that refreshes itself goes from the epoch that it has seen to the
 * present one, starts what has come in between and stops what has gone. An instance is taken out when every thread has
 * seen that it has gone; until then it stays where it is, and needs no lock.
 */
#ifndef RTN_SERVER_CAST_H
#define RTN_SERVER_CAST_H

#include <pthread.h>

#include "app/instance.h"
#include "app/instances.h"

struct rtn_server;

/* How far the end of an instance is. [main] */
enum rtn_role_stage {
    RTN_ROLE_PLAYING,
    RTN_ROLE_DOOMED, /* nobody refers to it, or it is not to be put in force after all */
    RTN_ROLE_CANCELLING, /* loops cancel what it has running */
    RTN_ROLE_SETTLED, /* that goes on to its end */
    RTN_ROLE_IDLE, /* nothing of it runs */
    RTN_ROLE_LEAVING, /* threads stop it */
    RTN_ROLE_STOPPING /* its stop hook runs */
};

struct rtn_role {
    struct rtn_list node;
    struct rtn_instance *instance;
    enum rtn_role_stage stage;
    unsigned enters; /* the epoch since which threads have it; 0: not yet; guarded by the mutex, as the next */
    unsigned leaves; /* the epoch since which they do not; 0: they do */
    bool entering; /* it has come to a server that serves, and may be refused; guarded by the mutex, as the next */
    unsigned refused; /* a thread could not start it, by its turn among refusals: no other one tries; 0: none */
    bool quiesce_due; /* written while loop 0 does not run hooks, as the next */
    bool stop_due;
    bool started; /* [loop 0], as the rest */
    bool quiesced;
    bool stopped;
};

struct rtn_cast {
    struct rtn_server *server; /* what hooks get */
    struct rtn_instance_keeper keeper;
    struct rtn_instances *registry;
    pthread_mutex_t mutex; /* of the list, whose changes are main's, and of the epochs */
    struct rtn_list roles; /* in the order of start */
    unsigned epoch;
    unsigned refusals;
    struct rtn_mark failed_at; /* the first hook of a new instance that failed; guarded by the mutex, as the next */
    struct rtn_buf failure; /* what is to be said of it; empty: none has */
};

/* In place; keeper and registry are set by the caller. [main] */
void rtn_cast_init(struct rtn_cast *cast, struct rtn_server *server);

/* No thread may run any more. Roles must be out. [main] */
void rtn_cast_done(struct rtn_cast *cast);

/* Modules can name the instance from now on, and it has its keeper; threads do not know of it. 0 or -ENOMEM. [main] */
int rtn_cast_add(struct rtn_cast *cast, struct rtn_instance *instance);

/* NULL: it is not there. [main] */
struct rtn_role *rtn_cast_find(const struct rtn_cast *cast, const struct rtn_instance *instance);

/* The instance has no keeper any more. No thread may have it. [main] */
void rtn_cast_remove(struct rtn_cast *cast, struct rtn_role *role);

/* What failed before is of no interest any more. [main] */
void rtn_cast_forget_failure(struct rtn_cast *cast);

/* Adds an error at the first instance whose start or thread_start failed while it came, if any did. [main] */
void rtn_cast_report_failure(struct rtn_cast *cast, struct rtn_diags *diags);

/* A new epoch: threads have all that are there but those / have those no longer that have come to RTN_ROLE_LEAVING.
 * [main] */
void rtn_cast_let_enter(struct rtn_cast *cast);
void rtn_cast_let_leave(struct rtn_cast *cast);

/* Those that have come stay. -ECANCELED: a thread has refused one of them. [main] */
int rtn_cast_let_stay(struct rtn_cast *cast);

/*
 * The calling thread goes to the present epoch: from nothing when it begins. 0, or -errno of a thread_start, logged:
 * then nothing has changed, but that instances that have gone may go again. [loop] [worker]
 */
int rtn_cast_refresh(struct rtn_cast *cast);

/*
 * The same for a thread that others wait for: of those that are about to come it does without the ones that it cannot
 * start. [worker]
 */
int rtn_cast_follow(struct rtn_cast *cast);

/* The thread ends: thread_stop of all that it has, the last one first. [loop] [worker] */
void rtn_cast_leave(struct rtn_cast *cast);

/* start of those that were not started; the first failure ends it. 0 or -errno, logged. [loop 0] */
int rtn_cast_start(struct rtn_cast *cast);

/* quiesce of those that were started, once: `all`, or those that are due. [loop 0] */
void rtn_cast_quiesce(struct rtn_cast *cast, bool all);

/* stop, the last one first; the same. [loop 0] */
void rtn_cast_stop(struct rtn_cast *cast, bool all);

#endif
