/*
 * What modules have waiting on a loop, by number: timers, watched descriptors, questions. Each is in the table of its
 * loop from its beginning to its end; numbers are looked up there, so that a late one finds nothing. [loop] unless a
 * function says otherwise
 */
#ifndef RTN_APP_PENDING_H
#define RTN_APP_PENDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtn_site;

struct rtn_pending {
    struct rtn_pending *next; /* in the bucket */
    uint64_t number; /* from rtn_pendings_number() */
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
};

void rtn_pendings_init(struct rtn_pendings *pendings, unsigned loop_index);

/* All must be out. */
void rtn_pendings_done(struct rtn_pendings *pendings);

/* A new number: the loop's as in ids of connections (http1.h), and a count. Never 0. Any thread. */
uint64_t rtn_pendings_number(struct rtn_pendings *pendings);

/* 0; -ENOMEM; -ECANCELED when it has ended: then it is not in the table, and cancel is not called. */
int rtn_pendings_add(struct rtn_pendings *pendings, struct rtn_pending *pending);

/* NULL: there is none, any more. */
struct rtn_pending *rtn_pendings_find(const struct rtn_pendings *pendings, uint64_t number);

/* Takes it out. */
void rtn_pendings_remove(struct rtn_pendings *pendings, struct rtn_pending *pending);

/* Takes all out and cancels them; from now on nothing more is taken. */
void rtn_pendings_end(struct rtn_pendings *pendings);

#endif
