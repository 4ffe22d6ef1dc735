/*
 * The way back to a request that was answered with RTN_LATER: its id names a loop, a slot of that loop, and a count
 * that tells requests of one slot apart. A continuation is posted to the loop, which finds the request or finds that
 * it is gone. The mutex holds loops in the table while somebody posts to them.
 */
#include "app/later.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/macros.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct rtn_http1 **loops; /* by loop_index */
static unsigned loop_count;

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

int rtn_later_add_loop(struct rtn_http1 *http)
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

void rtn_later_remove_loop(struct rtn_http1 *http)
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

static struct rtn_continuation *continuation_of(struct rtn_resumption *resumption)
{
    return RTN_CONTAINER_OF(resumption, struct rtn_continuation, resumption);
}

void rtn_continuation_drop(struct rtn_continuation *continuation)
{
    if (continuation->drop != NULL)
        continuation->drop(continuation->data);
    free(continuation);
}

static void drop_resumption(struct rtn_resumption *resumption)
{
    rtn_continuation_drop(continuation_of(resumption));
}

static int post(uint64_t id, struct rtn_resumption *resumption)
{
    pthread_mutex_lock(&mutex);
    unsigned index = rtn_http1_loop_of(id);
    struct rtn_http1 *http = index < loop_count ? loops[index] : NULL;
    if (http != NULL)
        rtn_http1_post(http, resumption);
    pthread_mutex_unlock(&mutex);
    return http != NULL ? 0 : -ENOENT;
}

int rtn_later_post(uint64_t id, int (*then)(struct rtn_request *request, void *data), void (*drop)(void *data),
                   void *data)
{
    struct rtn_continuation *continuation = malloc(sizeof(*continuation));
    if (continuation == NULL) {
        if (drop != NULL)
            drop(data);
        return -ENOMEM;
    }
    *continuation = (struct rtn_continuation){
        .resumption = { .id = id, .drop = drop_resumption }, .then = then, .drop = drop, .data = data
    };
    int r = post(id, &continuation->resumption);
    if (r < 0)
        rtn_continuation_drop(continuation);
    return r;
}

struct rtn_continuation *rtn_continuation_take(struct rtn_connection *connection)
{
    struct rtn_resumption *resumption = rtn_http1_next_resumption(connection);
    return resumption != NULL ? continuation_of(resumption) : NULL;
}

int rtn_continuation_run(struct rtn_continuation *continuation, struct rtn_request *request)
{
    int r = continuation->then(request, continuation->data);
    free(continuation);
    return r;
}
