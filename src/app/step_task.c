/*
 * Steps as tasks: what one iteration of the loop wants done on workers is gathered and submitted at its end, so that
 * the pool is woken once. New requests that find the queue full are refused; what has begun is queued past the bound.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "app/later.h"
#include "app/step_internal.h"
#include "base/clock.h"
#include "proto/response.h"

static _Thread_local struct rtn_sink *worker_sink;

bool rtn_step_on_worker(const struct rtn_request *request)
{
    return worker_sink != NULL && request->sink == worker_sink;
}

struct rtn_serial *rtn_step_serial(struct rtn_instance *instance)
{
    return instance->threads == RTN_THREADS_SERIAL ? &instance->serial : NULL;
}

static enum rtn_turn work(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    int64_t begun_us = rtn_clock_us();
    call->worked = true;
    call->waited_us += begun_us - call->queued_us;
    enum rtn_turn turn = rtn_step_take(request);
    call->worked_us += rtn_clock_us() - begun_us;
    return turn;
}

static void run_on_worker(struct rtn_task *task)
{
    struct rtn_request *request = RTN_CONTAINER_OF(task, struct rtn_request, task);
    request->sink = worker_sink;
    if (rtn_http1_begin_work(request->connection) && work(request) == RTN_TURN_REPLIED)
        rtn_http1_finish(request);
    else
        rtn_http1_hand_back(request);
}

void rtn_step_taken(struct rtn_connection *connection, bool answered)
{
    struct rtn_overdue *overdue = &rtn_site_of(connection->http)->overdue;
    if (!rtn_overdue_note(overdue, answered ? RTN_OVERDUE_ANSWERED : RTN_OVERDUE_CUT))
        return;
    bool begun = atomic_load_explicit(&connection->hold->begun_ms, memory_order_relaxed) != 0;
    rtn_log(RTN_LOG_WARN, "%s: %s in time (timeouts.handler): %s; connection %" PRIu64,
            connection->hold->handler != NULL ? connection->hold->handler : "",
            begun ? "the handler did not come back" : "no worker took it",
            answered ? "the client gets 504" : "its reply is cut off", connection->id);
}

bool rtn_step_queue(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    request->task.run = run_on_worker;
    request->task.serial = rtn_step_serial(rtn_step_instance(call));
    request->task.what = rtn_step_instance(call)->place.text;
    if (rtn_http1_hold(request) < 0)
        return false;
    request->connection->hold->handler = request->task.what;
    call->queued_us = request->http->loop->now_us;
    rtn_list_append(&call->site->batch, &request->task.node);
    call->site->batch_count++;
    return true;
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
static void insist(struct rtn_request *request)
{
    if (rtn_pool_submit_always(rtn_call_of(request)->site->pool, &request->task))
        return;
    rtn_http1_take_back(request);
    rtn_http1_abandon(request->connection);
}

static bool is_new(const struct rtn_call *call)
{
    return !call->begun && !call->handled && !call->failing && !call->armed && call->next == NULL;
}

static void on_refused(struct rtn_task *task)
{
    struct rtn_request *request = RTN_CONTAINER_OF(task, struct rtn_request, task);
    if (is_new(rtn_call_of(request)))
        refuse_new(request);
    else
        insist(request);
}

void rtn_step_submit(const struct rtn_site *site, struct rtn_list *batch, unsigned *count,
                     void (*refused)(struct rtn_task *task))
{
    struct rtn_list tasks;
    rtn_list_init(&tasks);
    rtn_list_splice(&tasks, batch);
    unsigned submitted = *count;
    *count = 0;
    (void) rtn_pool_submit(site->pool, &tasks, submitted);
    struct rtn_list *node;
    while ((node = rtn_list_pop(&tasks)) != NULL)
        refused(RTN_CONTAINER_OF(node, struct rtn_task, node));
}

void rtn_step_flush(struct rtn_site *site)
{
    while (site->batch_count > 0)
        rtn_step_submit(site, &site->batch, &site->batch_count, on_refused);
}

static void send_on_worker(struct rtn_task *task)
{
    rtn_http1_send_files(RTN_CONTAINER_OF(task, struct rtn_request, task)->connection);
}

/* The request stays until its reply has left, and nothing else is done for it any more. */
void rtn_step_send_files(struct rtn_connection *connection)
{
    struct rtn_task *task = &connection->request->task;
    *task = (struct rtn_task){ .run = send_on_worker, .what = "sending a file" };
    if (!rtn_pool_submit_always(rtn_site_of(connection->http)->pool, task))
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
