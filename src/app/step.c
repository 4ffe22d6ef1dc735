/*
 * Running handlers. A step is taken by whoever holds the request, loop or worker, with the same code; when the next
 * thing to run belongs to the other kind of thread, the request moves: from the loop as a task, from a worker back by
 * mail. A worker that runs out of body looks for more on the socket itself before it gives up its turn.
 */
#include "app/step_internal.h"

#include <errno.h>
#include <string.h>

#include "app/later.h"
#include "base/clock.h"
#include "proto/response.h"

#define MOST_FILLS 32 /* reads of a worker in one turn, so that others get theirs */
#define DRAINED 32768 /* bytes left to send, below which a drain is told */

static bool belongs_to_worker(const struct rtn_call *call)
{
    const struct rtn_instance *instance = rtn_step_instance(call);
    return instance != NULL && (call->on_worker || instance->threads != RTN_THREADS_LOOP);
}

static bool takes_pieces(const struct rtn_call *call)
{
    return rtn_step_instance(call)->http->body != NULL;
}

static void log_failure(const struct rtn_request *request, const char *what, const char *reason)
{
    const struct rtn_route *route = rtn_call_of(request)->match.route;
    rtn_log(RTN_LOG_ERROR, "route \"%s\": module %s: handler %s %s%s%s", route->path,
            route->instance->loaded->module.name, route->instance->http->name, what, reason != NULL ? ": " : "",
            reason != NULL ? reason : "");
}

void rtn_step_end_call(struct rtn_call *call, bool cancelled)
{
    void (*cancel)(void *data) = call->cancel;
    void (*destroy)(void *data) = call->destroy;
    call->cancel = NULL;
    call->destroy = NULL;
    call->drain = NULL;
    if (call->next != NULL)
        rtn_continuation_drop(call->next);
    call->next = NULL;
    if (cancelled && cancel != NULL)
        cancel(call->cancel_data);
    if (destroy != NULL)
        destroy(call->data);
    call->data = NULL;
}

/* The handler gave its reply, whatever it returned then. */
static enum rtn_turn conclude_replied(struct rtn_request *request, int result)
{
    request->failed = result < 0;
    if (result == -EALREADY)
        log_failure(request, "gave a second reply; the first one was sent", NULL);
    else if (result < 0 && (request->connection->broken == 0 || request->connection->broken == -ECANCELED))
        log_failure(request, "failed after its reply", strerror(-result));
    else if (result > 0)
        log_failure(request, "did not return RTN_DONE after its reply; the reply was sent", NULL);
    return RTN_TURN_REPLIED;
}

static enum rtn_turn conclude_failed(struct rtn_request *request, const char *what, const char *reason)
{
    request->failed = true;
    if (request->connection->broken == 0)
        log_failure(request, what, reason);
    if (request->response.state != RTN_RESPONSE_NONE) {
        rtn_response_abort(request);
        return RTN_TURN_REPLIED;
    }
    rtn_response_reset(request);
    rtn_dispatch_error(request, 500, NULL);
    return RTN_TURN_REPLIED;
}

static enum rtn_turn conclude_done(struct rtn_request *request)
{
    if (!rtn_call_of(request)->handled) {
        request->handler_deadline = 0; /* it is the client's turn: the handler's time begins anew */
        return RTN_TURN_GO_ON;
    }
    if (request->response.state == RTN_RESPONSE_NONE)
        return conclude_failed(request, "returned RTN_DONE without a reply", NULL);
    if (rtn_response_end(request) == -EMSGSIZE)
        log_failure(request, "ended a reply that is shorter than it announced; the connection is cut", NULL);
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
    request->handler_deadline = 0;
    request->id = rtn_http1_next_id(request->id); /* what was asked for so far finds nothing */
    call->skip++;
    return change_policy(request);
}

static enum rtn_turn conclude(struct rtn_request *request, int result)
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
    return conclude_failed(request, "returned what is neither enum rtn_result nor a negative errno", NULL);
}

/* RTN_WORKER: the same call is made again on a worker, so nothing of it counts. False when it was something else. */
static bool moves(struct rtn_request *request, int result)
{
    struct rtn_call *call = rtn_call_of(request);
    if (result != RTN_WORKER || rtn_step_on_worker(request) || request->response.state != RTN_RESPONSE_NONE ||
        !rtn_step_instance(call)->http->worker)
        return false;
    rtn_response_reset(request);
    call->on_worker = true;
    return true;
}

static enum rtn_turn call_begin(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_instance *instance = rtn_step_instance(call);
    int result = RTN_DONE;
    if (instance->http->begin != NULL)
        result = instance->http->begin(request, instance->data);
    if (moves(request, result))
        return RTN_TURN_MOVE;
    call->begun = true;
    return conclude(request, result);
}

static enum rtn_turn call_body(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_instance *instance = rtn_step_instance(call);
    struct rtn_str body = request->body;
    int result = instance->http->body(request, body.data, body.length, instance->data);
    if (moves(request, result))
        return RTN_TURN_MOVE;
    call->fed = true;
    rtn_request_consume(request);
    return conclude(request, result);
}

static enum rtn_turn call_handle(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_instance *instance = rtn_step_instance(call);
    int result = instance->http->handle(request, instance->data);
    if (moves(request, result))
        return RTN_TURN_MOVE;
    call->handled = true;
    return conclude(request, result);
}

/* The request comes to nothing: the handler is told, and the client when it has got nothing so far. */
static enum rtn_turn give_up(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    rtn_step_end_call(call, true);
    if (request->response.state == RTN_RESPONSE_NONE && call->fail_status != 0) {
        rtn_response_reset(request);
        rtn_dispatch_error(request, call->fail_status, call->fail_text);
        return RTN_TURN_REPLIED;
    }
    if (request->response.state != RTN_RESPONSE_ENDED)
        rtn_response_abort(request);
    if (call->fail_status == 0)
        request->connection->broken = -ECONNRESET;
    return RTN_TURN_REPLIED;
}

static enum rtn_turn fail_here(struct rtn_request *request, int status, const char *text)
{
    struct rtn_call *call = rtn_call_of(request);
    request->keep_alive = false;
    call->fail_status = status;
    call->fail_text = text;
    return give_up(request);
}

/* There is nothing to call the handler with. */
static enum rtn_turn look_for_body(struct rtn_request *request, unsigned *fills)
{
    if (!rtn_step_on_worker(request) || ++*fills > MOST_FILLS || !rtn_http1_fill(request))
        return RTN_TURN_WAIT;
    return request->connection->broken != 0 ? fail_here(request, 0, NULL) : RTN_TURN_GO_ON;
}

static enum rtn_turn call_handler(struct rtn_request *request, unsigned *fills)
{
    const struct rtn_call *call = rtn_call_of(request);
    bool streamed = request->policy->request_body == RTN_BODY_STREAMED;
    bool may_feed = streamed || request->stage == RTN_REQUEST_COMPLETE;
    if (takes_pieces(call) && may_feed && !call->begun)
        return call_begin(request);
    if (takes_pieces(call) && may_feed && request->body.length > 0)
        return call_body(request);
    if (request->stage == RTN_REQUEST_BROKEN)
        return fail_here(request, request->error_status, request->error_text);
    if (request->stage != RTN_REQUEST_COMPLETE)
        return look_for_body(request, fills);
    return call_handle(request);
}

static enum rtn_turn go_on(struct rtn_request *request)
{
    unsigned fills = 0;
    enum rtn_turn turn = RTN_TURN_GO_ON;
    while (turn == RTN_TURN_GO_ON) {
        const struct rtn_call *call = rtn_call_of(request);
        if (rtn_step_instance(call) == NULL && request->stage != RTN_REQUEST_COMPLETE)
            return RTN_TURN_WAIT;
        if (rtn_step_instance(call) == NULL) {
            rtn_dispatch_answer(request);
            return RTN_TURN_REPLIED;
        }
        if (belongs_to_worker(call) != rtn_step_on_worker(request))
            return RTN_TURN_MOVE;
        turn = call_handler(request, &fills);
    }
    return turn;
}

static enum rtn_turn run_continuation(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_continuation *continuation = call->next;
    call->next = NULL;
    call->waits = false;
    return conclude(request, rtn_continuation_run(continuation, request));
}

static enum rtn_turn run_drain(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    int (*drain)(struct rtn_request * request, void *data) = call->drain;
    call->drain = NULL;
    call->waits = false;
    return conclude(request, drain(request, call->drain_data));
}

static bool is_drained(const struct rtn_request *request)
{
    return rtn_call_of(request)->drain != NULL && request->connection->stream.queued < DRAINED;
}

static enum rtn_turn do_step(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    enum rtn_turn turn = RTN_TURN_GO_ON;
    if (call->failing)
        turn = give_up(request);
    else if (call->next != NULL)
        turn = run_continuation(request);
    else if (call->waits && is_drained(request))
        turn = run_drain(request);
    if (turn == RTN_TURN_GO_ON && call->waits)
        turn = RTN_TURN_WAIT;
    if (turn == RTN_TURN_GO_ON)
        turn = go_on(request);
    if (turn == RTN_TURN_REPLIED)
        rtn_step_end_call(call, false);
    return turn;
}

/* One step, on the thread that holds the request. Lines that are logged meanwhile carry its id. */
enum rtn_turn rtn_step_take(struct rtn_request *request)
{
    const char *before = rtn_log_set_request(request->response.request_id);
    rtn_call_of(request)->given_before = request->response.given;
    enum rtn_turn turn = do_step(request);
    (void) rtn_log_set_request(before);
    return turn;
}

static enum rtn_outcome wait_for_more(struct rtn_request *request)
{
    const struct rtn_call *call = rtn_call_of(request);
    request->reads_body = !call->waits;
    request->wants_room = call->waits && call->drain != NULL;
    return RTN_OUTCOME_WAITING;
}

static enum rtn_outcome step_on_loop(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    enum rtn_turn turn = RTN_TURN_MOVE;
    while (turn == RTN_TURN_MOVE) {
        if (belongs_to_worker(call)) {
            rtn_step_queue(request);
            return RTN_OUTCOME_HELD;
        }
        turn = rtn_step_take(request);
    }
    return turn == RTN_TURN_REPLIED ? RTN_OUTCOME_REPLIED : wait_for_more(request);
}

/* Takes a continuation that has come. True when a step would do something. */
static bool has_work(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    if (call->next == NULL)
        call->next = rtn_continuation_take(request->connection);
    if (call->next != NULL)
        return true;
    if (call->waits)
        return is_drained(request);
    if (request->stage != RTN_REQUEST_BODY)
        return true;
    if (rtn_step_instance(call) == NULL || request->policy->request_body != RTN_BODY_STREAMED)
        return false;
    return !call->begun || request->body.length > 0;
}

enum rtn_outcome rtn_step_run(struct rtn_request *request)
{
    return has_work(request) ? step_on_loop(request) : wait_for_more(request);
}

enum rtn_outcome rtn_step_fail(struct rtn_request *request, int status, const char *text)
{
    struct rtn_call *call = rtn_call_of(request);
    call->failing = true;
    call->fail_status = status;
    call->fail_text = text;
    return step_on_loop(request);
}
