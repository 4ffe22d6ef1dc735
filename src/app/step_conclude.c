/*
 * What a call of a handler has come to: by what it returned and by how far its reply is. Mistakes are logged with
 * module and route; the client gets 500, or is cut off when its reply has begun.
 */
#include <errno.h>
#include <string.h>

#include "app/step_internal.h"
#include "base/clock.h"
#include "proto/response.h"

void rtn_step_log_failure(const struct rtn_request *request, const char *what, const char *reason)
{
    const struct rtn_instance *instance = rtn_step_instance(rtn_call_of(request));
    rtn_log(RTN_LOG_ERROR, "%s: handler %s %s%s%s", instance->label.who,
            rtn_call_of(request)->upgrade ? instance->ws->name : instance->http->name, what, reason != NULL ? ": " : "",
            reason != NULL ? reason : "");
}

/* The handler gave its reply, whatever it returned then. */
static enum rtn_turn conclude_replied(struct rtn_request *request, int result)
{
    request->failed = result < 0;
    if (result == -EALREADY)
        rtn_step_log_failure(request, "gave a second reply; the first one was sent", NULL);
    else if (result < 0 && (request->connection->broken == 0 || request->connection->broken == -ECANCELED))
        rtn_step_log_failure(request, "failed after its reply", strerror(-result));
    else if (result > 0)
        rtn_step_log_failure(request, "did not return RTN_DONE after its reply; the reply was sent", NULL);
    return RTN_TURN_REPLIED;
}

static enum rtn_turn conclude_failed(struct rtn_request *request, const char *what, const char *reason)
{
    request->failed = true;
    if (request->connection->broken == 0)
        rtn_step_log_failure(request, what, reason);
    if (request->response.state != RTN_RESPONSE_NONE) {
        rtn_response_abort(request);
        return RTN_TURN_REPLIED;
    }
    rtn_response_reset(request);
    rtn_dispatch_error(request, 500, NULL);
    return RTN_TURN_REPLIED;
}

/* What the handler left on the request ends here, on its kind of thread; the rest is for the loop. */
static enum rtn_turn conclude_accepted(struct rtn_request *request)
{
    rtn_step_end_call(rtn_call_of(request), false);
    rtn_call_of(request)->accepted = true;
    return rtn_step_on_worker(request) ? RTN_TURN_MOVE : RTN_TURN_UPGRADE;
}

static enum rtn_turn conclude_done(struct rtn_request *request)
{
    if (!rtn_call_of(request)->handled) {
        request->handler_deadline = 0; /* it is the client's turn: the handler's time begins anew */
        return RTN_TURN_GO_ON;
    }
    if (rtn_call_of(request)->upgrade && request->response.state == RTN_RESPONSE_NONE)
        return conclude_accepted(request);
    if (request->response.state == RTN_RESPONSE_NONE)
        return conclude_failed(request, "returned RTN_DONE without a reply", NULL);
    if (rtn_call_of(request)->refused)
        return conclude_failed(request, "returned RTN_DONE after a write that was refused; the connection is cut",
                               NULL);
    if (rtn_response_end(request) == -EMSGSIZE)
        rtn_step_log_failure(request, "ended a reply that is shorter than it announced; the connection is cut", NULL);
    return RTN_TURN_REPLIED;
}

static enum rtn_turn conclude_later(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    if (!call->armed && call->drain == NULL)
        return conclude_failed(request, "returned RTN_LATER without rtn_request_later() or rtn_reply_on_drain()", NULL);
    call->waits = true;
    if (request->response.state == RTN_RESPONSE_NONE && request->handler_deadline == 0)
        request->handler_deadline = rtn_clock_ms() + request->policy->handler_timeout;
    return RTN_TURN_WAIT;
}

/* What has come of the body was read for the route before; this one may want less of it. */
static enum rtn_turn change_policy(struct rtn_request *request)
{
    rtn_dispatch_match(request);
    uint64_t limit = (uint64_t) request->policy->body_limit;
    if (request->body_received > limit || request->body_left > limit - request->body_received) {
        request->keep_alive = false;
        rtn_dispatch_error(request, 413, "the body is larger than this server takes");
        return RTN_TURN_REPLIED;
    }
    if (request->policy->request_body == RTN_BODY_NONE && request->body.length > 0)
        rtn_request_consume(request);
    return RTN_TURN_GO_ON;
}

static enum rtn_turn conclude_next(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    if (request->response.state != RTN_RESPONSE_NONE || call->fed)
        return conclude_failed(request, "returned RTN_NEXT after it had begun to reply or to read the body", NULL);
    rtn_step_end_call(call, false);
    rtn_response_reset(request);
    call->on_worker = false;
    call->begun = false;
    call->handled = false;
    call->armed = false;
    call->upgrade_seen = false;
    call->upgrade = false;
    call->subprotocol = (struct rtn_str){ 0 };
    request->handler_deadline = 0;
    request->id = rtn_http1_next_id(request->id); /* what was asked for so far finds nothing */
    call->skip++;
    return change_policy(request);
}

static const char *why_not_on_worker(const struct rtn_request *request)
{
    if (rtn_step_on_worker(request))
        return "returned RTN_WORKER on a worker";
    if (request->response.state != RTN_RESPONSE_NONE)
        return "returned RTN_WORKER after it had begun to reply";
    if (rtn_call_of(request)->upgrade)
        return "returned RTN_WORKER from upgrade";
    if (!rtn_step_instance(rtn_call_of(request))->http->worker)
        return "returned RTN_WORKER, but its row in the table of handlers does not say .worker = true";
    return "returned RTN_WORKER from a continuation";
}

enum rtn_turn rtn_step_conclude(struct rtn_request *request, int result)
{
    if (request->response.state == RTN_RESPONSE_ENDED)
        return conclude_replied(request, result);
    switch (result) {
    case RTN_DONE:
        return conclude_done(request);
    case RTN_NEXT:
        return conclude_next(request);
    case RTN_LATER:
        return conclude_later(request);
    default:
        break;
    }
    if (result < 0)
        return conclude_failed(request, "failed", strerror(-result));
    if (result == RTN_WORKER)
        return conclude_failed(request, why_not_on_worker(request), NULL);
    return conclude_failed(request, "returned what is neither enum rtn_result nor a negative errno", NULL);
}
