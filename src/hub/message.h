/* One message: its payload, and where it comes from. [any]; frozen once it was sent */
#ifndef RTN_HUB_MESSAGE_H
#define RTN_HUB_MESSAGE_H

#include "hub/block.h"
#include "hub/hub.h"
#include "loop/pool.h"

/*
 * What every message needs lies together, with a payload of up to 47 bytes in two cache lines: that is what one
 * processor has to fetch from another. The rest is before it, and nobody touches it without need.
 */
struct rtn_message {
    /* Set by whoever hands it out. */
    struct rtn_list node; /* in one list of its receiver after the other */
    struct rtn_task task; /* of the layer above */
    const void *receiver; /* of the layer above: who it was handed to; only when `assigned` */
    /* Set only when `moved`. */
    void (*release)(void *data); /* of the payload; may be NULL */
    void *release_data;
    void (*let_go)(const void *keeper); /* after that: of what `release` needs; may be NULL */
    const void *keeper;

    _Alignas(RTN_BLOCK_ALIGNMENT) struct rtn_mail mail; /* in the queue of its port; not delivered by itself */
    const struct rtn_hub_type *type;
    struct rtn_hub_port *port; /* that it was sent to, whoever owns the type now */
    const char *sender; /* name of a server, that of its port, or "" */
    uint64_t asked; /* number of the question; 0: nobody waits for an answer */
    const void *payload;
    size_t length;
    atomic_uint references;
    bool moved; /* the payload is not a copy of our own */
    bool assigned;
    bool answered; /* or the answer comes later; by whoever handles it */
    _Alignas(16) unsigned char copy[];
};

/* What is to be sent. */
struct rtn_hub_letter {
    const struct rtn_hub_type *type;
    const void *payload;
    size_t length;
    bool moved; /* else the payload is copied */
    void (*release)(void *data); /* of what is moved; called in any case; may be NULL */
    void *release_data;
    void (*let_go)(const void *keeper); /* called after release in any case; may be NULL */
    const void *keeper;
    const char *sender;
    uint64_t asked;
};

/*
 * 0, or the letter was not taken: -EAGAIN (full), -ECANCELED (the port is closed), -ENOENT (nobody owns the type),
 * -EINVAL (length), -ENOMEM.
 */
int rtn_hub_send(const struct rtn_hub_letter *letter);

/*
 * The same in two steps: first room in the queue is taken and the message made, then it leaves or is given up. The port
 * is not closed in between.
 */
int rtn_hub_prepare(const struct rtn_hub_letter *letter, struct rtn_message **ret);
void rtn_hub_commit(struct rtn_message *message);
void rtn_hub_abandon(struct rtn_message *message);

/*
 * A message that was handed out, and whose type belongs to another port by now: it waits there. 0, or as
 * rtn_hub_send(): then it is still where it was. [loop]
 */
int rtn_hub_forward(struct rtn_message *message);

/* Its handler is about to run: it waits no more. */
void rtn_hub_begun(const struct rtn_message *message);

void rtn_hub_ref(struct rtn_message *message);
void rtn_hub_unref(struct rtn_message *message);

#endif
