/*
 * Events of a connection whose handler runs on workers are copied, gathered, and run by one task at a time, so that
 * they keep their order whatever the pool does. While the task runs the loop goes on reading up to a bound. A
 * connection without events has no task and costs no thread.
 *
 * A full queue of the pool closes connections, WebSockets with 1013; what must not be lost (open, close, what came
 * before a close) is queued past its bound.
 */
#include "app/session_work.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/session_events.h"
#include "app/step.h"

#define MOST_WAITING ((size_t) 256 * 1024) /* bytes of events, beyond which the connection is not read */

enum kind { EVENT_OPEN, EVENT_MESSAGE, EVENT_DRAIN, EVENT_CLOSE };

struct event {
    struct rtn_list node;
    enum kind kind;
    enum rtn_ws_opcode type;
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
    const struct rtn_session_calls *calls = rtn_session_calls_of(connection->session);
    switch (event->kind) {
    case EVENT_OPEN:
        return calls->open(connection);
    case EVENT_MESSAGE:
        return calls->message(connection, event->type, event->data, event->length, event->last);
    case EVENT_DRAIN:
        calls->drain(connection);
        return 0;
    case EVENT_CLOSE:
        calls->close(connection);
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
        const struct rtn_activity_call before = rtn_session_enter(work->connection);
        int r = moot ? 0 : call_event(work->connection, event);
        rtn_callback_leave(&before);
        if (r < 0) {
            work->failed = r;
            rtn_session_log_failure(work->connection, r);
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
    struct rtn_instance *instance = rtn_session_instance(connection);
    if (work->busy || rtn_list_empty(&work->waiting))
        return;
    rtn_list_splice(&work->running, &work->waiting);
    work->busy = true;
    connection->session->busy = true;
    work->task =
        (struct rtn_task){ .run = run_events, .serial = rtn_step_serial(instance), .what = instance->place.text };
    rtn_list_append(&site->session_batch, &work->task.node);
    site->session_batch_count++;
}

static void end(struct work *work)
{
    struct rtn_connection *connection = work->connection;
    free_events(work, &work->waiting);
    connection->session->handling = NULL;
    free(work);
    rtn_dispatch_end_slots(connection);
}

/* The task has run. */
static void on_done(struct rtn_mail *mail)
{
    struct work *work = RTN_CONTAINER_OF(mail, struct work, mail);
    struct rtn_session *session = work->connection->session;
    work->busy = false;
    bool ended = free_events(work, &work->running);
    if (ended) {
        end(work);
        return;
    }
    if (work->failed < 0)
        rtn_session_close_failed(session);
    kick(work);
    if (session->paused && work->bytes <= MOST_WAITING)
        rtn_session_resume(session);
    if (!work->busy)
        rtn_session_settle(session);
}

static void add(struct work *work, struct event *event)
{
    rtn_list_append(&work->waiting, &event->node);
    work->bytes += size_of(event);
    kick(work);
}

/* Without memory the connection cannot go on. */
static void out_of_memory(struct rtn_session *session)
{
    session->wire->fail(session, RTN_CLOSE_NETWORK, "memory is out");
}

void rtn_session_work_add_open(struct rtn_session *session)
{
    struct work *work = session->handling;
    (void) rtn_connection_peer_text(session->connection); /* workers only read it */
    add(work, &work->open);
}

void rtn_session_work_add_drain(struct rtn_session *session)
{
    struct event *event = malloc(sizeof(*event));
    if (event == NULL) {
        out_of_memory(session);
        return;
    }
    *event = (struct event){ .kind = EVENT_DRAIN, .data = behind(event) };
    add(session->handling, event);
}

void rtn_session_work_add_end(struct rtn_session *session)
{
    struct work *work = session->handling;
    add(work, &work->end);
}

/* With a NUL behind it. One that had to be put together is taken over as it is. */
static struct event *message_event(struct rtn_session *session, const unsigned char *data, size_t length)
{
    struct rtn_buf *assembled = session->wire->assembled != NULL ? session->wire->assembled(session) : NULL;
    bool kept = assembled != NULL && length > 0 && (const char *) data == assembled->data;
    struct event *event = malloc(sizeof(*event) + (kept ? 0 : length + 1));
    if (event == NULL)
        return NULL;
    *event = (struct event){ .kind = EVENT_MESSAGE, .length = length, .data = behind(event) };
    if (kept) {
        event->data = (unsigned char *) rtn_buf_steal(assembled);
        return event;
    }
    if (length > 0)
        memcpy(event->data, data, length);
    event->data[length] = '\0';
    return event;
}

void rtn_session_work_add_message(struct rtn_session *session, enum rtn_ws_opcode type, const unsigned char *data,
                                  size_t length, bool last)
{
    struct work *work = session->handling;
    struct event *event = message_event(session, data, length);
    if (event == NULL) {
        out_of_memory(session);
        return;
    }
    event->type = type;
    event->last = last;
    add(work, event);
    if (work->bytes > MOST_WAITING)
        rtn_session_pause(session);
}

int rtn_session_work_prepare(struct rtn_session *session)
{
    struct work *work = calloc(1, sizeof(*work));
    if (work == NULL)
        return -ENOMEM;
    work->connection = session->connection;
    rtn_list_init(&work->waiting);
    rtn_list_init(&work->running);
    work->mail.deliver = on_done;
    work->open = (struct event){ .kind = EVENT_OPEN, .kept = true };
    work->end = (struct event){ .kind = EVENT_CLOSE, .kept = true };
    session->handling = work;
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
    return work->connection->session->closing || holds_vital(&work->running) || holds_vital(&work->waiting);
}

/* The pool's queue is full. */
static void refuse(struct work *work)
{
    static const struct rtn_session_end end = { .cause = RTN_CLOSE_HANDLER,
                                                .code = RTN_WS_TRY_AGAIN,
                                                .reason = { "all workers are busy", 20 },
                                                .detail = "all workers are busy and the queue is full" };
    struct rtn_session *session = work->connection->session;
    work->busy = false;
    session->busy = false;
    free_events(work, &work->running);
    free_events(work, &work->waiting);
    session->wire->begin_close(session, &end);
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

void rtn_session_work_flush(struct rtn_site *site, struct rtn_http1 *http)
{
    do {
        if (site->session_batch_count > 0)
            rtn_step_submit(site, &site->session_batch, &site->session_batch_count, on_refused);
        rtn_session_flush(http);
    } while (site->session_batch_count > 0);
}

void rtn_session_work_drop(struct rtn_session *session)
{
    free(session->handling);
    session->handling = NULL;
}
