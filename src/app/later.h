/*
 * Requests that go on later: continuations from any thread. [any] unless a function says otherwise
 */
#ifndef RTN_APP_LATER_H
#define RTN_APP_LATER_H

#include "proto/http1.h"

/* One rtn_resume(), on its way to the request. */
struct rtn_continuation {
    struct rtn_resumption resumption;
    int (*then)(struct rtn_request *request, void *data);
    void (*drop)(void *data);
    void *data;
};

/* What a route's request can be resumed by. `id` as in struct rtn_request. Any thread. 0, -ENOENT or -ENOMEM. */
int rtn_later_post(uint64_t id, int (*then)(struct rtn_request *request, void *data), void (*drop)(void *data),
                   void *data);

/* The next continuation for the connection's request; NULL: none has come. [loop] */
struct rtn_continuation *rtn_continuation_take(struct rtn_connection *connection);

/* Runs and frees it; what the handler's function returned. [owner's thread] */
int rtn_continuation_run(struct rtn_continuation *continuation, struct rtn_request *request);

/* Drops and frees it. [any] */
void rtn_continuation_drop(struct rtn_continuation *continuation);

#endif
