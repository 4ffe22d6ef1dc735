/*
 * What proto tells of connections that take messages: called on the loop at once, or left to a task of the connection
 * when its handler runs on workers.
 */
#include "app/session_events.h"

#include <string.h>

#include "app/session_work.h"

void rtn_session_log_failure(const struct rtn_connection *connection, int error)
{
    const struct rtn_instance *instance = rtn_session_instance(connection);
    rtn_log(RTN_LOG_ERROR, "%s: handler %s failed: %s", instance->label.who,
            rtn_session_calls_of(connection->session)->name(connection), strerror(-error));
}

void rtn_session_close_failed(struct rtn_session *session)
{
    static const struct rtn_session_end end = { .cause = RTN_CLOSE_HANDLER,
                                                .code = RTN_WS_INTERNAL_ERROR,
                                                .reason = { "the handler failed", 18 },
                                                .detail = "the handler failed" };
    session->wire->begin_close(session, &end);
}

int rtn_session_prepare(struct rtn_session *session)
{
    return rtn_session_runs_on_loop(session->owner) ? 0 : rtn_session_work_prepare(session);
}

bool rtn_session_tell_closed(struct rtn_connection *connection)
{
    struct rtn_session *session = connection->session;
    bool tell = session->opened || connection->outgoing;
    if (tell && rtn_session_runs_on_loop(session->owner)) {
        const struct rtn_activity_call before = rtn_session_enter(connection);
        rtn_session_calls_of(session)->close(connection);
        rtn_callback_leave(&before);
    }
    if (session->handling == NULL)
        return true;
    if (tell)
        rtn_session_work_add_end(session);
    else
        rtn_session_work_drop(session);
    return !tell;
}

static void on_failure(struct rtn_session *session, int error)
{
    rtn_session_log_failure(session->connection, error);
    rtn_session_close_failed(session);
}

static void on_open(struct rtn_session *session)
{
    rtn_session_calls_of(session)->log_open(session->connection);
    if (!rtn_session_runs_on_loop(session->owner)) {
        rtn_session_work_add_open(session);
        return;
    }
    const struct rtn_activity_call before = rtn_session_enter(session->connection);
    int r = rtn_session_calls_of(session)->open(session->connection);
    rtn_callback_leave(&before);
    if (r < 0)
        on_failure(session, r);
}

static void on_message(struct rtn_session *session, enum rtn_ws_opcode type, unsigned char *data, size_t length,
                       bool last)
{
    if (!rtn_session_runs_on_loop(session->owner)) {
        rtn_session_work_add_message(session, type, data, length, last);
        return;
    }
    const struct rtn_activity_call before = rtn_session_enter(session->connection);
    int r = rtn_session_calls_of(session)->message(session->connection, type, data, length, last);
    rtn_callback_leave(&before);
    if (r < 0)
        on_failure(session, r);
}

static void on_drain(struct rtn_session *session)
{
    if (!rtn_session_calls_of(session)->has_drain(session->connection))
        return;
    if (!rtn_session_runs_on_loop(session->owner)) {
        rtn_session_work_add_drain(session);
        return;
    }
    const struct rtn_activity_call before = rtn_session_enter(session->connection);
    rtn_session_calls_of(session)->drain(session->connection);
    rtn_callback_leave(&before);
}

const struct rtn_session_events rtn_session_upward_events = {
    .open = on_open,
    .message = on_message,
    .drain = on_drain,
};
