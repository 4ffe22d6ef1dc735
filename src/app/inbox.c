/*
 * Loop handlers get messages one after the other before the loop waits. With RTN_THREADS_PARALLEL each message is a
 * task of its own; with RTN_THREADS_SERIAL all that has come for an instance is one task at a time, in order, which
 * goes back into the queue in between when others wait. What was taken into the queue of the server is not refused any
 * more, so that tasks go past the bound of the pool's queue, which hub_capacity bounds already.
 *
 * Who handles a message is decided when the loop hands it out: then its instance has it running until it was handled,
 * whatever the type is wired to meanwhile. Messages of a type that has moved to another server follow it there; those
 * of a type that nobody handles any more come to nothing.
 */
#include "app/inbox.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "app/callback.h"
#include "app/question.h"
#include "app/step.h"
#include "config/memory.h"

#define MOST_AT_ONCE 256 /* messages handled before the loop looks at its sockets again */
#define MOST_IN_A_TURN 64 /* messages handled by a worker before it looks whether others wait */

/*
 * Messages of one instance that the thread handles one after the other: what is the same for all of them is done once.
 */
static _Thread_local struct turn {
    const struct rtn_inbox *inbox; /* NULL: there is none */
    struct rtn_message *handled; /* whose handler the thread is in */
    struct rtn_activity_call outer; /* what it was in before */
} turn;

/* Whose it is by now; NULL: nobody's. */
static const struct rtn_receiver *receiver_of(const struct rtn_message *message)
{
    return message->assigned ? message->receiver : NULL;
}

struct rtn_inbox *rtn_inbox_new(struct rtn_instance *instance)
{
    const struct rtn_loaded_messages *messages = instance->messages;
    struct rtn_inbox *inbox = rtn_config_alloc(&instance->arena, sizeof(*inbox));
    *inbox = (struct rtn_inbox){ .instance = instance, .handler = messages->handler.name };
    rtn_list_init(&inbox->waiting);
    rtn_list_init(&inbox->running);
    inbox->receivers = rtn_config_alloc(&instance->arena, messages->row_count * sizeof(*inbox->receivers));
    for (size_t i = 0; i < messages->row_count; i++)
        inbox->receivers[i] = (struct rtn_receiver){ .inbox = inbox, .row = &messages->rows[i] };
    return inbox;
}

static void begin_turn(const struct rtn_inbox *inbox)
{
    turn.inbox = inbox;
    turn.outer = rtn_callback_enter(inbox->instance, "message handler", inbox->handler);
}

static void end_turn(void)
{
    rtn_callback_leave(&turn.outer);
    turn.inbox = NULL;
}

/* One message, on the thread that its handler runs on */

static void log_failure(const struct rtn_message *message, const struct rtn_receiver *receiver, int error)
{
    const struct rtn_instance *instance = receiver->inbox->instance;
    rtn_log(RTN_LOG_ERROR, "%s: handler %s: message %s failed: %s", instance->label.who, receiver->inbox->handler,
            message->type->shape.name, strerror(-error));
}

void rtn_inbox_note_answer(uint64_t asked)
{
    if (turn.handled != NULL && turn.handled->asked == asked)
        turn.handled->answered = true;
}

/* Whoever has asked is to hear something, if only that there is nothing to hear. */
static void settle(struct rtn_message *message, const struct rtn_receiver *receiver, int result)
{
    if (result < 0)
        log_failure(message, receiver, result);
    if (message->asked == 0 || message->answered || result == RTN_LATER)
        return;
    if (result >= 0 && rtn_log_enabled(RTN_LOG_DEBUG))
        rtn_log(RTN_LOG_DEBUG, "message %s: handler %s is done without an answer", message->type->shape.name,
                receiver->inbox->handler);
    (void) rtn_question_answer(message->asked, NULL, result < 0 ? result : -ENODATA, NULL, 0);
}

static void log_begin(const struct rtn_message *message, const struct rtn_receiver *receiver)
{
    const char *quote = message->sender[0] != '\0' ? "\"" : "";
    rtn_log(RTN_LOG_TRACE, "message %s (%zu bytes) from %s%s%s%s: handler %s", message->type->shape.name,
            message->length, message->sender[0] != '\0' ? "server " : "a thread of no server", quote, message->sender,
            quote, receiver->inbox->handler);
}

/* It comes to nothing. */
static void cancel(struct rtn_message *message)
{
    rtn_hub_begun(message);
    if (message->asked != 0)
        (void) rtn_question_answer(message->asked, NULL, -ECANCELED, NULL, 0);
    rtn_hub_unref(message);
}

/* In the turn of its receiver, whose instance stays until then. */
static void handle(struct rtn_message *message, const struct rtn_receiver *receiver)
{
    const struct rtn_message_row *row = receiver->row;
    if (RTN_UNLIKELY(rtn_hub_is_late(message))) {
        cancel(message);
        return;
    }
    rtn_hub_begun(message);
    if (RTN_UNLIKELY(rtn_log_enabled(RTN_LOG_TRACE)))
        log_begin(message, receiver);
    turn.handled = message;
    int r = row->call(row->handle, message, message->payload, message->length, receiver->inbox->instance->data);
    turn.handled = NULL;
    settle(message, receiver, r);
    rtn_hub_unref(message);
}

void rtn_inbox_drop(struct rtn_message *message)
{
    const struct rtn_receiver *receiver = receiver_of(message);
    cancel(message);
    if (receiver != NULL)
        rtn_instance_over(receiver->inbox->instance);
}

static void handle_on_worker(struct rtn_task *task)
{
    struct rtn_message *message = RTN_CONTAINER_OF(task, struct rtn_message, task);
    const struct rtn_receiver *receiver = receiver_of(message);
    struct rtn_instance *instance = receiver->inbox->instance;
    begin_turn(receiver->inbox);
    handle(message, receiver);
    end_turn();
    rtn_instance_over(instance);
}

/* True when that were all of them. */
static bool handle_some(struct rtn_inbox *inbox)
{
    struct rtn_list *node;
    begin_turn(inbox);
    for (unsigned i = 0; i < MOST_IN_A_TURN && (node = rtn_list_pop(&inbox->running)) != NULL; i++) {
        struct rtn_message *message = RTN_CONTAINER_OF(node, struct rtn_message, node);
        handle(message, receiver_of(message));
        rtn_instance_over(inbox->instance); /* which stays until the loop hears of the end */
        (void) rtn_activity_progress();
    }
    end_turn();
    return rtn_list_empty(&inbox->running);
}

/* Others wait for a worker, or for this instance. */
static bool is_waited_for(struct rtn_pool *pool)
{
    struct rtn_pool_stats stats;
    rtn_pool_stats(pool, &stats);
    return stats.queued > 0;
}

/* Once it is queued again another worker may have it already. */
static void handle_all(struct rtn_task *task)
{
    struct rtn_inbox *inbox = RTN_CONTAINER_OF(task, struct rtn_inbox, task);
    struct rtn_pool *pool = inbox->site->pool;
    while (!handle_some(inbox)) {
        if (is_waited_for(pool) && rtn_pool_submit_always(pool, task))
            return;
    }
    rtn_loop_post(inbox->site->http->loop, &inbox->mail);
}

/* On the loop */

static void kick(struct rtn_inbox *inbox);

static void on_handled(struct rtn_mail *mail)
{
    struct rtn_inbox *inbox = RTN_CONTAINER_OF(mail, struct rtn_inbox, mail);
    inbox->busy = false;
    kick(inbox);
    rtn_instance_over(inbox->instance);
}

static void add_task(struct rtn_site *site, struct rtn_task *task)
{
    rtn_list_append(&site->hub_batch, &task->node);
    site->hub_batch_count++;
}

/* All that waits becomes one task, unless another one runs. */
static void kick(struct rtn_inbox *inbox)
{
    if (inbox->busy || rtn_list_empty(&inbox->waiting))
        return;
    rtn_list_splice(&inbox->running, &inbox->waiting);
    inbox->busy = true;
    rtn_instance_begin_part(inbox->instance);
    inbox->mail.deliver = on_handled;
    inbox->task = (struct rtn_task){ .run = handle_all,
                                     .serial = rtn_step_serial(inbox->instance),
                                     .what = inbox->instance->place.text,
                                     .lane = RTN_LANE_CALLBACKS };
    add_task(inbox->site, &inbox->task);
}

/*
 * Who handles it here; NULL: nobody does. A type that changes port has no receiver for a moment: one that was there
 * before and after the port was looked at is of that port, so that its instance cannot be gone.
 */
static const struct rtn_receiver *choose(const struct rtn_message *message)
{
    const struct rtn_hub_type *type = message->type;
    struct rtn_receiver *receiver = atomic_load(&type->receiver);
    while (atomic_load(&type->port) == message->port) {
        struct rtn_receiver *before = receiver;
        receiver = atomic_load(&type->receiver);
        if (receiver != NULL && receiver == before)
            return receiver;
        sched_yield();
    }
    return NULL;
}

static void lose(struct rtn_message *message)
{
    bool first = rtn_hub_note_unhandled(message) == 0;
    rtn_log(first ? RTN_LOG_WARN : RTN_LOG_DEBUG, "message %s comes to nothing: nobody handles it here any more",
            message->type->shape.name);
    rtn_inbox_drop(message);
}

/* The instance has it running until it was handled. */
static void give_to_workers(struct rtn_message *message, const struct rtn_receiver *receiver)
{
    struct rtn_inbox *inbox = receiver->inbox;
    struct rtn_site *site = message->port->owner;
    message->receiver = receiver;
    message->assigned = true;
    if (inbox->instance->threads == RTN_THREADS_PARALLEL) {
        message->task = (struct rtn_task){ .run = handle_on_worker,
                                           .what = inbox->instance->place.text,
                                           .lane = RTN_LANE_CALLBACKS };
        add_task(site, &message->task);
        return;
    }
    if (!inbox->busy) /* else a worker reads it */
        inbox->site = site;
    rtn_list_append(&inbox->waiting, &message->node);
    kick(inbox);
}

/* The turn of the loop is over: its instance has nothing more running here. */
static void end_loop_turn(void)
{
    struct rtn_instance *instance = turn.inbox != NULL ? turn.inbox->instance : NULL;
    if (instance == NULL)
        return;
    end_turn();
    rtn_instance_over(instance);
}

/* The turn is one of the receiver's instance, which goes on. */
static bool has_turn(const struct rtn_receiver *receiver)
{
    return turn.inbox == receiver->inbox && !rtn_instance_is_ending(receiver->inbox->instance);
}

void rtn_inbox_deliver(struct rtn_message *message)
{
    const struct rtn_receiver *receiver = choose(message);
    if (RTN_LIKELY(receiver != NULL && has_turn(receiver))) {
        (void) rtn_activity_progress();
        handle(message, receiver);
        return;
    }
    end_loop_turn();
    if (receiver == NULL && rtn_hub_forward(message) == 0)
        return;
    if (receiver == NULL || !rtn_instance_begin(receiver->inbox->instance)) {
        lose(message);
    } else if (receiver->inbox->instance->threads != RTN_THREADS_LOOP) {
        give_to_workers(message, receiver);
    } else {
        begin_turn(receiver->inbox);
        handle(message, receiver);
    }
}

static void put_back(struct rtn_hub_port *port, struct rtn_list *messages)
{
    struct rtn_list *node;
    while ((node = rtn_list_pop(messages)) != NULL)
        rtn_hub_put_back(port, RTN_CONTAINER_OF(node, struct rtn_message, node));
}

void rtn_inbox_end(struct rtn_site *site, struct rtn_hub_port *port)
{
    struct rtn_list *node;
    while ((node = rtn_list_pop(&site->hub_batch)) != NULL) {
        struct rtn_task *task = RTN_CONTAINER_OF(node, struct rtn_task, node);
        if (task->run == handle_on_worker) {
            rtn_hub_put_back(port, RTN_CONTAINER_OF(task, struct rtn_message, task));
            continue;
        }
        struct rtn_inbox *inbox = RTN_CONTAINER_OF(task, struct rtn_inbox, task);
        put_back(port, &inbox->running);
        put_back(port, &inbox->waiting);
    }
    site->hub_batch_count = 0;
}

/* Without workers the server is at its end. */
static void submit(struct rtn_site *site)
{
    struct rtn_list tasks;
    struct rtn_list *node;
    unsigned count = site->hub_batch_count;
    rtn_list_init(&tasks);
    rtn_list_splice(&tasks, &site->hub_batch);
    site->hub_batch_count = 0;
    if (rtn_pool_submit(site->pool, &tasks, count) == 0)
        return;
    while ((node = rtn_list_pop(&tasks)) != NULL) {
        struct rtn_task *task = RTN_CONTAINER_OF(node, struct rtn_task, node);
        if (!rtn_pool_submit_always(site->pool, task))
            task->run(task);
    }
}

void rtn_inbox_run(struct rtn_hub_port *port)
{
    rtn_hub_run(port, 0);
    end_loop_turn();
}

void rtn_inbox_flush(struct rtn_site *site, struct rtn_hub_port *port)
{
    rtn_hub_run(port, MOST_AT_ONCE);
    end_loop_turn();
    if (site->hub_batch_count > 0)
        submit(site);
}
