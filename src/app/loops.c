/*
 * A table by loop number. The mutex holds loops in it while somebody posts to them; the thread of a loop knows its own
 * without looking.
 */
#include "app/loops.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/macros.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct rtn_http1 **loops; /* by loop_index */
static unsigned loop_count;
static _Thread_local struct rtn_http1 *here;

static int reserve(unsigned index)
{
    if (index < loop_count)
        return 0;
    unsigned count = RTN_MAX(16, RTN_MAX(index + 1, loop_count * 2));
    struct rtn_http1 **larger = realloc(loops, count * sizeof(struct rtn_http1 *));
    if (larger == NULL)
        return -ENOMEM;
    for (unsigned i = loop_count; i < count; i++)
        larger[i] = NULL;
    loops = larger;
    loop_count = count;
    return 0;
}

int rtn_loops_add(struct rtn_http1 *http)
{
    pthread_mutex_lock(&mutex);
    int r = reserve(http->loop_index);
    if (r == 0)
        loops[http->loop_index] = http;
    pthread_mutex_unlock(&mutex);
    return r;
}

static bool is_empty(void)
{
    for (unsigned i = 0; i < loop_count; i++) {
        if (loops[i] != NULL)
            return false;
    }
    return true;
}

void rtn_loops_remove(struct rtn_http1 *http)
{
    pthread_mutex_lock(&mutex);
    if (http->loop_index < loop_count && loops[http->loop_index] == http)
        loops[http->loop_index] = NULL;
    if (is_empty()) {
        free(loops);
        loops = NULL;
        loop_count = 0;
    }
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
    pthread_mutex_lock(&mutex);
    struct rtn_http1 *http = rtn_loops_at(index);
    if (http != NULL)
        rtn_loop_post(http->loop, mail);
    pthread_mutex_unlock(&mutex);
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
    return index < loop_count ? loops[index] : NULL;
}
