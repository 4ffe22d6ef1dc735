/*
 * Running handlers. A step is taken by whoever holds the request, loop or worker, with the same code; when the next
 * thing to run belongs to the other kind of thread, the request moves: from the loop as a task, from a worker back by
 * mail. A worker that runs out of body looks for more on the socket itself before it gives up its turn.
 */
#include "app/step_internal.h"

#include <errno.h>
#include <string.h>

#include "app/callback.h"
#include "app/later.h"
#include "app/upgrade.h"
#include "base/clock.h"
#include "proto/response.h"

#define MOST_FILLS 32 /* reads of a worker in one turn, so that others get theirs */
#define DRAINED 32768 /* bytes left to send, below which a drain is told */

static bool belongs_to_worker(const struct rtn_call *call)
{
    const struct rtn_instance *instance = rtn_step_instance(call);
    return instance != NULL && !call->accepted && (call->on_worker || instance->threads != RTN_THREADS_LOOP);
}

static bool takes_pieces(const struct rtn_call *call)
{
    return !call->upgrade && rtn_step_instance(call)->http->body != NULL;
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

static const char *handler_name(const struct rtn_call *call)
{
    const struct rtn_instance *instance = rtn_step_instance(call);
    return call->upgrade ? instance->ws->name : instance->http->name;
}

/* Around each call of the handler. */
RTN_INLINE struct rtn_activity_call enter(const struct rtn_request *request)
{
    const struct rtn_call *call = rtn_call_of(request);
    return rtn_callback_enter_for(rtn_step_instance(call), "handler", handler_name(call),
                                  request->policy->handler_timeout);
}

RTN_INLINE void end_call(const struct rtn_request *request, bool cancelled)
{
    struct rtn_call *call = rtn_call_of(request);
    if (call->cancel == NULL && call->destroy == NULL && call->next == NULL) {
        call->drain = NULL;
        call->data = NULL;
        return;
    }
    const struct rtn_activity_call before = enter(request);
    rtn_step_end_call(call, cancelled);
    rtn_callback_leave(&before);
}

void rtn_step_cancel(const struct rtn_request *request)
{
    end_call(request, true);
}

/* RTN_WORKER: the same call is made again on a worker, so nothing of it counts. False when it was something else. */
static inline bool moves(struct rtn_request *request, int result)
{
    struct rtn_call *call = rtn_call_of(request);
    if (RTN_LIKELY(result != RTN_WORKER) || rtn_step_on_worker(request) ||
        request->response.state != RTN_RESPONSE_NONE || call->upgrade || !rtn_step_instance(call)->http->worker)
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
    const struct rtn_activity_call before = enter(request);
    if (instance->http->begin != NULL)
        result = instance->http->begin(request, instance->data);
    rtn_callback_leave(&before);
    if (moves(request, result))
        return RTN_TURN_MOVE;
    call->begun = true;
    return rtn_step_conclude(request, result);
}

static enum rtn_turn call_body(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_instance *instance = rtn_step_instance(call);
    struct rtn_str body = request->body;
    const struct rtn_activity_call before = enter(request);
    int result = instance->http->body(request, body.data, body.length, instance->data);
    rtn_callback_leave(&before);
    if (moves(request, result))
        return RTN_TURN_MOVE;
    call->fed = true;
    rtn_request_consume(request);
    return rtn_step_conclude(request, result);
}

RTN_INLINE enum rtn_turn call_handle(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_instance *instance = rtn_step_instance(call);
    const struct rtn_activity_call before = enter(request);
    int result = call->upgrade ? rtn_upgrade_call(request) : instance->http->handle(request, instance->data);
    rtn_callback_leave(&before);
    if (RTN_LIKELY(result == RTN_DONE && request->response.state == RTN_RESPONSE_ENDED))
        return RTN_TURN_REPLIED;
    if (moves(request, result))
        return RTN_TURN_MOVE;
    call->handled = true;
    return rtn_step_conclude(request, result);
}

/*
 * The usual request: its handler is there for nothing else, and is called once, here, with all of it. Nothing can have
 * come for it before that.
 */
RTN_INLINE bool is_simple(const struct rtn_request *request)
{
    const struct rtn_call *call = rtn_call_of(request);
    const struct rtn_instance *instance = rtn_step_instance(call);
    return request->stage == RTN_REQUEST_COMPLETE && !call->stepped && instance != NULL &&
           instance->threads == RTN_THREADS_LOOP && instance->ws == NULL && instance->http->body == NULL;
}

/* The request comes to nothing: the handler is told, and the client when it has got nothing so far. */
static enum rtn_turn give_up(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    end_call(request, true);
    if (request->response.state == RTN_RESPONSE_NONE && call->fail_status != 0) {
        rtn_response_reset(request);
        rtn_dispatch_error(request, call->fail_status, call->fail_text);
        return RTN_TURN_REPLIED;
    }
    bool open_end = request->response.open_end && call->fail_status != 0;
    if (open_end)
        (void) rtn_response_end(request);
    else if (request->response.state != RTN_RESPONSE_ENDED)
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
        turn = rtn_upgrade_look(request);
        if (turn != RTN_TURN_GO_ON)
            return turn;
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
    const struct rtn_activity_call before = enter(request);
    int result = rtn_continuation_run(continuation, request);
    rtn_callback_leave(&before);
    return rtn_step_conclude(request, result);
}

static enum rtn_turn run_drain(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    int (*drain)(struct rtn_request * request, void *data) = call->drain;
    call->drain = NULL;
    call->waits = false;
    const struct rtn_activity_call before = enter(request);
    int result = drain(request, call->drain_data);
    rtn_callback_leave(&before);
    return rtn_step_conclude(request, result);
}

static bool is_drained(const struct rtn_request *request)
{
    return rtn_call_of(request)->drain != NULL && request->connection->stream.queued < DRAINED;
}

/* What has come first. */
static enum rtn_turn take_event(struct rtn_request *request)
{
    const struct rtn_call *call = rtn_call_of(request);
    if (call->failing)
        return give_up(request);
    if (call->accepted)
        return RTN_TURN_UPGRADE;
    if (call->next != NULL)
        return run_continuation(request);
    return call->waits && is_drained(request) ? run_drain(request) : RTN_TURN_GO_ON;
}

/* What has come, and what follows from it, as far as this thread goes on. */
static enum rtn_turn take_events(struct rtn_request *request)
{
    enum rtn_turn turn = take_event(request);
    if (turn == RTN_TURN_GO_ON && rtn_call_of(request)->waits)
        turn = RTN_TURN_WAIT;
    return turn == RTN_TURN_GO_ON ? go_on(request) : turn;
}

/* One step, on the thread that holds the request. Lines that are logged meanwhile carry its id. */
RTN_INLINE enum rtn_turn take_step(struct rtn_request *request, enum rtn_turn (*what)(struct rtn_request *request))
{
    struct rtn_call *call = rtn_call_of(request);
    const char *before = rtn_log_set_request(request->response.request_id);
    call->given_before = request->response.given;
    call->stepped = true;
    enum rtn_turn turn = what(request);
    if (turn == RTN_TURN_REPLIED)
        end_call(request, false);
    (void) rtn_log_set_request(before);
    return turn;
}

enum rtn_turn rtn_step_take(struct rtn_request *request)
{
    return take_step(request, take_events);
}

static enum rtn_outcome wait_for_more(struct rtn_request *request)
{
    const struct rtn_call *call = rtn_call_of(request);
    request->reads_body = !call->waits;
    request->wants_room = call->waits && call->drain != NULL;
    return RTN_OUTCOME_WAITING;
}

/* Memory is out: whatever there is of the reply is cut off. */
static enum rtn_outcome cut_off(struct rtn_request *request)
{
    rtn_step_cancel(request);
    request->connection->broken = -ENOMEM;
    return RTN_OUTCOME_REPLIED;
}

/* Goes on from there, as long as the next step belongs to the loop. */
static enum rtn_outcome go_on_on_loop(struct rtn_request *request, enum rtn_turn turn)
{
    while (turn == RTN_TURN_MOVE) {
        if (belongs_to_worker(rtn_call_of(request)))
            return rtn_step_queue(request) ? RTN_OUTCOME_HELD : cut_off(request);
        turn = rtn_step_take(request);
    }
    if (turn == RTN_TURN_UPGRADE)
        return rtn_upgrade_finish(request);
    return turn == RTN_TURN_REPLIED ? RTN_OUTCOME_REPLIED : wait_for_more(request);
}

static enum rtn_outcome step_on_loop(struct rtn_request *request)
{
    return go_on_on_loop(request, RTN_TURN_MOVE);
}

/* Takes a continuation that has come. True when a step would do something. */
static bool has_work(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    if (call->next == NULL)
        call->next = rtn_continuation_take(request->connection);
    if (call->next != NULL || call->accepted)
        return true;
    if (call->waits)
        return is_drained(request);
    if (request->stage != RTN_REQUEST_BODY)
        return true;
    if (rtn_step_instance(call) == NULL || request->policy->request_body != RTN_BODY_STREAMED)
        return false;
    return !call->begun || request->body.length > 0;
}

/* Called once and done, or with more to follow like any other. */
RTN_INLINE enum rtn_turn take_simple(struct rtn_request *request)
{
    enum rtn_turn turn = call_handle(request);
    return RTN_UNLIKELY(turn == RTN_TURN_GO_ON) ? go_on(request) : turn;
}

enum rtn_outcome rtn_step_run(struct rtn_request *request)
{
    if (RTN_UNLIKELY(!is_simple(request)))
        return has_work(request) ? step_on_loop(request) : wait_for_more(request);
    enum rtn_turn turn = take_step(request, take_simple);
    return RTN_LIKELY(turn == RTN_TURN_REPLIED) ? RTN_OUTCOME_REPLIED : go_on_on_loop(request, turn);
}

static void log_overdue(const struct rtn_request *request)
{
    bool answered = request->response.state == RTN_RESPONSE_NONE;
    struct rtn_overdue *overdue = &rtn_call_of(request)->site->overdue;
    if (rtn_overdue_note(overdue, answered ? RTN_OVERDUE_ANSWERED : RTN_OVERDUE_CUT))
        rtn_step_log_failure(request, "did not go on with its reply in time (timeouts.handler)", NULL);
}

enum rtn_outcome rtn_step_fail(struct rtn_request *request, int status, const char *text)
{
    struct rtn_call *call = rtn_call_of(request);
    if (status == 504)
        log_overdue(request);
    call->failing = true;
    call->stepped = true;
    call->fail_status = status;
    call->fail_text = text;
    return step_on_loop(request);
}
