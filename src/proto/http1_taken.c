/*
 * A worker that does not come back in time: the loop takes the client away from it. The connection itself, its request
 * and all that hangs on them stay the worker's until it comes back, and so does the descriptor; the loop uses nothing
 * but the socket behind it, and what it keeps for itself.
 *
 * Who may send is decided between two words. The worker notes that it sends before it looks whether the connection was
 * taken; the loop says that it is taking it before it looks whether the worker has sent anything (see barrier.h), and a
 * worker that sees that waits for the decision. So either the client has got nothing and gets 504, and whatever the
 * worker sends later is refused; or some of the reply has left, and the connection is reset, so that nobody takes that
 * for the whole; or the worker has got on just now, and nothing has happened.
 *
 * The time of a worker that sends begins anew with each sending; while it waits for the client it has none.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "loop/activity.h"
#include "loop/barrier.h"
#include "proto/http1_internal.h"
#include "proto/terms.h"

#define TEXT "504 Gateway Timeout: the handler took too long (timeouts.handler)\n"

/* On workers */

bool rtn_http1_wait_until_decided(const struct rtn_connection *connection)
{
    int owner;
    while ((owner = atomic_load_explicit(&connection->owner, memory_order_acquire)) == RTN_OWNER_TAKING)
        (void) sched_yield();
    return owner == RTN_OWNER_TAKEN;
}

bool rtn_http1_begin_work(struct rtn_connection *connection)
{
    atomic_store_explicit(&connection->hold->begun_ms, rtn_activity_now_ms(), memory_order_relaxed);
    return !rtn_http1_is_taken(connection);
}

int rtn_http1_begin_sending(struct rtn_connection *connection)
{
    atomic_store_explicit(&connection->hold->sent_ms, rtn_activity_progress(), memory_order_relaxed);
    rtn_barrier_cheap();
    if (!rtn_http1_is_taken(connection))
        return 0;
    connection->broken = -ETIMEDOUT;
    return -ETIMEDOUT;
}

int64_t rtn_http1_begin_wait(struct rtn_connection *connection)
{
    atomic_store_explicit(&connection->hold->sent_ms, INT64_MAX, memory_order_relaxed);
    return rtn_activity_limit(0);
}

void rtn_http1_end_wait(struct rtn_connection *connection, int64_t limit)
{
    atomic_store_explicit(&connection->hold->sent_ms, rtn_activity_now_ms(), memory_order_relaxed);
    (void) rtn_activity_limit(limit);
}

/* On the loop */

void rtn_http1_begin_hold(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    struct rtn_http1 *http = connection->http;
    struct rtn_hold *hold = connection->hold;
    bool begun = request->response.state != RTN_RESPONSE_NONE;
    hold->since_ms = rtn_http1_now_ms(http);
    hold->timeout = request->policy->handler_timeout;
    hold->method = request->method;
    hold->request_id = request->response.request_id;
    hold->taken_bytes = 0;
    atomic_store_explicit(&hold->begun_ms, 0, memory_order_relaxed);
    atomic_store_explicit(&hold->sent_ms, begun ? hold->since_ms : 0, memory_order_relaxed);
    if (hold->timeout > 0)
        rtn_wheel_file(&http->wheel, &connection->timeout, hold->since_ms + hold->timeout);
}

void rtn_http1_hold_queued(struct rtn_connection *connection)
{
    atomic_store_explicit(&connection->hold->sent_ms, connection->hold->since_ms, memory_order_relaxed);
}

/* False when the worker has given it back. */
static bool begin_taking(struct rtn_connection *connection)
{
    int owner = atomic_load_explicit(&connection->owner, memory_order_acquire);
    while (owner == RTN_OWNER_WORKER || owner == RTN_OWNER_CALL) {
        if (atomic_compare_exchange_weak_explicit(&connection->owner, &owner, RTN_OWNER_TAKING, memory_order_acq_rel,
                                                  memory_order_acquire)) {
            rtn_barrier_dear();
            return true;
        }
    }
    return false;
}

static void decide(struct rtn_connection *connection, enum rtn_owner owner)
{
    atomic_store_explicit(&connection->owner, owner, memory_order_release);
}

static int write_reply(const struct rtn_connection *connection, char *out, size_t size)
{
    char date[RTN_HTTP_DATE_SIZE];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    rtn_clock_http_date(date, now.tv_sec);
    bool id = connection->hold->request_id != NULL;
    return snprintf(out, size,
                    "HTTP/1.1 504 Gateway Timeout\r\nDate: %s\r\n%s%s%sContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                    date, id ? "X-Request-Id: " : "", id ? connection->hold->request_id : "", id ? "\r\n" : "",
                    strlen(TEXT), connection->hold->method == RTN_METHOD_HEAD ? "" : TEXT);
}

/* True when the client gets all of it. Nothing is queued before it: the worker has sent nothing. */
static bool send_reply(struct rtn_connection *connection)
{
    char reply[1024];
    int length = write_reply(connection, reply, sizeof(reply));
    ssize_t n = send(connection->stream.fd, reply, (size_t) length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0)
        rtn_stats_count(RTN_STATS_BYTES_OUT, (uint64_t) n);
    if (n != length)
        return false;
    connection->hold->taken_bytes = connection->hold->method == RTN_METHOD_HEAD ? 0 : strlen(TEXT);
    return shutdown(connection->stream.fd, SHUT_WR) == 0;
}

/* The descriptor stays the worker's. This resets TCP connections; others end. */
static void reset(const struct rtn_connection *connection)
{
    const struct sockaddr none = { .sa_family = AF_UNSPEC };
    if (connect(connection->stream.fd, &none, sizeof(none)) < 0)
        (void) shutdown(connection->stream.fd, SHUT_RDWR);
}

static void stop_reading(struct rtn_connection *connection)
{
    rtn_http1_unwatch(connection, EV_READ);
    (void) shutdown(connection->stream.fd, SHUT_RDWR);
}

/* The client gets its answer, and may see it before the connection ends. Returns when that is. */
static int64_t answer(struct rtn_connection *connection, int64_t now)
{
    struct rtn_http1 *http = connection->http;
    bool begun = atomic_load_explicit(&connection->hold->sent_ms, memory_order_relaxed) != 0;
    bool answered = !begun && send_reply(connection);
    connection->hold->taken_status = answered ? 504 : 0;
    atomic_fetch_add_explicit(answered ? &http->timed_out : &http->cut_off, 1, memory_order_relaxed);
    http->handler->taken(connection, answered);
    if (!answered) {
        rtn_http1_unwatch(connection, EV_READ);
        reset(connection);
        return 0;
    }
    rtn_http1_watch(connection, EV_READ);
    connection->hold->since_ms = now + rtn_http1_timeouts(http)->linger;
    return connection->hold->since_ms;
}

/* From when on the worker's time counts; INT64_MAX: not now. */
static int64_t began(const struct rtn_connection *connection)
{
    int64_t begun = atomic_load_explicit(&connection->hold->begun_ms, memory_order_relaxed);
    int64_t sent = atomic_load_explicit(&connection->hold->sent_ms, memory_order_relaxed);
    return RTN_MAX(RTN_MAX(begun, sent), connection->hold->since_ms);
}

/* When its time will be over, as far as it is known; while it waits for the client, when to look again. */
static int64_t due_at(const struct rtn_connection *connection, int64_t now)
{
    int64_t since = began(connection);
    return (since != INT64_MAX ? since : now) + connection->hold->timeout;
}

int64_t rtn_http1_on_held_due(struct rtn_connection *connection, int64_t now)
{
    int64_t look = now + rtn_http1_timeouts(connection->http)->idle;
    if (rtn_http1_is_taken(connection)) {
        if (connection->hold->since_ms > now)
            return connection->hold->since_ms;
        stop_reading(connection);
        return 0;
    }
    if (connection->hold->timeout == 0)
        return look;
    int64_t due = due_at(connection, now);
    if (due > now)
        return RTN_MIN(look, due);
    if (!begin_taking(connection))
        return look;
    due = due_at(connection, now);
    decide(connection, due > now ? RTN_OWNER_CALL : RTN_OWNER_TAKEN);
    return due > now ? RTN_MIN(look, due) : answer(connection, now);
}

void rtn_http1_read_taken(struct rtn_connection *connection)
{
    char discarded[16384];
    ssize_t n = recv(connection->stream.fd, discarded, sizeof(discarded), MSG_DONTWAIT);
    if (n > 0)
        rtn_stats_count(RTN_STATS_BYTES_IN, (uint64_t) n);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        stop_reading(connection);
}

/* The worker has come back. What it has left to do comes to nothing. */
void rtn_http1_end_taken(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    if (request != NULL) {
        request->keep_alive = false;
        request->response.status = connection->hold->taken_status;
        request->response.length = connection->hold->taken_bytes;
    }
    rtn_http1_tell_replied(connection, connection->hold->taken_status != 0);
    connection->cause = RTN_CLOSE_TIMEOUT;
    connection->detail = "the handler did not come back in time (timeouts.handler)";
    int64_t left =
        connection->hold->taken_status != 0 ? connection->hold->since_ms - rtn_http1_now_ms(connection->http) : 0;
    if (left <= 0) {
        rtn_http1_close(connection, connection->cause, connection->detail);
        return;
    }
    if (request != NULL && !request->active)
        rtn_http1_drop_request(connection);
    connection->state = RTN_CONNECTION_LINGER;
    rtn_http1_set_deadline(connection, left);
    rtn_http1_watch(connection, EV_READ);
}
