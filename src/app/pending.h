/*
 * What modules have waiting on a loop, by number: timers, watched descriptors, questions. Each is in the table of its
 * loop from its beginning to its end; numbers are looked up there, so that a late one finds nothing. [loop] unless a
 * function says otherwise
 */
#ifndef RTN_APP_PENDING_H
#define RTN_APP_PENDING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/loop.h"

struct rtn_instance;

struct rtn_pending {
    struct rtn_pending *next; /* in the bucket */
    struct rtn_instance *instance; /* whose it is */
    uint64_t number; /* from rtn_pendings_number() */
    bool coming; /* on its way from another thread */
    /* The module or the end of the server wants it ended. It is not in the table any more. */
    void (*cancel)(struct rtn_pending *pending);
};

/* Of one loop. */
struct rtn_pendings {
    unsigned loop_index;
    struct rtn_pending **buckets;
    size_t bucket_count; /* a power of two, or 0 */
    size_t count;
    _Atomic uint64_t numbers; /* given out */
    _Atomic bool ended; /* nothing more is taken */
    _Atomic unsigned coming; /* on their way from other threads */
    pthread_mutex_t mutex; /* `ended` becomes true under it, so that what was brought before is in the mailbox */
};

void rtn_pendings_init(struct rtn_pendings *pendings, unsigned loop_index);

/* All must be out. */
void rtn_pendings_done(struct rtn_pendings *pendings);

/* A new number: the loop's as in ids of connections (http1.h), and a count. Never 0. Any thread. */
uint64_t rtn_pendings_number(struct rtn_pendings *pendings);

/* 0; -ENOMEM; -ECANCELED when it has ended, or its instance is ending: then it is not in the table, and cancel is not
 * called. */
int rtn_pendings_add(struct rtn_pendings *pendings, struct rtn_pending *pending);

/*
 * From a thread that is not the loop: `mail`, which adds it there, is on its way; or -ECANCELED when it has ended. Any
 * thread.
 */
int rtn_pendings_bring(struct rtn_pendings *pendings, struct rtn_loop *loop, struct rtn_pending *pending,
                       struct rtn_mail *mail);

/* Mail of rtn_pendings_bring() is on its way: a number that is not found may still come. */
bool rtn_pendings_expects(const struct rtn_pendings *pendings);

/* NULL: there is none, any more. */
struct rtn_pending *rtn_pendings_find(const struct rtn_pendings *pendings, uint64_t number);

/* Takes it out. */
void rtn_pendings_remove(struct rtn_pendings *pendings, struct rtn_pending *pending);

/* Takes all out and cancels them; from now on nothing more is taken. */
void rtn_pendings_end(struct rtn_pendings *pendings);

/* The same of those whose instance is ending. */
void rtn_pendings_end_ending(struct rtn_pendings *pendings);

#endif
