/*
 * Sending. Messages are queued while an iteration runs and leave together at its end, or when the queue has reached its
 * bound or a large one comes (session_queue.c) before that. Of a socket that is full nothing is asked until it has
 * room.
 *
 * A peer that does not take what it is sent is not read either, so that what it asks for cannot pile up.
 */
#include <errno.h>

#include "proto/session_internal.h"
#include "proto/session_send.h"

void rtn_session_mark_unsent(struct rtn_session *session)
{
    if (rtn_list_empty(&session->unsent))
        rtn_list_append(&session->connection->http->unsent, &session->unsent);
}

void rtn_mailing_done(struct rtn_mailing *mailing)
{
    rtn_stats_count(RTN_STATS_WS_OUT, mailing->sent);
    rtn_stats_count(RTN_STATS_WS_OUT_BYTES, mailing->sent * mailing->parcel->length);
    if (mailing->compressed != NULL)
        rtn_parcel_unref(mailing->compressed);
    mailing->compressed = NULL;
}

/* Deadlines */

static int64_t earlier(int64_t a, int64_t b)
{
    return b != 0 && (a == 0 || b < a) ? b : a;
}

void rtn_session_file_deadline(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    int64_t deadline = earlier(session->write_deadline, session->wire->deadline(session));
    connection->deadline = deadline;
    if (deadline != 0) /* else whatever ends the reason for that files it */
        rtn_wheel_file(&connection->http->wheel, &connection->timeout, deadline);
}

bool rtn_session_has_passed(const struct rtn_session *session, int64_t deadline)
{
    return deadline != 0 && deadline <= rtn_http1_now_ms(session->connection->http);
}

/* The peer has to take in some of what it is sent from now on. */
static void begin_write_timeout(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    connection->unsent = rtn_http1_unsent(connection);
    session->write_deadline = rtn_http1_now_ms(connection->http) + session->policy->write_timeout;
}

bool rtn_session_write_has_passed(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    if (!rtn_session_has_passed(session, session->write_deadline))
        return false;
    int before = connection->unsent;
    begin_write_timeout(session);
    if (connection->unsent < before)
        return false;
    rtn_http1_close(connection, RTN_CLOSE_TIMEOUT, "the peer does not take what it is sent (timeouts.write)");
    return true;
}

/* Waiting for the socket */

static void set_choked(struct rtn_session *session, bool choked)
{
    if (session->choked == choked)
        return;
    session->choked = choked;
    if (!choked)
        rtn_session_go_on_reading(session);
    else if (!session->feeding)
        rtn_session_watch_input(session);
}

static bool is_waiting(const struct rtn_session *session)
{
    return session->write_deadline != 0;
}

/* No callback is called from here, since one may be running. */
void rtn_session_wait_for_room(struct rtn_session *session, bool progress)
{
    struct rtn_connection *connection = session->connection;
    rtn_http1_watch(connection, EV_WRITE);
    atomic_store(&connection->entry->waits, true);
    atomic_store(&connection->entry->drain_due, true);
    if (progress || !is_waiting(session)) {
        begin_write_timeout(session);
        rtn_session_file_deadline(session);
    }
}

static void choke_when_full(struct rtn_session *session)
{
    set_choked(session, rtn_session_queued(session) > (size_t) session->policy->backlog_limit / 2);
}

static void end_waiting(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    session->write_deadline = 0;
    if (session->wire->waited != NULL)
        session->wire->waited(session);
    rtn_http1_unwatch(connection, EV_WRITE);
    atomic_store(&connection->entry->waits, false);
    rtn_session_file_deadline(session);
}

/* All that was queued is with the system. The handler may send more when it is told: then the socket may be full. */
static void all_sent(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    if (is_waiting(session))
        end_waiting(session);
    if (session->wire->end_when_due(session))
        return;
    if (atomic_load(&connection->entry->drain_due) && atomic_exchange(&connection->entry->drain_due, false) &&
        !session->closing)
        connection->http->session_events->drain(session);
    if (!is_waiting(session))
        set_choked(session, false);
}

/* Sending */

/*
 * Sends what the socket takes. 0: all; -EAGAIN; or -errno, noted. Senders elsewhere mark a drain as due and then look
 * at the backlog, we lower the backlog and then look for the mark: in one order for all, so that one of us sees it.
 */
static int send_queue(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    int r = connection->broken != 0 ? connection->broken : rtn_session_send_round(session);
    rtn_session_publish_queued(session, memory_order_seq_cst);
    if (r < 0 && r != -EAGAIN)
        connection->broken = r;
    return r;
}

static void send_now(struct rtn_session *session)
{
    size_t before = rtn_session_queued(session);
    int r = send_queue(session);
    if (session->connection->broken != 0) {
        rtn_http1_close_broken(session->connection);
    } else if (r == -EAGAIN) {
        rtn_session_wait_for_room(session, rtn_session_queued(session) < before);
        choke_when_full(session);
    } else {
        all_sent(session);
    }
}

/* What the iteration has done to it. Of a full socket nothing is asked: it tells when it has room. */
static void flush(struct rtn_session *session)
{
    struct rtn_connection *connection = session->connection;
    if (connection->state != RTN_CONNECTION_SESSION)
        return;
    if (connection->broken != 0)
        rtn_http1_close_broken(connection);
    else if (session->overflowed)
        rtn_http1_close(connection, RTN_CLOSE_BACKLOG, "the peer does not take what it is sent (limits.backlog)");
    else if (is_waiting(session))
        choke_when_full(session);
    else
        send_now(session);
}

void rtn_session_flush(struct rtn_http1 *http)
{
    struct rtn_list *node;
    while ((node = rtn_list_pop(&http->unsent)) != NULL)
        flush(RTN_CONTAINER_OF(node, struct rtn_session, unsent));
    http->round.length = 0; /* whatever did not leave is in queues */
}

void rtn_session_on_writable(struct rtn_connection *connection)
{
    send_now(connection->session);
}

bool rtn_session_has_room(struct rtn_session *session)
{
    const struct rtn_entry *entry = session->connection->entry;
    if (rtn_entry_backlog(entry) < session->policy->backlog_limit)
        return true;
    if (is_waiting(session))
        return false;
    /* Much was sent in this iteration, to a peer that may well take it. What is left then is mail on its way. */
    int r = send_queue(session);
    if (r == -EAGAIN)
        rtn_session_wait_for_room(session, true);
    if (r < 0) /* or it is broken */
        return rtn_entry_backlog(entry) < session->policy->backlog_limit;
    return true;
}
