/*
 * The only way into a loop from outside: an intrusive list that any thread may add to, and one
 * wake-up. [any] to post, [loop] to receive
 *
 * Posting pushes onto a lock-free stack; only the post that finds it empty wakes the loop. The loop
 * takes the whole stack, turns it round and delivers in the order of arrival.
 */
#ifndef RTN_LOOP_MAILBOX_H
#define RTN_LOOP_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <ev.h>

#include "base/macros.h"

struct rtn_mail {
    struct rtn_mail *next;
    void (*deliver)(struct rtn_mail *mail); /* on the loop; may free or post the mail again */
};

/* Mail that any thread pushes, and that one thread takes, all of it at once. All-zero is empty. */
struct rtn_mail_stack {
    _Atomic(struct rtn_mail *) top;
};

/* Whoever posts does not take the lines around away from the loop, which writes what is before and behind all the time.
 */
struct rtn_mailbox {
    struct ev_loop *ev;
    struct ev_async wake;
    char before[RTN_CACHE_LINE];
    struct rtn_mail_stack stack;
    char behind[RTN_CACHE_LINE];
};

/* True when it was empty: whoever takes it is to be told. In one order for all with what the caller looks at next. */
static inline bool rtn_mail_push(struct rtn_mail_stack *stack, struct rtn_mail *mail)
{
    struct rtn_mail *top = atomic_load_explicit(&stack->top, memory_order_relaxed);
    do
        mail->next = top;
    while (!atomic_compare_exchange_weak(&stack->top, &top, mail));
    return top == NULL;
}

/* The first that was pushed, with the others behind it by `next`, up to *last; NULL: it was empty. */
static inline struct rtn_mail *rtn_mail_take(struct rtn_mail_stack *stack, struct rtn_mail **last)
{
    struct rtn_mail *mail = atomic_exchange(&stack->top, NULL);
    struct rtn_mail *ordered = NULL;
    *last = mail;
    while (mail != NULL) {
        struct rtn_mail *next = mail->next;
        mail->next = ordered;
        ordered = mail;
        mail = next;
    }
    return ordered;
}

/* Starts receiving on `ev`; on its thread or before it runs. It keeps the loop running. */
void rtn_mailbox_init(struct rtn_mailbox *mailbox, struct ev_loop *ev);

/* Delivers what is there. On the loop's thread or after it ended. */
void rtn_mailbox_deliver(struct rtn_mailbox *mailbox);

/* On the loop's thread or after it ended. Mail that is still there is delivered first. */
void rtn_mailbox_done(struct rtn_mailbox *mailbox);

/* Any thread. The mail must not be in a mailbox already. */
void rtn_mailbox_post(struct rtn_mailbox *mailbox, struct rtn_mail *mail);

/* Any thread: the loop comes round, without mail. */
void rtn_mailbox_wake(struct rtn_mailbox *mailbox);

#endif
