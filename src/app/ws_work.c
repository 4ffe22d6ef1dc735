/*
 * Events of a connection whose handler runs on workers are copied, gathered, and run by one task at a time, so that
 * they keep their order whatever the pool does. While the task runs the loop goes on reading up to a bound. A
 * connection without events has no task and costs no thread.
 *
 * A full queue of the pool closes connections with 1013; what must not be lost (open, close, what came before a close)
 * is queued past its bound.
 */
#include "app/ws_work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/step.h"
#include "app/ws_call.h"
#include "proto/ws_internal.h"

#define MOST_WAITING ((size_t) 256 * 1024) /* bytes of events, beyond which the connection is not read */

enum kind { EVENT_OPEN, EVENT_MESSAGE, EVENT_DRAIN, EVENT_CLOSE };

struct event {
    struct rtn_list node;
    enum kind kind;
    enum rtn_ws_type type;
    bool last;
    bool kept; /* part of struct work */
    size_t length;
    unsigned char *data; /* of a large message: its own memory; else behind the event */
};

/* Of one connection, when its handler runs on workers. */
struct work {
    struct rtn_connection *connection;
    struct rtn_list waiting;
    struct rtn_list running; /* the worker's, while busy */
    size_t bytes; /* of events in both */
    bool busy;
    int failed; /* -errno of a callback: no further messages */
    struct rtn_task task;
    struct rtn_mail mail;
    struct event open; /* these need no memory when they come */
    struct event end;
};

/* On workers */

static int call_event(struct rtn_connection *connection, const struct event *event)
{
    switch (event->kind) {
    case EVENT_OPEN:
        return rtn_ws_call_open(connection);
    case EVENT_MESSAGE:
        return rtn_ws_call_message(connection, event->type, event->data, event->length, event->last);
    case EVENT_DRAIN:
        rtn_ws_call_drain(connection);
        return 0;
    case EVENT_CLOSE:
        rtn_ws_call_close(connection);
        return 0;
    }
    return 0;
}

static void run_events(struct rtn_task *task)
{
    struct work *work = RTN_CONTAINER_OF(task, struct work, task);
    RTN_LIST_FOREACH (node, &work->running) {
        const struct event *event = RTN_CONTAINER_OF(node, struct event, node);
        bool moot = work->failed < 0 && event->kind != EVENT_CLOSE;
        int r = moot ? 0 : call_event(work->connection, event);
        if (r < 0) {
            work->failed = r;
            rtn_ws_log_failure(work->connection->ws, r);
        }
    }
    rtn_loop_post(work->connection->http->loop, &work->mail);
}

/* On the loop */

static unsigned char *behind(struct event *event)
{
    return (unsigned char *) (event + 1);
}

static size_t size_of(const struct event *event)
{
    return sizeof(*event) + event->length;
}

static void free_event(struct event *event)
{
    if (event->kept)
        return;
    if (event->data != behind(event))
        free(event->data);
    free(event);
}

/* True when the end was among them. */
static bool free_events(struct work *work, struct rtn_list *events)
{
    bool ended = false;
    struct rtn_list *node;
    while ((node = rtn_list_pop(events)) != NULL) {
        struct event *event = RTN_CONTAINER_OF(node, struct event, node);
        work->bytes -= size_of(event);
        ended = ended || event == &work->end;
        free_event(event);
    }
    return ended;
}

/* Has the waiting events run, unless others are running. */
static void kick(struct work *work)
{
    struct rtn_connection *connection = work->connection;
    struct rtn_site *site = rtn_site_of(connection->http);
    struct rtn_instance *instance = rtn_ws_instance(connection);
    if (work->busy || rtn_list_empty(&work->waiting))
        return;
    rtn_list_splice(&work->running, &work->waiting);
    work->busy = true;
    work->task =
        (struct rtn_task){ .run = run_events, .serial = rtn_step_serial(instance), .what = instance->place.text };
    rtn_list_append(&site->ws_batch, &work->task.node);
    site->ws_batch_count++;
}

static void end(struct work *work)
{
    struct rtn_connection *connection = work->connection;
    free_events(work, &work->waiting);
    connection->ws->handling = NULL;
    free(work);
    rtn_dispatch_end_slots(connection);
}

/* The task has run. */
static void on_done(struct rtn_mail *mail)
{
    struct work *work = RTN_CONTAINER_OF(mail, struct work, mail);
    struct rtn_ws *ws = work->connection->ws;
    work->busy = false;
    bool ended = free_events(work, &work->running);
    if (ended) {
        end(work);
        return;
    }
    if (work->failed < 0)
        rtn_ws_close_failed(ws);
    kick(work);
    if (ws->paused && work->bytes <= MOST_WAITING)
        rtn_ws_resume(ws);
}

static void add(struct work *work, struct event *event)
{
    rtn_list_append(&work->waiting, &event->node);
    work->bytes += size_of(event);
    kick(work);
}

/* Without memory the connection cannot go on. */
static void out_of_memory(struct rtn_ws *ws)
{
    rtn_ws_fail(ws, RTN_CLOSE_NETWORK, RTN_WS_INTERNAL_ERROR, "memory is out");
}

void rtn_ws_work_add_open(struct rtn_ws *ws)
{
    struct work *work = ws->handling;
    (void) rtn_connection_peer_text(ws->connection); /* workers only read it */
    add(work, &work->open);
}

void rtn_ws_work_add_drain(struct rtn_ws *ws)
{
    struct event *event = malloc(sizeof(*event));
    if (event == NULL) {
        out_of_memory(ws);
        return;
    }
    *event = (struct event){ .kind = EVENT_DRAIN, .data = behind(event) };
    add(ws->handling, event);
}

void rtn_ws_work_add_end(struct rtn_ws *ws)
{
    struct work *work = ws->handling;
    add(work, &work->end);
}

/* A message that the reader had to put together is taken over as it is. */
static struct event *message_event(struct rtn_ws *ws, const unsigned char *data, size_t length)
{
    bool kept = length > 0 && (const char *) data == ws->reader.message.data;
    struct event *event = malloc(sizeof(*event) + (kept ? 0 : length));
    if (event == NULL)
        return NULL;
    *event = (struct event){ .kind = EVENT_MESSAGE, .length = length, .data = behind(event) };
    if (kept)
        event->data = (unsigned char *) rtn_buf_steal(&ws->reader.message);
    else if (length > 0)
        memcpy(event->data, data, length);
    return event;
}

void rtn_ws_work_add_message(struct rtn_ws *ws, enum rtn_ws_opcode type, const unsigned char *data, size_t length,
                             bool last)
{
    struct work *work = ws->handling;
    struct event *event = message_event(ws, data, length);
    if (event == NULL) {
        out_of_memory(ws);
        return;
    }
    event->type = (enum rtn_ws_type) type;
    event->last = last;
    add(work, event);
    if (work->bytes > MOST_WAITING)
        rtn_ws_pause(ws);
}

int rtn_ws_work_prepare(struct rtn_ws *ws)
{
    struct work *work = calloc(1, sizeof(*work));
    if (work == NULL)
        return -ENOMEM;
    work->connection = ws->connection;
    rtn_list_init(&work->waiting);
    rtn_list_init(&work->running);
    work->mail.deliver = on_done;
    work->open = (struct event){ .kind = EVENT_OPEN, .kept = true };
    work->end = (struct event){ .kind = EVENT_CLOSE, .kept = true };
    ws->handling = work;
    return 0;
}

/* What handlers rely on. */
static bool holds_vital(const struct rtn_list *events)
{
    RTN_LIST_FOREACH (node, events) {
        enum kind kind = RTN_CONTAINER_OF(node, struct event, node)->kind;
        if (kind == EVENT_OPEN || kind == EVENT_CLOSE)
            return true;
    }
    return false;
}

/* A connection that is closing cannot be told any more that its last messages were refused. */
static bool must_run(const struct work *work)
{
    return work->connection->ws->close_sent || holds_vital(&work->running) || holds_vital(&work->waiting);
}

/* The pool's queue is full. */
static void refuse(struct work *work)
{
    struct rtn_ws *ws = work->connection->ws;
    work->busy = false;
    free_events(work, &work->running);
    free_events(work, &work->waiting);
    rtn_ws_begin_close(ws, RTN_CLOSE_HANDLER, RTN_WS_TRY_AGAIN, RTN_STR("all workers are busy"),
                       "all workers are busy and the queue is full");
}

/* Without workers the server is at its end. */
static void insist(struct work *work)
{
    if (!rtn_pool_submit_always(rtn_site_of(work->connection->http)->pool, &work->task))
        run_events(&work->task);
}

static void on_refused(struct rtn_task *task)
{
    struct work *work = RTN_CONTAINER_OF(task, struct work, task);
    if (must_run(work))
        insist(work);
    else
        refuse(work);
}

void rtn_ws_work_flush(struct rtn_site *site, struct rtn_http1 *http)
{
    do {
        if (site->ws_batch_count > 0)
            rtn_step_submit(site, &site->ws_batch, &site->ws_batch_count, on_refused);
        rtn_ws_flush(http);
    } while (site->ws_batch_count > 0);
}

void rtn_ws_work_drop(struct rtn_ws *ws)
{
    free(ws->handling);
    ws->handling = NULL;
}
