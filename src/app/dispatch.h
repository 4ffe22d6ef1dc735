/*
 * From the head of a request to its reply: finds the route, says what becomes of the body, and answers where no handler
 * does. What handlers do in between is in step.h. [loop] unless a function says otherwise
 */
#ifndef RTN_APP_DISPATCH_H
#define RTN_APP_DISPATCH_H

#include "app/access.h"
#include "app/client.h"
#include "app/overdue.h"
#include "app/pending.h"
#include "app/router.h"
#include "loop/pool.h"
#include "proto/http1.h"

struct rtn_continuation;

/* What requests are answered by, of one configuration of the server: routing of struct rtn_terms. Frozen. */
struct rtn_routing {
    const struct rtn_router *router;
    const struct rtn_media *media;
    const struct rtn_access *access;
    unsigned generation; /* its number */
};

/* Pipelined replies of one route, in the loop's sink: they end together, when that leaves. */
struct rtn_gathered {
    unsigned count;
    int64_t started_us;
    rtn_stats_cell *durations;
};

/* What the dispatch on one loop needs; http->data points to it. */
struct rtn_site {
    struct rtn_server *server; /* what handlers get */
    struct rtn_http1 *http; /* whose data it is */
    struct rtn_pool *pool; /* NULL: with `threads: 0` */
    struct rtn_list batch; /* tasks of this iteration */
    unsigned batch_count;
    struct rtn_list session_batch; /* the same of connections that take messages */
    unsigned session_batch_count;
    struct rtn_list hub_batch; /* the same of messages */
    unsigned hub_batch_count;
    struct rtn_pendings pendings;
    struct rtn_list young; /* questions, asked a moment ago */
    struct ev_timer sift; /* active while there may be some; when it comes they are not young any more */
    rtn_stats_block unrouted; /* requests that met no route */
    struct rtn_gathered gathered;
    struct rtn_overdue overdue;
};

/* How far a walk over name=value pairs has come. All-zero: not begun. */
struct rtn_pair_cursor {
    size_t index; /* of the next pair */
    struct rtn_str rest;
};

/* The state of one request here; in its arena, request->call. [owner's thread] */
struct rtn_call {
    /* Written before they are read. */
    struct rtn_site *site;
    struct rtn_str authority; /* the host that the client asked for, as it was written */
    uint64_t given_before; /* content of the reply when the step began */
    int64_t queued_us; /* since when it has waited for a worker */
    int64_t ended_us; /* its reply has been sent */
    void *drain_data;
    void *cancel_data;

    /* All-zero at first, up to match.params. */
    struct rtn_str path; /* decoded; absent when no route is looked for */
    struct rtn_str query; /* as sent; absent without '?' */
    struct rtn_str host; /* of rtn_dispatch_host(); data is NULL before it was asked for */
    struct rtn_client client;
    struct rtn_pair_cursor query_cursor;
    struct rtn_pair_cursor form_cursor;
    unsigned skip; /* routes that answered RTN_NEXT */
    bool broken_path; /* answered with 400 */

    /* How far the handler of match.route has come. */
    bool on_worker; /* it answered RTN_WORKER */
    bool begun;
    bool fed; /* it was given some of the body */
    bool handled; /* it was given the end of the body */
    bool armed; /* something will continue it after RTN_LATER */
    bool waits; /* it answered RTN_LATER */
    bool refused; /* its last write was not taken */
    bool failing; /* the request comes to nothing */
    bool upgrade_seen; /* whether it asks for a WebSocket was looked at */
    bool upgrade; /* it does, and may */
    bool accepted; /* the handler takes it */
    bool stepped; /* it was not all there when it first could be handled, or could not be handled at once */
    bool worked; /* a worker had it */
    int fail_status;
    const char *fail_text;
    struct rtn_str subprotocol; /* chosen by the handler */
    int64_t waited_us; /* how long it waited for a worker */
    int64_t worked_us; /* how long workers had it */
    struct rtn_continuation *next; /* to be run in the next step */
    int (*drain)(struct rtn_request *request, void *data);
    void (*cancel)(void *data);
    void *data; /* of rtn_request_set_data() */
    void (*destroy)(void *data);

    struct rtn_match match;
};

static inline struct rtn_call *rtn_call_of(const struct rtn_request *request)
{
    return request->call;
}

static inline struct rtn_site *rtn_site_of(const struct rtn_http1 *http)
{
    return http->data;
}

static inline const struct rtn_routing *rtn_routing_of(const struct rtn_request *request)
{
    return request->terms->routing;
}

void rtn_site_init(struct rtn_site *site);

/* The callbacks for struct rtn_http1, but those of step.h and `drained`. */
void rtn_dispatch_head(struct rtn_request *request);
enum rtn_outcome rtn_dispatch_run(struct rtn_request *request);
void rtn_dispatch_replied(struct rtn_request *request, bool whole); /* [owner's thread] */
void rtn_dispatch_leaving(struct rtn_http1 *http);
void rtn_dispatch_closed(struct rtn_connection *connection);

/* The request has ended without a reply. [owner's thread] */
void rtn_dispatch_count(const struct rtn_request *request);

/* The last part of `closed`: what instances kept on the connection, and the end of it. */
void rtn_dispatch_end_slots(struct rtn_connection *connection);

/* The host that the client asked for, lower case, without port; may be empty. [owner's thread] */
struct rtn_str rtn_dispatch_host(struct rtn_request *request);

/* Finds the route number call->skip and sets the policy. [owner's thread] */
void rtn_dispatch_match(struct rtn_request *request);

/* The reply of a route without a module, or without a route. [owner's thread] */
void rtn_dispatch_answer(struct rtn_request *request);

/* The daemon's own answer; when even that fails the connection is broken. [owner's thread] */
void rtn_dispatch_error(struct rtn_request *request, int status, const char *text);

/* The instance whose callback runs on this connection now; NULL outside of one. [owner's thread] */
struct rtn_instance *rtn_dispatch_instance(const struct rtn_connection *connection);

#endif
