/*
 * The way back to a request that was answered with RTN_LATER: its id names a loop, a slot of that loop, and a count
 * that tells requests of one slot apart. A continuation is posted to the loop, which finds the request or finds that
 * it is gone.
 */
#include "app/later.h"

#include <errno.h>
#include <stdlib.h>

#include "app/loops.h"
#include "base/macros.h"

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
    rtn_loops_lock();
    struct rtn_http1 *http = rtn_loops_at(rtn_http1_loop_of(id));
    if (http != NULL)
        rtn_http1_post(http, resumption);
    rtn_loops_unlock();
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
