/*
 * Running handlers. A step is taken by whoever holds the request, loop or worker, with the same code; when the next
 * thing to run belongs to the other kind of thread, the request moves: from the loop as a task, from a worker back by
 * mail. A worker that runs out of body looks for more on the socket itself before it gives up its turn.
 */
#include "app/step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/later.h"
#include "base/clock.h"
#include "proto/response.h"

#define MOST_FILLS 32 /* reads of a worker in one turn, so that others get theirs */
#define DRAINED 32768 /* bytes left to send, below which a drain is told */

/* What comes next after one call of a handler. */
enum turn { TURN_GO_ON, TURN_REPLIED, TURN_WAIT, TURN_MOVE };

static _Thread_local struct rtn_sink *worker_sink;

struct rtn_serial *rtn_step_serial(struct rtn_instance *instance)
{
    return instance->threads == RTN_THREADS_SERIAL ? &instance->serial : NULL;
}

static struct rtn_instance *instance_of(const struct rtn_call *call)
{
    return call->match.route != NULL ? call->match.route->instance : NULL;
}

static bool belongs_to_worker(const struct rtn_call *call)
{
    const struct rtn_instance *instance = instance_of(call);
    return instance != NULL && (call->on_worker || instance->threads != RTN_THREADS_LOOP);
}

static bool is_on_worker(const struct rtn_request *request)
{
    return worker_sink != NULL && request->sink == worker_sink;
}

static bool takes_pieces(const struct rtn_call *call)
{
    return instance_of(call)->http->body != NULL;
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
static enum turn conclude_replied(struct rtn_request *request, int result)
{
    request->failed = result < 0;
    if (result == -EALREADY)
        log_failure(request, "gave a second reply; the first one was sent", NULL);
    else if (result < 0 && request->connection->broken == 0)
        log_failure(request, "failed after its reply", strerror(-result));
    else if (result > 0)
        log_failure(request, "did not return RTN_DONE after its reply; the reply was sent", NULL);
    return TURN_REPLIED;
}

static enum turn conclude_failed(struct rtn_request *request, const char *what, const char *reason)
{
    request->failed = true;
    if (request->connection->broken == 0)
        log_failure(request, what, reason);
    if (request->response.state != RTN_RESPONSE_NONE) {
        rtn_response_abort(request);
        return TURN_REPLIED;
    }
    rtn_response_reset(request);
    rtn_dispatch_error(request, 500, NULL);
    return TURN_REPLIED;
}

static enum turn conclude_done(struct rtn_request *request)
{
    if (!rtn_call_of(request)->handled)
        return TURN_GO_ON;
    if (request->response.state == RTN_RESPONSE_NONE)
        return conclude_failed(request, "returned RTN_DONE without a reply", NULL);
    if (rtn_response_end(request) == -EMSGSIZE)
        log_failure(request, "ended a reply that is shorter than it announced; the connection is cut", NULL);
    return TURN_REPLIED;
}

static enum turn conclude_later(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    if (!call->armed && call->drain == NULL)
        return conclude_failed(request, "returned RTN_LATER without rtn_request_later() or rtn_reply_on_drain()", NULL);
    call->waits = true;
    if (request->response.state == RTN_RESPONSE_NONE && request->handler_deadline == 0)
        request->handler_deadline = rtn_clock_ms() + request->policy->handler_timeout;
    return TURN_WAIT;
}

static enum turn conclude_next(struct rtn_request *request)
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
    call->skip++;
    rtn_dispatch_match(request);
    return TURN_GO_ON;
}

static enum turn conclude(struct rtn_request *request, int result)
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
    if (result != RTN_WORKER || is_on_worker(request) || request->response.state != RTN_RESPONSE_NONE ||
        !instance_of(call)->http->worker)
        return false;
    rtn_response_reset(request);
    call->on_worker = true;
    return true;
}

static enum turn call_begin(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_instance *instance = instance_of(call);
    int result = RTN_DONE;
    if (instance->http->begin != NULL)
        result = instance->http->begin(request, instance->data);
    if (moves(request, result))
        return TURN_MOVE;
    call->begun = true;
    return conclude(request, result);
}

static enum turn call_body(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_instance *instance = instance_of(call);
    struct rtn_str body = request->body;
    int result = instance->http->body(request, body.data, body.length, instance->data);
    if (moves(request, result))
        return TURN_MOVE;
    call->fed = true;
    rtn_request_consume(request);
    return conclude(request, result);
}

static enum turn call_handle(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_instance *instance = instance_of(call);
    int result = instance->http->handle(request, instance->data);
    if (moves(request, result))
        return TURN_MOVE;
    call->handled = true;
    return conclude(request, result);
}

/* The request comes to nothing: the handler is told, and the client when it has got nothing so far. */
static enum turn give_up(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    rtn_step_end_call(call, true);
    if (request->response.state == RTN_RESPONSE_NONE && call->fail_status != 0) {
        rtn_response_reset(request);
        rtn_dispatch_error(request, call->fail_status, call->fail_text);
        return TURN_REPLIED;
    }
    if (request->response.state != RTN_RESPONSE_ENDED)
        rtn_response_abort(request);
    if (call->fail_status == 0)
        request->connection->broken = -ECONNRESET;
    return TURN_REPLIED;
}

static enum turn fail_here(struct rtn_request *request, int status, const char *text)
{
    struct rtn_call *call = rtn_call_of(request);
    request->keep_alive = false;
    call->fail_status = status;
    call->fail_text = text;
    return give_up(request);
}

/* There is nothing to call the handler with. */
static enum turn look_for_body(struct rtn_request *request, unsigned *fills)
{
    if (!is_on_worker(request) || ++*fills > MOST_FILLS || !rtn_http1_fill(request))
        return TURN_WAIT;
    return request->connection->broken != 0 ? fail_here(request, 0, NULL) : TURN_GO_ON;
}

static enum turn call_handler(struct rtn_request *request, unsigned *fills)
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

static enum turn go_on(struct rtn_request *request)
{
    unsigned fills = 0;
    enum turn turn = TURN_GO_ON;
    while (turn == TURN_GO_ON) {
        const struct rtn_call *call = rtn_call_of(request);
        if (instance_of(call) == NULL && request->stage != RTN_REQUEST_COMPLETE)
            return TURN_WAIT;
        if (instance_of(call) == NULL) {
            rtn_dispatch_answer(request);
            return TURN_REPLIED;
        }
        if (belongs_to_worker(call) != is_on_worker(request))
            return TURN_MOVE;
        turn = call_handler(request, &fills);
    }
    return turn;
}

static enum turn run_continuation(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_continuation *continuation = call->next;
    call->next = NULL;
    call->waits = false;
    return conclude(request, rtn_continuation_run(continuation, request));
}

static enum turn run_drain(struct rtn_request *request)
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

/* One step, on the thread that holds the request. */
static enum turn take_step(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    enum turn turn = TURN_GO_ON;
    if (call->failing)
        turn = give_up(request);
    else if (call->next != NULL)
        turn = run_continuation(request);
    else if (call->waits && is_drained(request))
        turn = run_drain(request);
    if (turn == TURN_GO_ON && call->waits)
        turn = TURN_WAIT;
    if (turn == TURN_GO_ON)
        turn = go_on(request);
    if (turn == TURN_REPLIED)
        rtn_step_end_call(call, false);
    return turn;
}

static void run_on_worker(struct rtn_task *task)
{
    struct rtn_request *request = RTN_CONTAINER_OF(task, struct rtn_request, task);
    request->sink = worker_sink;
    if (take_step(request) == TURN_REPLIED)
        rtn_http1_finish(request);
    else
        rtn_http1_hand_back(request);
}

static void queue_for_worker(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    request->task.run = run_on_worker;
    request->task.serial = rtn_step_serial(instance_of(call));
    request->task.what = call->match.route->path;
    rtn_http1_hold(request);
    rtn_list_append(&call->site->batch, &request->task.node);
    call->site->batch_count++;
}

static enum rtn_outcome step_on_loop(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    enum turn turn = TURN_MOVE;
    while (turn == TURN_MOVE) {
        if (belongs_to_worker(call)) {
            queue_for_worker(request);
            return RTN_OUTCOME_HELD;
        }
        turn = take_step(request);
    }
    if (turn == TURN_REPLIED)
        return RTN_OUTCOME_REPLIED;
    request->reads_body = !call->waits;
    request->wants_room = call->drain != NULL;
    return RTN_OUTCOME_WAITING;
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
    if (instance_of(call) == NULL || request->policy->request_body != RTN_BODY_STREAMED)
        return false;
    return !call->begun || request->body.length > 0;
}

enum rtn_outcome rtn_step_run(struct rtn_request *request)
{
    const struct rtn_call *call = rtn_call_of(request);
    if (has_work(request))
        return step_on_loop(request);
    request->reads_body = !call->waits;
    request->wants_room = call->drain != NULL;
    return RTN_OUTCOME_WAITING;
}

enum rtn_outcome rtn_step_fail(struct rtn_request *request, int status, const char *text)
{
    struct rtn_call *call = rtn_call_of(request);
    call->failing = true;
    call->fail_status = status;
    call->fail_text = text;
    return step_on_loop(request);
}

static void refuse_new(struct rtn_request *request)
{
    rtn_http1_take_back(request);
    rtn_step_end_call(rtn_call_of(request), false);
    rtn_response_reset(request);
    (void) rtn_response_field(request, RTN_STR("Retry-After"), RTN_STR("1"));
    rtn_dispatch_error(request, 503, "all workers are busy and the queue is full");
    rtn_http1_proceed(request->connection, RTN_OUTCOME_REPLIED);
}

/* What has begun must go on, whatever the queue's bound. Without workers the server is at its end. */
static void insist(struct rtn_site *site, struct rtn_request *request)
{
    if (rtn_pool_submit_always(site->pool, &request->task))
        return;
    rtn_http1_take_back(request);
    rtn_http1_abandon(request->connection);
}

static bool is_new(const struct rtn_call *call)
{
    return !call->begun && !call->handled && !call->failing && !call->armed && call->next == NULL;
}

void rtn_step_flush(struct rtn_site *site)
{
    while (site->batch_count > 0) {
        unsigned count = site->batch_count;
        struct rtn_list tasks;
        rtn_list_init(&tasks);
        rtn_list_splice(&tasks, &site->batch);
        site->batch_count = 0;
        if (rtn_pool_submit(site->pool, &tasks, count) == 0)
            return;
        struct rtn_list *node;
        while ((node = rtn_list_pop(&tasks)) != NULL) {
            struct rtn_request *request = RTN_CONTAINER_OF(node, struct rtn_request, task.node);
            if (is_new(rtn_call_of(request)))
                refuse_new(request);
            else
                insist(site, request);
        }
    }
}

static void send_on_worker(struct rtn_task *task)
{
    rtn_http1_send_files(RTN_CONTAINER_OF(task, struct rtn_connection, send_task));
}

void rtn_step_send_files(struct rtn_connection *connection)
{
    connection->send_task = (struct rtn_task){ .run = send_on_worker, .what = "sending a file" };
    if (!rtn_pool_submit_always(rtn_site_of(connection->http)->pool, &connection->send_task))
        rtn_http1_send_files(connection);
}

int rtn_step_worker_begin(void)
{
    worker_sink = calloc(1, sizeof(*worker_sink));
    return worker_sink != NULL ? 0 : -ENOMEM;
}

void rtn_step_worker_end(void)
{
    free(worker_sink);
    worker_sink = NULL;
}
