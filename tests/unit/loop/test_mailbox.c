/* Mail from many threads: none lost, the order of each sender kept, a sleeping loop woken. */
#include "loop/mailbox.h"

#include "base/macros.h"

#include "support.h"

#define SENDERS 4
#define EACH 20000

struct letter {
    struct rtn_mail mail;
    struct inbox *inbox;
    unsigned sender;
    unsigned number;
};

struct inbox {
    struct ev_loop *ev;
    struct rtn_mailbox mailbox;
    unsigned expected[SENDERS]; /* next number of each sender */
    unsigned received;
    unsigned disorders;
    unsigned stop_at;
    bool timed_out;
    struct ev_timer bound;
    atomic_uint seen; /* as received, for other threads */
};

static void on_bound(struct ev_loop *ev, struct ev_timer *timer, int events)
{
    (void) events;
    RTN_CONTAINER_OF(timer, struct inbox, bound)->timed_out = true;
    ev_break(ev, EVBREAK_ALL);
}

static void open_inbox(struct inbox *inbox)
{
    *inbox = (struct inbox){ .ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV) };
    cr_assert_not_null(inbox->ev);
    rtn_mailbox_init(&inbox->mailbox, inbox->ev);
    ev_timer_init(&inbox->bound, on_bound, BOUND_MS / 1e3, 0.);
    ev_timer_start(inbox->ev, &inbox->bound);
}

static void close_inbox(struct inbox *inbox)
{
    ev_timer_stop(inbox->ev, &inbox->bound);
    ev_loop_destroy(inbox->ev);
}

static void on_letter(struct rtn_mail *mail)
{
    const struct letter *letter = RTN_CONTAINER_OF(mail, struct letter, mail);
    struct inbox *inbox = letter->inbox;
    if (letter->number != inbox->expected[letter->sender])
        inbox->disorders++;
    inbox->expected[letter->sender] = letter->number + 1;
    inbox->received++;
    atomic_fetch_add(&inbox->seen, 1);
    if (inbox->received == inbox->stop_at)
        ev_break(inbox->ev, EVBREAK_ALL);
}

struct sender {
    pthread_t thread;
    struct inbox *inbox;
    unsigned number;
    struct letter *letters;
    bool waits; /* for each letter to arrive before it sends the next */
};

static void *send_letters(void *data)
{
    struct sender *sender = data;
    for (unsigned i = 0; i < EACH; i++) {
        struct letter *letter = &sender->letters[i];
        *letter = (struct letter){
            .mail = { .deliver = on_letter }, .inbox = sender->inbox, .sender = sender->number, .number = i
        };
        rtn_mailbox_post(&sender->inbox->mailbox, &letter->mail);
        if (sender->waits && !reaches(&sender->inbox->seen, i + 1))
            return NULL;
    }
    return NULL;
}

Test(mailbox, many_senders_lose_nothing_and_keep_their_order)
{
    static struct letter letters[SENDERS][EACH];
    struct sender senders[SENDERS];
    struct inbox inbox;

    open_inbox(&inbox);
    inbox.stop_at = SENDERS * EACH;
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ .inbox = &inbox, .number = i, .letters = letters[i] };
        cr_assert_eq(pthread_create(&senders[i].thread, NULL, send_letters, &senders[i]), 0);
    }
    ev_run(inbox.ev, 0);
    for (unsigned i = 0; i < SENDERS; i++)
        pthread_join(senders[i].thread, NULL);
    cr_expect_not(inbox.timed_out);
    cr_expect_eq(inbox.received, SENDERS * EACH, "%u arrived", inbox.received);
    cr_expect_eq(inbox.disorders, 0);
    rtn_mailbox_done(&inbox.mailbox);
    close_inbox(&inbox);
}

/* Each letter finds the loop about to sleep or asleep: a lost wake-up stops everything. */
Test(mailbox, every_letter_wakes_a_loop_that_sleeps)
{
    enum { ROUNDS = 1000 };
    static struct letter letters[EACH];
    struct inbox inbox;

    open_inbox(&inbox);
    inbox.stop_at = EACH;
    struct sender sender = { .inbox = &inbox, .letters = letters, .waits = false };
    cr_assert_eq(pthread_create(&sender.thread, NULL, send_letters, &sender), 0);
    ev_run(inbox.ev, 0);
    pthread_join(sender.thread, NULL);
    cr_assert_not(inbox.timed_out);

    inbox.received = 0;
    inbox.expected[0] = 0;
    atomic_store(&inbox.seen, 0);
    sender.waits = true;
    ev_timer_stop(inbox.ev, &inbox.bound);
    ev_timer_start(inbox.ev, &inbox.bound);
    inbox.stop_at = ROUNDS;
    cr_assert_eq(pthread_create(&sender.thread, NULL, send_letters, &sender), 0);
    ev_run(inbox.ev, 0);
    cr_expect_not(inbox.timed_out, "%u arrived", inbox.received);
    inbox.stop_at = EACH + 1;
    atomic_store(&inbox.seen, EACH); /* lets the sender run to its end */
    pthread_join(sender.thread, NULL);
    rtn_mailbox_done(&inbox.mailbox);
    close_inbox(&inbox);
}

struct note {
    struct rtn_mail mail;
    struct rtn_mailbox *mailbox;
    struct ev_loop *ev;
    unsigned left;
    unsigned *trace; /* decimal digits, one for each delivery */
    unsigned digit;
};

static void on_note(struct rtn_mail *mail)
{
    struct note *note = RTN_CONTAINER_OF(mail, struct note, mail);
    *note->trace = *note->trace * 10 + note->digit;
    if (--note->left > 0)
        rtn_mailbox_post(note->mailbox, &note->mail);
    else if (note->ev != NULL)
        ev_break(note->ev, EVBREAK_ALL);
}

Test(mailbox, mail_may_be_posted_again_while_it_is_delivered)
{
    struct inbox inbox;
    unsigned trace = 0;

    open_inbox(&inbox);
    struct note first = { { .deliver = on_note }, &inbox.mailbox, NULL, 2, &trace, 1 };
    struct note second = { { .deliver = on_note }, &inbox.mailbox, inbox.ev, 3, &trace, 2 };
    rtn_mailbox_post(&inbox.mailbox, &first.mail);
    rtn_mailbox_post(&inbox.mailbox, &second.mail);
    ev_run(inbox.ev, 0);
    cr_expect_not(inbox.timed_out);
    cr_expect_eq(trace, 12122);
    rtn_mailbox_done(&inbox.mailbox);
    close_inbox(&inbox);
}

Test(mailbox, what_is_left_is_delivered_at_the_end)
{
    struct inbox inbox;
    unsigned trace = 0;

    open_inbox(&inbox);
    struct note notes[3];
    for (unsigned i = 0; i < 3; i++) {
        notes[i] = (struct note){ { .deliver = on_note }, &inbox.mailbox, NULL, 1, &trace, i + 1 };
        rtn_mailbox_post(&inbox.mailbox, &notes[i].mail);
    }
    cr_expect_eq(trace, 0);
    rtn_mailbox_done(&inbox.mailbox);
    cr_expect_eq(trace, 123);
    close_inbox(&inbox);
}
