/*
 * From a complete request to its reply: finds the route, runs the handler where its thread model wants it, and
 * answers for it when it fails. [loop] unless a function says otherwise
 */
#ifndef RTN_APP_DISPATCH_H
#define RTN_APP_DISPATCH_H

#include "app/router.h"
#include "loop/pool.h"
#include "proto/http1.h"

/* What the dispatch on one loop needs; http->data points to it. */
struct rtn_site {
    struct rtn_server *server; /* what handlers get */
    const struct rtn_router *router;
    struct rtn_pool *pool; /* NULL: no handler needs workers */
    enum rtn_log_level access_level;
    struct rtn_list batch; /* tasks of this iteration */
    unsigned batch_count;
};

/* How far a walk over name=value pairs has come. All-zero: not begun. */
struct rtn_pair_cursor {
    size_t index; /* of the next pair */
    struct rtn_str rest;
};

/* The state of one request here; in its arena, request->call. */
struct rtn_call {
    struct rtn_site *site;
    struct rtn_str path; /* decoded */
    struct rtn_str query; /* as sent; absent without '?' */
    struct rtn_pair_cursor query_cursor;
    struct rtn_pair_cursor form_cursor;
    unsigned skip; /* routes that answered RTN_NEXT */
    struct rtn_match match;
};

void rtn_site_init(struct rtn_site *site);

/* Gives the pool the tasks of this iteration; what does not fit is answered with 503. Before every wait. */
void rtn_site_flush(struct rtn_site *site);

/* The callbacks for struct rtn_http1, but `drained`. */
bool rtn_dispatch_request(struct rtn_request *request);
void rtn_dispatch_replied(struct rtn_request *request); /* [any]: the thread that holds the request */
void rtn_dispatch_closed(struct rtn_connection *connection);

/* Per worker thread, from the pool's hooks: the sink that workers write replies to. 0 or -ENOMEM. [worker] */
int rtn_dispatch_worker_begin(void);
void rtn_dispatch_worker_end(void);

/* The instance whose callback runs on this connection now; NULL outside of one. */
struct rtn_instance *rtn_dispatch_instance(const struct rtn_connection *connection);

#endif
