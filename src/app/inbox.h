/*
 * Messages that have come to a server: to the handler of the instance that owns their type, on the loop or on workers,
 * by its thread model. [loop] unless a function says otherwise
 */
#ifndef RTN_APP_INBOX_H
#define RTN_APP_INBOX_H

#include "app/dispatch.h"
#include "hub/message.h"

struct rtn_inbox;

/* Who handles a type; type->receiver points to it. It lives as long as its instance, and is as frozen. */
struct rtn_receiver {
    struct rtn_inbox *inbox;
    const struct rtn_message_row *row;
};

/* What one instance is given one at a time: all its types share it. */
struct rtn_inbox {
    struct rtn_instance *instance;
    const char *handler; /* its name */
    struct rtn_receiver *receivers; /* one for each row */
    struct rtn_list waiting; /* messages */
    struct rtn_list running; /* the worker's, while busy */
    bool busy;
    struct rtn_site *site; /* set while not busy */
    struct rtn_task task;
    struct rtn_mail mail;
};

/* For the port of a server. port->owner is the site of its first loop. */
void rtn_inbox_deliver(struct rtn_message *message);
void rtn_inbox_drop(struct rtn_message *message); /* [any] */

/* Hands out all that has come. */
void rtn_inbox_run(struct rtn_hub_port *port);

/* Hands out what has come and gives the pool its tasks. Before a wait when there are any. */
void rtn_inbox_flush(struct rtn_site *site, struct rtn_hub_port *port);

/* Gives the port back what no worker was given, when the loop and the workers have ended. [main] */
void rtn_inbox_end(struct rtn_site *site, struct rtn_hub_port *port);

/* For an instance with `messages`, from its arena. [main] */
struct rtn_inbox *rtn_inbox_new(struct rtn_instance *instance);

/* The question of that number has its answer, if it is the one that the calling thread handles. Any thread. */
void rtn_inbox_note_answer(uint64_t asked);

#endif
