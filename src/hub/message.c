/*
 * Sending: room in the queue is reserved first, in the port's state, which at the same time keeps the port from being
 * closed until the message is in the mailbox of its loop. Nothing here waits or takes a lock.
 */
#include "hub/message.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "hub/hub_internal.h"

#define MOST_COPIED (SIZE_MAX - 2 * sizeof(struct rtn_message))

/*
 * As many wait as may, when so many were taken. What was begun is looked at only when it seems so: that line is of the
 * receiver's processor. A sender that was overtaken by others may find that fewer were taken than were begun.
 */
static bool is_full(struct rtn_hub_port *port, uint32_t taken)
{
    int64_t capacity = atomic_load_explicit(&port->capacity, memory_order_relaxed);
    uint32_t begun = atomic_load_explicit(&port->begun_seen, memory_order_relaxed);
    if (RTN_LIKELY((int32_t) (taken - begun) < capacity))
        return false;
    begun = atomic_load(&port->begun);
    atomic_store_explicit(&port->begun_seen, begun, memory_order_relaxed);
    return (int32_t) (taken - begun) >= capacity;
}

/* One more is inside of a send, and one more message waits. 0, -EAGAIN or -ECANCELED: then neither is so. */
static int enter(struct rtn_hub_port *port)
{
    uint64_t state = atomic_load_explicit(&port->state, memory_order_relaxed);
    do {
        if (RTN_UNLIKELY(state & RTN_HUB_CLOSED))
            return -ECANCELED;
        if (RTN_UNLIKELY(is_full(port, rtn_hub_taken(state)))) {
            atomic_fetch_add_explicit(&port->refused, 1, memory_order_relaxed);
            return -EAGAIN;
        }
    } while (!atomic_compare_exchange_weak(&port->state, &state, state + RTN_HUB_TAKEN + RTN_HUB_INSIDE));
    return 0;
}

static void leave(struct rtn_hub_port *port, uint64_t untaken)
{
    atomic_fetch_sub(&port->state, RTN_HUB_INSIDE + untaken);
}

/* The payload is somebody else's: what becomes of it is kept. */
static void move(struct rtn_message *message, const struct rtn_hub_letter *letter)
{
    message->payload = letter->payload;
    message->release = letter->release;
    message->release_data = letter->release_data;
    message->let_go = letter->let_go;
    message->keeper = letter->keeper;
}

static void copy(struct rtn_message *message, const struct rtn_hub_letter *letter)
{
    message->payload = message->copy;
    if (letter->length > 0)
        memcpy(message->copy, letter->payload, letter->length);
    message->copy[letter->length] = '\0'; /* for who takes bytes for text */
}

static size_t size_of(const struct rtn_message *message)
{
    return rtn_message_size(message->moved ? 0 : message->length);
}

/* What only receivers set is left as it is. */
static struct rtn_message *make(const struct rtn_hub_letter *letter, struct rtn_hub_port *port)
{
    size_t copied = letter->moved ? 0 : letter->length;
    struct rtn_message *message = copied < MOST_COPIED ? rtn_block_take(rtn_message_size(copied)) : NULL;
    if (message == NULL)
        return NULL;
    message->type = letter->type;
    message->port = port;
    message->sender = letter->sender;
    message->asked = letter->asked;
    message->length = letter->length;
    message->moved = letter->moved;
    message->assigned = false;
    message->answered = false;
    atomic_init(&message->references, 1);
    if (letter->moved)
        move(message, letter);
    else
        copy(message, letter);
    return message;
}

/* First the payload, by code that may go with the keeper. */
static void give_back(void (*release)(void *data), void *data, void (*let_go)(const void *keeper), const void *keeper)
{
    if (release != NULL)
        release(data);
    if (let_go != NULL)
        let_go(keeper);
}

/* Into the port that owns the type; when that has changed just now, into the one that owns it since. */
static int enter_owner(const struct rtn_hub_type *type, struct rtn_hub_port **ret)
{
    struct rtn_hub_port *now = atomic_load(&type->port);
    int r;
    do {
        *ret = now;
        r = now != NULL ? enter(now) : -ENOENT;
        now = atomic_load(&type->port);
    } while (r < 0 && now != *ret);
    return r;
}

static int prepare(const struct rtn_hub_letter *letter, struct rtn_message **ret)
{
    const struct rtn_hub_type *type = letter->type;
    bool fits = type->shape.size == SIZE_MAX || type->shape.size == letter->length;
    if (!fits || (letter->payload == NULL && letter->length > 0))
        return -EINVAL;
    struct rtn_hub_port *port;
    int r = enter_owner(type, &port);
    if (r == -EAGAIN)
        rtn_stats_add(type->stats, RTN_STATS_MESSAGE_REFUSED, 1);
    if (r < 0)
        return r;
    *ret = make(letter, port);
    if (*ret != NULL)
        return 0;
    leave(port, RTN_HUB_TAKEN);
    return -ENOMEM;
}

int rtn_hub_prepare(const struct rtn_hub_letter *letter, struct rtn_message **ret)
{
    int r = prepare(letter, ret);
    if (r < 0)
        give_back(letter->release, letter->release_data, letter->let_go, letter->keeper);
    return r;
}

/* Into the queue, whose room was taken. */
static void push(struct rtn_message *message)
{
    struct rtn_hub_port *port = message->port;
    if (rtn_mail_push(&port->arrived, &message->mail))
        rtn_hub_tell(port);
    leave(port, 0);
}

void rtn_hub_commit(struct rtn_message *message)
{
    rtn_stats_add(message->type->stats, RTN_STATS_MESSAGE_SENT, 1);
    push(message);
}

int rtn_hub_forward(struct rtn_message *message)
{
    struct rtn_hub_port *port;
    int r = enter_owner(message->type, &port);
    if (r < 0)
        return r;
    atomic_fetch_add(&message->port->begun, 1);
    message->port = port;
    push(message);
    return 0;
}

void rtn_hub_abandon(struct rtn_message *message)
{
    leave(message->port, RTN_HUB_TAKEN);
    rtn_hub_unref(message);
}

int rtn_hub_send(const struct rtn_hub_letter *letter)
{
    struct rtn_message *message;
    int r = rtn_hub_prepare(letter, &message);
    if (r == 0)
        rtn_hub_commit(message);
    return r;
}

void rtn_hub_begun(const struct rtn_message *message)
{
    rtn_stats_add(message->type->stats, RTN_STATS_MESSAGE_TAKEN, 1);
    atomic_fetch_add(&message->port->begun, 1);
}

void rtn_hub_ref(struct rtn_message *message)
{
    atomic_fetch_add_explicit(&message->references, 1, memory_order_relaxed);
}

/* Whoever has the only reference shares it with nobody. */
static bool is_last(struct rtn_message *message)
{
    return atomic_load_explicit(&message->references, memory_order_acquire) == 1 ||
           atomic_fetch_sub_explicit(&message->references, 1, memory_order_acq_rel) == 1;
}

void rtn_hub_unref(struct rtn_message *message)
{
    if (!is_last(message))
        return;
    if (message->moved)
        give_back(message->release, message->release_data, message->let_go, message->keeper);
    rtn_block_give(message, size_of(message));
}
