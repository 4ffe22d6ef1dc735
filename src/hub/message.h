/* One message: its payload, and where it comes from. [any]; frozen once it was sent */
#ifndef RTN_HUB_MESSAGE_H
#define RTN_HUB_MESSAGE_H

#include "hub/hub.h"
#include "loop/pool.h"

struct rtn_message {
    struct rtn_mail mail; /* in port->arrived; not delivered by itself */
    struct rtn_list node; /* in one list of its receiver after the other */
    struct rtn_task task; /* of the layer above */
    const struct rtn_hub_type *type;
    struct rtn_hub_port *port; /* that it was sent to, whoever owns the type now */
    void *receiver; /* of the layer above: who it was handed to */
    const char *sender; /* name of a server, that of its port, or "" */
    uint64_t asked; /* number of the question; 0: nobody waits for an answer */
    atomic_uint references;
    bool answered; /* or the answer comes later; by whoever handles it */
    const void *payload;
    size_t length;
    void (*release)(void *data); /* of a payload that was moved */
    void *release_data;
    void (*let_go)(const void *keeper); /* after that: of what `release` needs; may be NULL */
    const void *keeper;
    _Alignas(16) unsigned char copy[];
};

/* What is to be sent. */
struct rtn_hub_letter {
    const struct rtn_hub_type *type;
    const void *payload;
    size_t length;
    bool moved; /* else the payload is copied */
    void (*release)(void *data); /* called in any case; may be NULL */
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
