/*
 * A table by loop number. The mutex holds loops in it while somebody looks at them; whoever only posts to one is
 * counted beside it instead, and who takes it out waits for them. The thread of a loop knows its own without looking.
 */
#include "app/loops.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/macros.h"

/* A loop, in a cache line of its own: those who post to one do not wait for those who post to another. */
struct place {
    _Alignas(RTN_CACHE_LINE) _Atomic(struct rtn_http1 *) http; /* NULL: there is none */
    atomic_uint posting; /* threads */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct place places[RTN_LOOPS_MOST]; /* by loop_index; only those that are used become memory */
static unsigned loop_count;
static _Thread_local struct rtn_http1 *here;

int rtn_loops_add(struct rtn_http1 *http)
{
    if (http->loop_index >= RTN_LOOPS_MOST)
        return -ENOMEM;
    pthread_mutex_lock(&mutex);
    atomic_store(&places[http->loop_index].http, http);
    loop_count = RTN_MAX(loop_count, http->loop_index + 1);
    pthread_mutex_unlock(&mutex);
    return 0;
}

/* Posting is short and never waits. */
static void empty(struct place *place)
{
    atomic_store(&place->http, NULL);
    while (atomic_load(&place->posting) > 0)
        (void) sched_yield();
}

void rtn_loops_remove(struct rtn_http1 *http)
{
    pthread_mutex_lock(&mutex);
    if (rtn_loops_at(http->loop_index) == http)
        empty(&places[http->loop_index]);
    while (loop_count > 0 && rtn_loops_at(loop_count - 1) == NULL)
        loop_count--;
    pthread_mutex_unlock(&mutex);
}

void rtn_loops_enter(struct rtn_http1 *http)
{
    here = http;
}

struct rtn_http1 *rtn_loops_here(void)
{
    return here;
}

bool rtn_loops_post(unsigned index, struct rtn_mail *mail)
{
    if (index >= RTN_LOOPS_MOST)
        return false;
    struct place *place = &places[index];
    atomic_fetch_add(&place->posting, 1);
    struct rtn_http1 *http = atomic_load(&place->http);
    if (http != NULL)
        rtn_loop_post(http->loop, mail);
    atomic_fetch_sub(&place->posting, 1);
    return http != NULL;
}

void rtn_loops_lock(void)
{
    pthread_mutex_lock(&mutex);
}

void rtn_loops_unlock(void)
{
    pthread_mutex_unlock(&mutex);
}

unsigned rtn_loops_count(void)
{
    return loop_count;
}

struct rtn_http1 *rtn_loops_at(unsigned index)
{
    return index < loop_count ? atomic_load(&places[index].http) : NULL;
}
