/*
 * What the files of the HTTP/1.1 connection share: http1.c (the states), http1_worker.c (the baton), and
 * http1_connections.c (which connections there are). [loop] unless a function says otherwise
 */
#ifndef RTN_PROTO_HTTP1_INTERNAL_H
#define RTN_PROTO_HTTP1_INTERNAL_H

#include "proto/http1.h"

static inline int64_t rtn_http1_now_ms(const struct rtn_http1 *http)
{
    return http->loop->now_ms;
}

static inline const struct rtn_config_timeouts *rtn_http1_timeouts(const struct rtn_http1 *http)
{
    return &http->config->timeouts;
}

/* Sets the time by which something has to happen, from now. */
void rtn_http1_set_deadline(struct rtn_connection *connection, int64_t timeout_ms);

/* Closes the socket now; the object lives until its callbacks have run and the iteration ends. */
void rtn_http1_close(struct rtn_connection *connection, enum rtn_close_cause cause, const char *detail);

/* For a connection without a request while draining: one that has arrived but was not read yet is still served. */
void rtn_http1_close_idle(struct rtn_connection *connection);

/* Reads once and goes on with what came. */
void rtn_http1_read(struct rtn_connection *connection);

/* Watcher, mail and wheel callbacks. */
void rtn_http1_on_readable(struct ev_loop *ev, struct ev_io *watcher, int events);
void rtn_http1_on_writable(struct ev_loop *ev, struct ev_io *watcher, int events);
void rtn_http1_on_mail(struct rtn_mail *mail);
int64_t rtn_http1_on_due(struct rtn_timeout *timeout, int64_t now);

/* Sends what the sink holds for this connection; a failure is noted in connection->broken. [owner's thread] */
void rtn_http1_send_sink(struct rtn_connection *connection, struct rtn_sink *sink);

/* True while no worker holds the connection; what the worker wrote is visible then. */
bool rtn_http1_is_held_by_loop(const struct rtn_connection *connection);

/* True when a worker holds the connection; it will then tell the loop, which does not read until then. */
bool rtn_http1_leave_to_worker(struct rtn_connection *connection);

#endif
