/*
 * HTTP/1.1 (RFC 9110, RFC 9112) on the connections of one loop: reading, parsing, the baton between loop and
 * workers, sending, timeouts, closing. [loop] unless a function says otherwise
 */
#ifndef RTN_PROTO_HTTP1_H
#define RTN_PROTO_HTTP1_H

#include "base/map.h"
#include "config/config.h"
#include "loop/loop.h"
#include "proto/connection.h"
#include "proto/sink.h"

/* Upward calls. */
struct rtn_http1_handler {
    /*
     * A complete request, on the loop. Returns true when the reply was given (rtn_response_*), false when it will be
     * finished elsewhere after rtn_http1_hold().
     */
    bool (*request)(struct rtn_request *request);
    /* The reply was given; for the access log. On the thread that holds the request. */
    void (*replied)(struct rtn_request *request);
    /* The connection's socket is gone. Must end in rtn_http1_release(), at once or later on the loop. */
    void (*closed)(struct rtn_connection *connection);
    /* The last connection is gone, after rtn_http1_drain(). */
    void (*drained)(struct rtn_http1 *http);
};

struct rtn_http1 {
    struct rtn_loop *loop;
    const struct rtn_config_server *config;
    struct rtn_policy policy; /* of requests that no route says more about; made by init from the configuration */
    const struct rtn_map *header_fields; /* names (lower case) that handlers see; NULL: all */
    const struct rtn_http1_handler *handler;
    void *data; /* of the layer above */
    unsigned loop_index; /* part of connection ids */
    unsigned connection_limit; /* of this loop */
    void (*room)(struct rtn_http1 *http); /* a connection went away: accepting may go on */

    struct rtn_list connections;
    struct rtn_list dead; /* freed at the end of the iteration */
    unsigned connection_count;
    uint64_t next_id;
    _Atomic bool draining; /* read by workers */
    bool drained;
    struct rtn_wheel wheel;
    struct rtn_sink *sink;
    struct rtn_request *free_requests;
    unsigned free_count;
    _Atomic(struct rtn_request *) returned_requests; /* pushed by workers */
};

/* In place. The members from loop to room are set by the caller before. 0 or -ENOMEM. */
int rtn_http1_init(struct rtn_http1 *http);

/* Every connection must be gone. Any thread, after the loop has ended. */
void rtn_http1_done(struct rtn_http1 *http);

/* Takes over an accepted non-blocking socket (closed on failure). 0 or -ENOMEM. */
int rtn_http1_accept(struct rtn_http1 *http, int fd, const struct sockaddr *peer, socklen_t peer_length);

/* No more keep-alive: idle connections are closed now, the others after their reply. */
void rtn_http1_drain(struct rtn_http1 *http);

/* Closes every connection that the loop holds, whatever it is doing. Returns how many workers still hold. */
unsigned rtn_http1_close_all(struct rtn_http1 *http);

/* End of an iteration: frees connections that died in it. */
void rtn_http1_collect(struct rtn_http1 *http);

/* The request goes to a worker: from now on the connection is its holder's. */
void rtn_http1_hold(struct rtn_request *request);

/*
 * The loop holds the request again: it was not taken after all (queue full), or it came back by the mail of
 * rtn_http1_hand_back(). It may be held again afterwards.
 */
void rtn_http1_take_back(struct rtn_request *request);

/* The reply to a request that was taken back was given: goes on with the connection. */
void rtn_http1_resume(struct rtn_request *request);

/*
 * The worker has given the reply: sends it, and gives the connection back, by mail when something is left to do.
 * The request must not be touched afterwards. [worker]
 */
void rtn_http1_finish(struct rtn_request *request);

/* The worker hands the request back unanswered: `deliver` runs on the loop. [worker] */
void rtn_http1_hand_back(struct rtn_request *request, void (*deliver)(struct rtn_mail *mail));

/* After handler->closed. */
void rtn_http1_release(struct rtn_connection *connection);

/* False once draining. Any thread. */
static inline bool rtn_http1_may_keep_alive(const struct rtn_http1 *http)
{
    return !atomic_load_explicit(&http->draining, memory_order_relaxed);
}

/* http1_parse.c: prepares the request's parser, once. */
void rtn_http1_parser_init(struct rtn_request *request);

/* http1_pool.c: request objects of the loop. take: [loop], NULL when memory is out; give: the holder's thread. */
struct rtn_request *rtn_http1_take_request(struct rtn_http1 *http);
void rtn_http1_give_request(struct rtn_http1 *http, struct rtn_request *request);
void rtn_http1_give_request_from_worker(struct rtn_http1 *http, struct rtn_request *request);
void rtn_http1_free_requests(struct rtn_http1 *http);

#endif
