/*
 * Mail into a loop: a push-only stack with an exchange on the receiving side, so there is no ABA
 * problem and no lock. libev's ev_async_send writes to its eventfd only when the loop is about to
 * sleep, so mail between two busy threads costs no system call.
 */
#include "loop/mailbox.h"

#include "base/macros.h"

void rtn_mailbox_deliver(struct rtn_mailbox *mailbox)
{
    struct rtn_mail *last;
    struct rtn_mail *ordered = rtn_mail_take(&mailbox->stack, &last);
    while (ordered != NULL) {
        struct rtn_mail *next = ordered->next;
        ordered->deliver(ordered);
        ordered = next;
    }
}

static void on_wake(struct ev_loop *ev, struct ev_async *watcher, int events)
{
    (void) ev;
    (void) events;
    rtn_mailbox_deliver(RTN_CONTAINER_OF(watcher, struct rtn_mailbox, wake));
}

void rtn_mailbox_init(struct rtn_mailbox *mailbox, struct ev_loop *ev)
{
    mailbox->ev = ev;
    atomic_init(&mailbox->stack.top, NULL);
    ev_async_init(&mailbox->wake, on_wake);
    ev_async_start(ev, &mailbox->wake);
}

void rtn_mailbox_done(struct rtn_mailbox *mailbox)
{
    rtn_mailbox_deliver(mailbox);
    ev_async_stop(mailbox->ev, &mailbox->wake);
}

void rtn_mailbox_post(struct rtn_mailbox *mailbox, struct rtn_mail *mail)
{
    if (rtn_mail_push(&mailbox->stack, mail))
        ev_async_send(mailbox->ev, &mailbox->wake);
}

void rtn_mailbox_wake(struct rtn_mailbox *mailbox)
{
    ev_async_send(mailbox->ev, &mailbox->wake);
}
