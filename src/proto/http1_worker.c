/*
 * The baton between a loop and a worker. A worker that is done sends its reply itself and gives the connection back
 * by changing one word; only when something is left to do (unsent bytes, pipelined input, a close, or the loop has
 * asked for it by RTN_OWNER_CALL) does it post the connection's mail.
 */
#include "base/clock.h"
#include "proto/http1_internal.h"

bool rtn_http1_is_held_by_loop(const struct rtn_connection *connection)
{
    return atomic_load_explicit(&connection->owner, memory_order_acquire) == RTN_OWNER_LOOP;
}

bool rtn_http1_leave_to_worker(struct rtn_connection *connection)
{
    if (rtn_http1_is_held_by_loop(connection))
        return false;
    int owner = RTN_OWNER_WORKER;
    if (atomic_compare_exchange_strong_explicit(&connection->owner, &owner, RTN_OWNER_CALL, memory_order_acq_rel,
                                                memory_order_acquire))
        return true;
    return owner != RTN_OWNER_LOOP;
}

void rtn_http1_send_sink(struct rtn_connection *connection, struct rtn_sink *sink)
{
    if (sink->length == 0)
        return;
    struct rtn_piece piece = { .data = sink->data, .length = sink->length };
    sink->length = 0;
    int r = rtn_stream_send(&connection->stream, &piece, 1);
    if (r < 0)
        connection->broken = r;
}

void rtn_http1_hold(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    /* The wheel looks at the connection again before an idle timeout that begins now can end. */
    rtn_wheel_file(&connection->http->wheel, &connection->timeout,
                   rtn_http1_now_ms(connection->http) + rtn_http1_timeouts(connection->http)->idle);
    atomic_store_explicit(&connection->owner, RTN_OWNER_WORKER, memory_order_relaxed);
}

void rtn_http1_take_back(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    connection->mail.deliver = rtn_http1_on_mail;
    atomic_store_explicit(&connection->owner, RTN_OWNER_LOOP, memory_order_relaxed);
    ev_io_start(connection->http->loop->ev, &connection->read);
}

/* The worker's part of after_reply(). True when nothing is left to do for the loop. */
static bool finish_silently(struct rtn_connection *connection, struct rtn_request *request)
{
    struct rtn_http1 *http = connection->http;
    bool keep = request->keep_alive;
    bool more = request->parsed < request->end;
    if (!keep) {
        connection->close_after = true;
        connection->cause = request->failed ? RTN_CLOSE_HANDLER : RTN_CLOSE_NORMAL;
        connection->linger_after = more || !rtn_http1_may_keep_alive(http);
    }
    if (keep && more) {
        rtn_request_next(request);
    } else {
        connection->request = NULL;
        rtn_http1_give_request_from_worker(http, request);
    }
    if (!keep || more || connection->broken != 0 || rtn_stream_pending(&connection->stream))
        return false;

    connection->state = RTN_CONNECTION_READING;
    connection->deadline = rtn_clock_ms() + rtn_http1_timeouts(http)->idle;
    int owner = RTN_OWNER_WORKER;
    return atomic_compare_exchange_strong_explicit(&connection->owner, &owner, RTN_OWNER_LOOP, memory_order_release,
                                                   memory_order_relaxed);
}

void rtn_http1_finish(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    struct rtn_http1 *http = connection->http;
    connection->used = true;
    rtn_http1_send_sink(connection, request->sink);
    http->handler->replied(request);
    if (!finish_silently(connection, request))
        rtn_loop_post(http->loop, &connection->mail);
}

void rtn_http1_hand_back(struct rtn_request *request, void (*deliver)(struct rtn_mail *mail))
{
    struct rtn_connection *connection = request->connection;
    connection->mail.deliver = deliver;
    rtn_loop_post(connection->http->loop, &connection->mail);
}
