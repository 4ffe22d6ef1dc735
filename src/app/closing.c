/*
 * The end of a connection: first its request, when one was still active, then what each instance kept on it. All
 * callbacks run on the kind of thread that the instance's handlers run on, one after the other; between them the
 * connection comes back to its loop by mail.
 */
#include <retinue/module.h>

#include <stdlib.h>

#include "app/callback.h"
#include "app/session_events.h"
#include "app/slots.h"
#include "app/step.h"
#include "base/clock.h"
#include "proto/connection.h"

static const struct {
    const char *name;
    enum rtn_log_level level;
} causes[] = {
    [RTN_CLOSE_NORMAL] = { "normal", RTN_LOG_TRACE },     [RTN_CLOSE_CLIENT] = { "client", RTN_LOG_TRACE },
    [RTN_CLOSE_LOST] = { "lost", RTN_LOG_DEBUG },         [RTN_CLOSE_TIMEOUT] = { "timeout", RTN_LOG_DEBUG },
    [RTN_CLOSE_PROTOCOL] = { "protocol", RTN_LOG_INFO },  [RTN_CLOSE_SECURITY] = { "security", RTN_LOG_WARN },
    [RTN_CLOSE_NETWORK] = { "network", RTN_LOG_INFO },    [RTN_CLOSE_HANDLER] = { "handler", RTN_LOG_NOTICE },
    [RTN_CLOSE_SHUTDOWN] = { "shutdown", RTN_LOG_DEBUG }, [RTN_CLOSE_BACKLOG] = { "backlog", RTN_LOG_INFO },
};

static void run_slot(struct rtn_connection *connection)
{
    struct rtn_slot *slot = connection->slots;
    struct rtn_instance *instance = slot->key;
    slot->ending = true;
    const struct rtn_activity_call before = rtn_callback_enter(instance, "end of a connection", NULL);
    bool had_requests = !connection->outgoing && !rtn_session_is(connection->session, RTN_SESSION_LINE);
    if (instance->loaded->module.connection_closed != NULL && had_requests)
        instance->loaded->module.connection_closed(connection, connection->cause, connection->detail, instance->data);
    if (slot->destroy != NULL)
        slot->destroy(slot->data);
    rtn_callback_leave(&before);
}

static void run_slots(struct rtn_connection *connection);

static void on_slot_done(struct rtn_mail *mail)
{
    struct rtn_connection *connection = RTN_CONTAINER_OF(mail, struct rtn_slot, mail)->connection;
    rtn_slots_end_first(connection);
    run_slots(connection);
}

static void run_slot_on_worker(struct rtn_task *task)
{
    struct rtn_slot *slot = RTN_CONTAINER_OF(task, struct rtn_slot, task);
    run_slot(slot->connection);
    rtn_loop_post(slot->connection->http->loop, &slot->mail);
}

/* One instance after the other, each on the kind of thread that its handlers run on. */
static void run_slots(struct rtn_connection *connection)
{
    while (connection->slots != NULL) {
        struct rtn_slot *slot = connection->slots;
        struct rtn_instance *instance = slot->key;
        if (instance->threads != RTN_THREADS_LOOP) {
            slot->mail.deliver = on_slot_done;
            slot->task = (struct rtn_task){ .run = run_slot_on_worker,
                                            .serial = rtn_step_serial(instance),
                                            .what = instance->place.text };
            if (rtn_pool_submit_always(rtn_site_of(connection->http)->pool, &slot->task))
                return;
        }
        run_slot(connection);
        rtn_slots_end_first(connection);
    }
    rtn_http1_release(connection);
}

void rtn_dispatch_end_slots(struct rtn_connection *connection)
{
    run_slots(connection);
}

static void end_request(struct rtn_request *request)
{
    const struct rtn_hold *hold = request->connection->hold;
    bool answered = hold != NULL && hold->taken_status != 0;
    request->active = false;
    request->response.state = RTN_RESPONSE_ENDED;
    const char *before = rtn_log_set_request(request->response.request_id);
    rtn_step_cancel(request);
    (void) rtn_log_set_request(before);
    rtn_call_of(request)->ended_us = rtn_clock_us();
    rtn_access_log(rtn_routing_of(request)->access, request, !answered);
}

static void on_request_ended(struct rtn_mail *mail)
{
    run_slots(RTN_CONTAINER_OF(mail, struct rtn_request, ended)->connection);
}

static void end_request_on_worker(struct rtn_task *task)
{
    struct rtn_request *request = RTN_CONTAINER_OF(task, struct rtn_request, task);
    end_request(request);
    rtn_loop_post(request->http->loop, &request->ended);
}

/* False when a worker does it and run_slots() follows. */
static bool end_request_first(struct rtn_connection *connection)
{
    struct rtn_request *request = connection->request;
    if (request == NULL || !request->active || request->call == NULL)
        return true;
    const struct rtn_route *route = rtn_call_of(request)->match.route;
    struct rtn_instance *instance = route != NULL ? route->instance : NULL;
    if (instance != NULL && (instance->threads != RTN_THREADS_LOOP || rtn_call_of(request)->on_worker)) {
        request->ended.deliver = on_request_ended;
        request->task = (struct rtn_task){ .run = end_request_on_worker,
                                           .serial = rtn_step_serial(instance),
                                           .what = instance->place.text };
        if (rtn_pool_submit_always(rtn_site_of(connection->http)->pool, &request->task))
            return false;
    }
    end_request(request);
    return true;
}

const char *rtn_close_cause_name(enum rtn_close_cause cause)
{
    return (unsigned) cause < RTN_ARRAY_LENGTH(causes) ? causes[cause].name : "unknown";
}

static void log_closed(struct rtn_connection *connection)
{
    enum rtn_log_level level = causes[connection->cause].level;
    const struct rtn_session *session = connection->session;
    if (session != NULL && (session->opened || connection->outgoing))
        rtn_session_calls_of(session)->log_closed(connection, level);
    else if (rtn_log_enabled(level))
        rtn_log(level, "%s closed (%s)%s%s", rtn_connection_peer_text(connection), causes[connection->cause].name,
                connection->detail != NULL ? ": " : "", connection->detail != NULL ? connection->detail : "");
}

void rtn_dispatch_closed(struct rtn_connection *connection)
{
    log_closed(connection);
    if (connection->request != NULL && connection->request->active)
        rtn_dispatch_count(connection->request);
    bool told = connection->session == NULL || rtn_session_tell_closed(connection);
    if (told && end_request_first(connection))
        run_slots(connection);
}
