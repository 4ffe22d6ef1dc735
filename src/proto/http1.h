/*
 * HTTP/1.1 (RFC 9110, RFC 9112) on the connections of one loop: reading, parsing, the baton between loop and
 * workers, sending, timeouts, closing. [loop] unless a function says otherwise
 */
#ifndef RTN_PROTO_HTTP1_H
#define RTN_PROTO_HTTP1_H

#include "loop/loop.h"
#include "net/clients.h"
#include "proto/connection.h"
#include "proto/directory.h"
#include "proto/line.h"
#include "proto/sink.h"
#include "proto/terms.h"
#include "proto/topics.h"
#include "proto/ws.h"
#include "stats/stats.h"

/* What became of a request when the layer above had its turn. */
enum rtn_outcome {
    RTN_OUTCOME_REPLIED, /* the reply is complete, or was given up */
    RTN_OUTCOME_HELD, /* a worker goes on, after rtn_http1_hold() */
    RTN_OUTCOME_UPGRADED, /* rtn_ws_upgrade() was called: the connection is a WebSocket from now on */
    RTN_OUTCOME_WAITING /* for more of the body (request->reads_body), a resumption, a drain */
};

/* Upward calls. On the loop, unless they say otherwise. */
struct rtn_http1_handler {
    /* The head is complete: says by request->policy what becomes of the body. */
    void (*head)(struct rtn_request *request);
    /*
     * Something has come: the whole request, with RTN_BODY_STREAMED its head or more of its body, a resumption, room
     * for more of the reply; or nothing at all. Goes on with the request as far as it can.
     */
    enum rtn_outcome (*run)(struct rtn_request *request);
    /* An active request comes to nothing. The status is for a reply that was not begun; 0: the client has gone. */
    enum rtn_outcome (*fail)(struct rtn_request *request, int status, const char *text);
    /*
     * A reply is about to begin, with content of `length` (-1: not known): what is it to be encoded with? NULL:
     * nothing. May add fields to it. Asked only with `compression` in the configuration. On the thread that holds the
     * request. The callback may be NULL.
     */
    struct rtn_encoder *(*encode)(struct rtn_request *request, int status, int64_t length);
    /*
     * The reply has been sent, or will never be sent `whole`: for the access log. Of pipelined replies, it is about to
     * be. response.length is what was sent. On the thread that holds the request.
     */
    void (*replied)(struct rtn_request *request, bool whole);
    /* What the loop's sink holds is about to leave: the replies that were told of before. NULL: nobody asks. [loop] */
    void (*leaving)(struct rtn_http1 *http);
    /* A worker did not come back in time: the client has got 504 (`answered`), or was cut off. What the worker holds
     * must not be looked at. */
    void (*taken)(struct rtn_connection *connection, bool answered);
    /* Files are next to be sent: has rtn_http1_send_files() called on a worker. */
    void (*send_files)(struct rtn_connection *connection);
    /*
     * The connection's socket is gone; its request, when there is one, may still be active. Must end in
     * rtn_http1_release(), at once or later on the loop.
     */
    void (*closed)(struct rtn_connection *connection);
    /* The last connection is gone, after rtn_http1_drain(). */
    void (*drained)(struct rtn_http1 *http);

    /* With rtn_http1_set_terms(). */

    /*
     * The connection's session is under other terms than these, which are in force now: its new policy (struct
     * rtn_ws_policy or rtn_line_policy, by its kind), if it is to be moved there; NULL: it stays. May be NULL.
     */
    const void *(*move)(struct rtn_connection *connection, const struct rtn_terms *terms);
    /* The same for what is ordered: the policy is copied. NULL: it keeps its own. May be NULL. */
    const struct rtn_ws_policy *(*move_client)(struct rtn_ws_client *client, const struct rtn_terms *terms);
    /* What handlers keep on the connection is not for the terms in force: it is not kept alive. May be NULL. */
    bool (*is_outdated)(const struct rtn_connection *connection);
    /* Nobody holds these any more, which are not in force. */
    void (*terms_unused)(struct rtn_http1 *http, struct rtn_terms *terms);
};

struct rtn_http1 {
    struct rtn_loop *loop;
    struct rtn_terms *terms; /* in force; changed by rtn_http1_set_terms() */
    const struct rtn_http1_handler *handler;
    void *data; /* of the layer above */
    unsigned loop_index; /* part of connection ids */
    const struct rtn_session_events *session_events;
    const struct rtn_ws_events *ws_events;
    const struct rtn_line_events *line_events;
    struct rtn_resolver *resolver; /* for outgoing connections */
    void (*room)(struct rtn_http1 *http); /* a connection went away: accepting may go on */
    struct rtn_clients *clients; /* of the whole server; NULL: clients have no limits of their own */

    _Atomic unsigned old_terms; /* that are not in force but in use; read by workers */
    rtn_stats_block stats; /* of the server; by init */
    struct rtn_list connections;
    struct rtn_list dead; /* freed at the end of the iteration */
    unsigned connection_count;
    unsigned outgoing_count; /* of them, that we made */
    unsigned late_clients; /* connections to come in which a request is not looked for before the system tells of it */
    unsigned late_streak; /* how many these were the last time */
    struct rtn_directory directory;
    uint32_t request_count; /* makes ids of requests unique */
    _Atomic bool draining; /* read by workers */
    bool patient; /* while draining: idle clients are not cut at once, since a request may be on its way */
    _Atomic uint64_t timed_out; /* requests that got 504 since a worker did not come back; read by main, as the next */
    _Atomic uint64_t cut_off; /* that were cut off, since their replies had begun */
    bool drained;
    struct rtn_wheel wheel;
    struct rtn_sink *sink;
    unsigned char host_length; /* 0: none was seen */
    char host[63]; /* of the last Host field that was good */
    struct rtn_request *free_requests;
    unsigned free_count;
    _Atomic(struct rtn_request *) returned_requests; /* pushed by workers */

    struct rtn_list unsent; /* sessions that have something to send at the end of the iteration */
    unsigned char *session_input; /* what all of them read into; made when first used */
    struct rtn_round round; /* what this iteration sends to sessions */
    struct rtn_ws_reader *ws_reader; /* that no WebSocket needs; NULL: none */
    struct rtn_buf ws_scratch; /* compressed messages on their way to a queue */
    unsigned char ws_masks[1024]; /* random bytes, of which the first ws_masks_left were not used */
    size_t ws_masks_left;
    struct rtn_list ws_clients; /* struct rtn_ws_client */
    struct rtn_topics topics;
};

/* In place. The members from loop to room are set by the caller before. 0 or -ENOMEM. */
int rtn_http1_init(struct rtn_http1 *http);

/* Every connection must be gone. Any thread, after the loop has ended. */
void rtn_http1_done(struct rtn_http1 *http);

/*
 * Takes over an accepted non-blocking socket (closed on failure). 0 or -ENOMEM. With proxy_protocol, a trusted peer
 * begins with a PROXY header.
 */
int rtn_http1_accept(struct rtn_http1 *http, int fd, const struct sockaddr *peer, socklen_t peer_length,
                     bool proxy_protocol);

/*
 * The same for an end of a socket pair whose other end is standard input and output. Only with terms->lines; lines end
 * with LF there.
 */
int rtn_http1_accept_stdio(struct rtn_http1 *http, int fd);

/* No more keep-alive: idle connections are closed now, the others after their reply. */
void rtn_http1_drain(struct rtn_http1 *http);

/* Closes every connection that the loop holds, whatever it is doing. Returns how many workers still hold. */
unsigned rtn_http1_close_all(struct rtn_http1 *http);

/* End of an iteration: frees connections that died in it. */
void rtn_http1_collect(struct rtn_http1 *http);

/* The request goes to a worker: from now on the connection is its holder's. 0, or -ENOMEM: it is not. */
int rtn_http1_hold(struct rtn_request *request);

/* The loop holds the request again: no worker takes it, since the queue is full or nobody is left. */
void rtn_http1_take_back(struct rtn_request *request);

/* What the layer above was told later than by the return of its callback: goes on with the connection. */
void rtn_http1_proceed(struct rtn_connection *connection, enum rtn_outcome outcome);

/* The worker begins with the request. False: it was taken away meanwhile, and has to be handed back. [worker] */
bool rtn_http1_begin_work(struct rtn_connection *connection);

/*
 * The worker has given the reply: sends it, and gives the connection back, by mail when something is left to do.
 * The request must not be touched afterwards. [worker]
 */
void rtn_http1_finish(struct rtn_request *request);

/* The worker hands the request back without a complete reply: handler->run follows on the loop. [worker] */
void rtn_http1_hand_back(struct rtn_request *request);

/*
 * Reads once and parses, while the body is not complete. True when there is something new: content, its end, or a
 * failure (stage RTN_REQUEST_BROKEN, or connection->broken). False: nothing came, the loop must wait for it. [worker]
 */
bool rtn_http1_fill(struct rtn_request *request);

/* Tries again to send what waits for the socket, which no loop watches for a worker. 0 or -errno. [worker] */
int rtn_http1_send_queued(struct rtn_request *request);

/* Waits until rtn_response_full() is false. 0, -ETIMEDOUT after the write timeout without progress, -errno. [worker] */
int rtn_http1_wait_for_room(struct rtn_request *request);

/* Sends the files that are queued, as far as the socket takes them; the connection goes back by mail. [worker] */
void rtn_http1_send_files(struct rtn_connection *connection);

/* Closes a connection that nobody can serve any more. */
void rtn_http1_abandon(struct rtn_connection *connection);

/* After handler->closed. Frees the request that the connection may still have. */
void rtn_http1_release(struct rtn_connection *connection);

/* Something for the request of that id from outside: lies on the connection until the layer above takes it. */
struct rtn_resumption {
    struct rtn_mail mail; /* deliver is set by the function below */
    struct rtn_http1 *http; /* the same */
    struct rtn_resumption *next; /* on the connection */
    uint64_t id;
    void (*drop)(struct rtn_resumption *resumption); /* the request is gone */
};

/* Any thread, while the loop exists. */
void rtn_http1_post(struct rtn_http1 *http, struct rtn_resumption *resumption);

/* The next resumption of the connection's request, taken out; NULL when there is none. */
struct rtn_resumption *rtn_http1_next_resumption(struct rtn_connection *connection);

/*
 * Ids of requests, from the top: 10 bits of the loop's number and one, 20 of the connection's number in the directory,
 * 3 that tell handlers of one request apart, 31 that tell requests of one slot apart. Never 0. The configuration has at
 * most 1000 loops. The first two are those of the connection's own id.
 */
static inline uint64_t rtn_http1_make_id(uint64_t connection_id, uint32_t count)
{
    return (connection_id >> 34 << 34) | (count & 0x7fffffff);
}

/* Of the same request, when another handler gets it. */
static inline uint64_t rtn_http1_next_id(uint64_t id)
{
    const uint64_t handler = UINT64_C(7) << 31;
    return (id & ~handler) | ((id + (UINT64_C(1) << 31)) & handler);
}

static inline unsigned rtn_http1_loop_of(uint64_t id)
{
    return (unsigned) (id >> 54) - 1;
}

/* Replies from now on say that they are the last. Before rtn_http1_drain(), which says so too. */
static inline void rtn_http1_end_keep_alive(struct rtn_http1 *http)
{
    atomic_store_explicit(&http->draining, true, memory_order_relaxed);
}

/* False once draining. Any thread. */
static inline bool rtn_http1_may_keep_alive(const struct rtn_http1 *http)
{
    return !atomic_load_explicit(&http->draining, memory_order_relaxed);
}

/*
 * True while what is given back may be the last user of terms that are not in force. In one order for all with what
 * workers give back. Any thread.
 */
static inline bool rtn_http1_has_old_terms(const struct rtn_http1 *http)
{
    return atomic_load(&http->old_terms) > 0;
}

/* http1_parse.c: prepares the request's parser, once. */
void rtn_http1_parser_init(struct rtn_request *request);

/* http1_pool.c: request objects of the loop. take: [loop], NULL when memory is out; give: the holder's thread.
 * give_unused: [loop], one that nothing was done with since it was taken or cleared. */
struct rtn_request *rtn_http1_take_request(struct rtn_http1 *http);
void rtn_http1_give_request(struct rtn_http1 *http, struct rtn_request *request);
void rtn_http1_give_unused_request(struct rtn_http1 *http, struct rtn_request *request);
void rtn_http1_give_request_from_worker(struct rtn_http1 *http, struct rtn_request *request);

/* The request takes the terms in force instead of those that it has. [loop] */
void rtn_http1_take_terms(struct rtn_request *request);

/* Other terms are in force: objects that are kept for another number of fields go. [loop] */
void rtn_http1_fit_requests(struct rtn_http1 *http);

/* What workers have given back comes to the others. [loop] */
void rtn_http1_collect_requests(struct rtn_http1 *http);
void rtn_http1_free_requests(struct rtn_http1 *http);

#endif
