/*
 * The hub: which message types there are, which server owns each, and the queue of each server. [main] makes and
 * changes it, also while messages are sent; sending is [any]
 *
 * Types and ports live as long as the hub, so that a sender may hold on to them whatever becomes of the server. A port
 * is closed before its loop goes away: `state` counts who is inside of a send meanwhile.
 */
#ifndef RTN_HUB_HUB_H
#define RTN_HUB_HUB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/macros.h"
#include "base/str.h"
#include "loop/loop.h"
#include "stats/stats.h"

struct rtn_hub;
struct rtn_message;

/* What a declaration says of a type. */
struct rtn_hub_shape {
    const char *name;
    unsigned version;
    size_t size; /* bytes, or SIZE_MAX: any number */
    size_t answer_size; /* the same; 0: no answer */
};

/* Two of one name differ in the rest: those of an older declaration stay, for who still has it. */
struct rtn_hub_type {
    struct rtn_hub_shape shape; /* with a name of its own */
    rtn_stats_block stats;
    _Atomic(struct rtn_hub_port *) port; /* of the server that owns it; NULL: none */
    _Atomic(void *) receiver; /* of the layer above: what handles it there, looked at when a message is handed out */
    struct rtn_list node;
};

/*
 * The queue of one server. What is written by senders and what is by receivers lie apart, so that neither waits for the
 * other's processor on every message.
 */
/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): for which it is wider than its members */
struct rtn_hub_port {
    const char *server; /* its name; the port's own */
    _Atomic unsigned capacity; /* messages */
    /* Handles one message, which it gets a reference of: must end in rtn_hub_begun() and rtn_hub_unref(). [loop] */
    void (*deliver)(struct rtn_message *message);
    /* The same of one that comes to nothing, after the loop has ended. [main] */
    void (*drop)(struct rtn_message *message);
    _Atomic(struct rtn_loop *) loop; /* NULL: not there yet, or no longer */
    void *owner; /* of the layer above, with the loop */
    atomic_bool over; /* what was not begun is not to be handled any more */
    atomic_uint unhandled; /* messages of which that is so, and that the port did not have any more */
    unsigned type_count; /* that the server owns; [main], as the next two */
    bool opened; /* since it was added */
    bool ended; /* its server is gone */
    struct rtn_list node;

    _Alignas(RTN_CACHE_PAIR) _Atomic uint64_t state; /* see hub_internal.h */
    struct rtn_mail_stack arrived; /* messages that were sent */
    _Atomic uint32_t begun_seen; /* what a sender saw of `begun` */
    _Atomic bool told; /* `arrival` is on its way */
    struct rtn_mail arrival; /* tells the loop that something has arrived, or that more of it is to be run */
    _Atomic uint64_t refused; /* because it was full */

    _Alignas(RTN_CACHE_PAIR) _Atomic uint32_t begun; /* messages, ever; [any] */
    uint64_t taken; /* [loop], as the next */
    struct rtn_message *first; /* that wait, in order; NULL: none */
    struct rtn_message *last;
};

int rtn_hub_new(struct rtn_hub **ret);

/* Every port must be closed. Accepts NULL. */
void rtn_hub_free(struct rtn_hub *hub);

/* The type of that shape; NULL: none was made. */
struct rtn_hub_type *rtn_hub_find(const struct rtn_hub *hub, const struct rtn_hub_shape *shape);

bool rtn_hub_is_shape(const struct rtn_hub_shape *a, const struct rtn_hub_shape *b);

/* Adds a type; the name is copied. NULL when memory is out. */
struct rtn_hub_type *rtn_hub_add(struct rtn_hub *hub, const struct rtn_hub_shape *shape);

/*
 * From now on messages of the type go to `port`, which hands them to `receiver`; both may be NULL: -ENOENT. When the
 * port changes there is no receiver meanwhile: one that is found before and after the port is of that port. [main]
 */
void rtn_hub_publish(struct rtn_hub_type *type, struct rtn_hub_port *port, void *receiver);

/* In the order in which they were added: begin with NULL; NULL after the last. */
struct rtn_hub_type *rtn_hub_next(const struct rtn_hub *hub, const struct rtn_hub_type *type);

/* A closed port for a server; the name is copied. It may be one that was ended. NULL when memory is out. */
struct rtn_hub_port *rtn_hub_add_port(struct rtn_hub *hub, const char *server, unsigned capacity,
                                      void (*deliver)(struct rtn_message *message),
                                      void (*drop)(struct rtn_message *message));

/* From now on messages are taken; they wait until there is a loop. No effect without types, or when it was opened.
 * [main] */
void rtn_hub_open(struct rtn_hub_port *port);

/* Messages that wait already stay. [main] */
void rtn_hub_set_capacity(struct rtn_hub_port *port, unsigned capacity);

/* The loop that runs them, before its thread starts. [main] */
void rtn_hub_attach(struct rtn_hub_port *port, struct rtn_loop *loop, void *owner);

/* No more messages are taken; returns when nobody is inside of a send. What was taken is still to be run. [main] */
void rtn_hub_close(struct rtn_hub_port *port);

/* The layer above gives up: from now on it drops messages in place of handling them. [main] */
void rtn_hub_give_up(struct rtn_hub_port *port);

/* True, and counted as not handled, when the message is to be dropped. [any] */
bool rtn_hub_is_late(const struct rtn_message *message);

/* A message that nobody handles any more is to be dropped: counts it; how many there were before. [any] */
unsigned rtn_hub_note_unhandled(const struct rtn_message *message);

/* Counts the types of each port, and opens those that have some and a loop. [main] */
void rtn_hub_count_types(struct rtn_hub *hub);

/* A type is about to be published for the port, which takes messages from now on if it is attached. [main] */
void rtn_hub_expect_type(struct rtn_hub_port *port);

/* True when rtn_hub_run() would find something. [loop] */
static inline bool rtn_hub_has_mail(const struct rtn_hub_port *port)
{
    return atomic_load_explicit(&port->arrived.top, memory_order_relaxed) != NULL || port->first != NULL;
}

/* The message waits again, behind the others. [loop] or, when it has ended, [main] */
void rtn_hub_put_back(struct rtn_hub_port *port, struct rtn_message *message);

/* Hands out messages that wait, `most` at most (0: all); wakes the loop for the rest. Before a wait when there are any.
 * [loop] */
void rtn_hub_run(struct rtn_hub_port *port, unsigned most);

/*
 * Drops what is left, when the port is closed and its loop has ended; says in the log what it was good for, unless it
 * was never opened. Then it may be had again, by a server of its name. Twice does no harm. [main]
 */
void rtn_hub_end(struct rtn_hub_port *port);

/* How many messages were taken and not begun. */
unsigned rtn_hub_waiting(const struct rtn_hub_port *port);

#endif
