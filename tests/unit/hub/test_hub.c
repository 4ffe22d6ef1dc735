/* Ports: what is taken and what is refused, order, closing while others send, and what becomes of the rest. */
#include "hub/hub.h"

#include <errno.h>
#include <sched.h>

#include "base/macros.h"
#include "hub/message.h"

#include "support.h"

#define SENDERS 4
#define EACH 50000

static _Atomic int silent = RTN_LOG_NONE;

/* A hub with one port and two types on it, and a loop when it was begun. */
struct stand {
    struct rtn_hub *hub;
    struct rtn_hub_port *port;
    struct rtn_hub_type *number; /* a uint64_t */
    struct rtn_hub_type *bytes;
    struct rtn_loop loop;
    unsigned most; /* of rtn_hub_run() */
    atomic_uint delivered;
    atomic_uint dropped;
    atomic_uint released;
    unsigned disorders;
    uint64_t next[SENDERS];
    atomic_uint turns;
};

static struct stand stand;

struct number {
    uint32_t sender;
    uint32_t number;
};

static void deliver(struct rtn_message *message)
{
    const struct number *number = message->payload;
    rtn_hub_begun(message);
    if (message->type == stand.number && stand.next[number->sender]++ != number->number)
        stand.disorders++;
    atomic_fetch_add(&stand.delivered, 1);
    rtn_hub_unref(message);
}

static void drop(struct rtn_message *message)
{
    rtn_hub_begun(message);
    atomic_fetch_add(&stand.dropped, 1);
    rtn_hub_unref(message);
}

static void on_wait(void *data)
{
    (void) data;
    atomic_fetch_add(&stand.turns, 1);
    rtn_hub_run(stand.port, stand.most);
}

static void on_release(void *data)
{
    (void) data;
    atomic_fetch_add(&stand.released, 1);
}

static struct rtn_hub_type *add_type(const char *name, size_t size)
{
    const struct rtn_hub_shape shape = { .name = name, .version = 1, .size = size };
    struct rtn_hub_type *type = rtn_hub_add(stand.hub, &shape);
    cr_assert_not_null(type);
    rtn_hub_publish(type, stand.port, NULL);
    rtn_hub_count_types(stand.hub);
    return type;
}

static void set_up(unsigned capacity)
{
    stand = (struct stand){ .most = 0 };
    cr_assert_eq(rtn_hub_new(&stand.hub), 0);
    stand.port = rtn_hub_add_port(stand.hub, "jobs", capacity, deliver, drop);
    cr_assert_not_null(stand.port);
    stand.number = add_type("number", sizeof(struct number));
    stand.bytes = add_type("bytes", SIZE_MAX);
    const struct rtn_loop_options options = { .server = "jobs", .log_level = &silent, .before_wait = on_wait };
    cr_assert_eq(rtn_loop_init(&stand.loop, &options), 0);
}

static void begin(void)
{
    rtn_hub_attach(stand.port, &stand.loop, &stand);
    cr_assert_eq(rtn_loop_start(&stand.loop), 0);
}

static void end(void)
{
    cr_assert_eq(rtn_loop_stop(&stand.loop, BOUND_MS), 0);
}

static void tear_down(void)
{
    rtn_loop_done(&stand.loop);
    rtn_hub_end(stand.port);
    rtn_hub_free(stand.hub);
}

static int send_number(uint32_t sender, uint32_t number)
{
    const struct number payload = { sender, number };
    return rtn_hub_send(&(const struct rtn_hub_letter){
        .type = stand.number, .payload = &payload, .length = sizeof(payload), .sender = "" });
}

static int move_bytes(size_t length)
{
    static const char bytes[16] = "moved";
    return rtn_hub_send(&(const struct rtn_hub_letter){
        .type = stand.bytes, .payload = bytes, .length = length, .moved = true, .release = on_release, .sender = "" });
}

Test(hub, types_are_found_by_name_and_in_order)
{
    set_up(1);
    struct rtn_hub_shape shape = stand.number->shape;
    cr_expect_eq(rtn_hub_find(stand.hub, &shape), stand.number);
    cr_expect_eq(rtn_hub_find(stand.hub, &stand.bytes->shape), stand.bytes);
    shape.name = "numb";
    cr_expect_null(rtn_hub_find(stand.hub, &shape));
    cr_expect_eq(rtn_hub_next(stand.hub, NULL), stand.number);
    cr_expect_eq(rtn_hub_next(stand.hub, stand.number), stand.bytes);
    cr_expect_null(rtn_hub_next(stand.hub, stand.bytes));
    tear_down();
}

Test(hub, a_port_is_closed_before_and_after)
{
    set_up(3);
    cr_expect_eq(send_number(0, 0), -ECANCELED);
    cr_expect_eq(move_bytes(4), -ECANCELED);
    cr_expect_eq(atomic_load(&stand.released), 1);
    rtn_hub_open(stand.port);
    cr_expect_eq(send_number(0, 0), 0);
    rtn_hub_close(stand.port);
    rtn_hub_close(stand.port);
    cr_expect_eq(send_number(0, 1), -ECANCELED);
    cr_expect_eq(rtn_hub_waiting(stand.port), 1);
    tear_down();
    cr_expect_eq(atomic_load(&stand.dropped), 1);
}

Test(hub, a_port_without_types_stays_closed)
{
    set_up(3);
    struct rtn_hub_port *port = rtn_hub_add_port(stand.hub, "other", 3, deliver, drop);
    cr_assert_not_null(port);
    rtn_hub_open(port);
    stand.number->port = port;
    cr_expect_eq(send_number(0, 0), -ECANCELED);
    rtn_hub_end(port);
    tear_down();
}

Test(hub, a_port_is_had_again_when_its_server_is_gone)
{
    set_up(3);
    struct rtn_hub_port *port = rtn_hub_add_port(stand.hub, "other", 3, deliver, drop);
    struct rtn_hub_port *beside = rtn_hub_add_port(stand.hub, "other", 3, deliver, drop); /* takes its place */
    cr_expect_neq(port, beside);
    rtn_hub_publish(stand.bytes, port, NULL);
    rtn_hub_count_types(stand.hub);
    rtn_hub_open(port);
    cr_expect_eq(move_bytes(4), 0);
    rtn_hub_close(port);
    rtn_hub_end(port);
    cr_expect_eq(atomic_load(&stand.dropped), 1);
    cr_expect_eq(move_bytes(4), -ECANCELED);
    cr_expect_eq(rtn_hub_add_port(stand.hub, "other", 1, deliver, drop), port);
    cr_expect_eq(move_bytes(4), -ECANCELED);
    rtn_hub_count_types(stand.hub);
    rtn_hub_open(port);
    cr_expect_eq(move_bytes(4), 0);
    cr_expect_eq(move_bytes(4), -EAGAIN);
    rtn_hub_close(port);
    rtn_hub_end(port);
    rtn_hub_end(beside);
    tear_down();
}

Test(hub, ports_open_by_themselves_when_they_have_types_and_a_loop)
{
    set_up(3);
    struct rtn_hub_port *port = rtn_hub_add_port(stand.hub, "other", 3, deliver, drop);
    rtn_hub_attach(port, &stand.loop, &stand);
    rtn_hub_count_types(stand.hub);
    cr_expect_not(port->opened);
    rtn_hub_publish(stand.bytes, port, NULL);
    cr_expect_eq(move_bytes(4), -ECANCELED);
    rtn_hub_count_types(stand.hub);
    cr_expect_eq(move_bytes(4), 0);
    rtn_hub_publish(stand.bytes, NULL, NULL);
    cr_expect_eq(move_bytes(4), -ENOENT);
    cr_expect_eq(rtn_hub_waiting(port), 1);
    rtn_hub_close(port);
    rtn_hub_end(port);
    tear_down();
}

Test(hub, the_capacity_changes_while_messages_wait)
{
    set_up(2);
    rtn_hub_open(stand.port);
    cr_expect_eq(send_number(0, 0), 0);
    cr_expect_eq(send_number(0, 1), 0);
    cr_expect_eq(send_number(0, 2), -EAGAIN);
    rtn_hub_set_capacity(stand.port, 3);
    cr_expect_eq(send_number(0, 2), 0);
    rtn_hub_set_capacity(stand.port, 1);
    cr_expect_eq(send_number(0, 3), -EAGAIN);
    cr_expect_eq(rtn_hub_waiting(stand.port), 3);
    begin();
    cr_expect(reaches(&stand.delivered, 3));
    cr_expect_eq(stand.disorders, 0);
    rtn_hub_close(stand.port);
    end();
    tear_down();
}

Test(hub, letters_that_do_not_fit_are_refused)
{
    set_up(3);
    rtn_hub_open(stand.port);
    struct rtn_hub_letter letter = { .type = stand.number, .payload = "12345678", .length = 7, .sender = "" };
    cr_expect_eq(rtn_hub_send(&letter), -EINVAL);
    letter.length = 9;
    cr_expect_eq(rtn_hub_send(&letter), -EINVAL);
    letter = (struct rtn_hub_letter){ .type = stand.bytes, .length = 1, .release = on_release, .sender = "" };
    cr_expect_eq(rtn_hub_send(&letter), -EINVAL);
    cr_expect_eq(atomic_load(&stand.released), 1);
    stand.bytes->port = NULL;
    cr_expect_eq(move_bytes(4), -ENOENT);
    cr_expect_eq(atomic_load(&stand.released), 2);
    stand.bytes->port = stand.port;
    letter = (struct rtn_hub_letter){ .type = stand.bytes, .length = 0, .sender = "" };
    cr_expect_eq(rtn_hub_send(&letter), 0);
    cr_expect_eq(rtn_hub_waiting(stand.port), 1);
    rtn_hub_close(stand.port);
    tear_down();
}

Test(hub, a_full_queue_refuses_exactly_what_does_not_fit)
{
    set_up(5);
    rtn_hub_open(stand.port);
    for (uint32_t i = 0; i < 10; i++)
        cr_expect_eq(i % 2 == 0 ? send_number(0, i / 2) : move_bytes(4), i < 5 ? 0 : -EAGAIN, "%u", i);
    cr_expect_eq(rtn_hub_waiting(stand.port), 5);
    cr_expect_eq(atomic_load(&stand.port->refused), 5);
    cr_expect_eq(atomic_load(&stand.released), 3);
    begin();
    cr_expect(reaches(&stand.delivered, 5));
    cr_expect_eq(rtn_hub_waiting(stand.port), 0);
    cr_expect_eq(send_number(0, 3), 0);
    cr_expect(reaches(&stand.delivered, 6));
    rtn_hub_close(stand.port);
    end();
    cr_expect_eq(stand.disorders, 0);
    cr_expect_eq(stand.port->taken, 6);
    tear_down();
    cr_expect_eq(atomic_load(&stand.dropped), 0);
    cr_expect_eq(atomic_load(&stand.released), 5);
}

Test(hub, a_letter_that_is_given_up_leaves_its_room)
{
    set_up(1);
    rtn_hub_open(stand.port);
    struct rtn_message *message;
    const struct rtn_hub_letter letter = {
        .type = stand.bytes, .payload = "x", .length = 1, .moved = true, .release = on_release, .sender = ""
    };
    cr_assert_eq(rtn_hub_prepare(&letter, &message), 0);
    cr_expect_eq(rtn_hub_waiting(stand.port), 1);
    cr_expect_eq(send_number(0, 0), -EAGAIN);
    rtn_hub_abandon(message);
    cr_expect_eq(atomic_load(&stand.released), 1);
    cr_expect_eq(rtn_hub_waiting(stand.port), 0);
    cr_assert_eq(rtn_hub_prepare(&letter, &message), 0);
    rtn_hub_commit(message);
    rtn_hub_close(stand.port);
    tear_down();
    cr_expect_eq(atomic_load(&stand.dropped), 1);
    cr_expect_eq(atomic_load(&stand.released), 2);
}

Test(hub, a_message_lives_as_long_as_somebody_has_it)
{
    set_up(1);
    rtn_hub_open(stand.port);
    struct rtn_message *message;
    const struct rtn_hub_letter letter = { .type = stand.bytes, .payload = "text", .length = 4, .sender = "web" };
    cr_assert_eq(rtn_hub_prepare(&letter, &message), 0);
    rtn_hub_ref(message);
    rtn_hub_commit(message);
    begin();
    cr_expect(reaches(&stand.delivered, 1));
    cr_expect_arr_eq(message->payload, "text", 4);
    cr_expect_eq((uintptr_t) message->payload % 16, 0);
    cr_expect_neq(message->payload, letter.payload);
    rtn_hub_unref(message);
    rtn_hub_close(stand.port);
    end();
    tear_down();
}

/* Senders */

struct sender {
    pthread_t thread;
    uint32_t number;
    uint32_t sent;
    uint32_t refused;
    int result; /* the last */
};

static void *send_all(void *data)
{
    struct sender *sender = data;
    while (sender->sent < EACH && sender->result != -ECANCELED) {
        sender->result = send_number(sender->number, sender->sent);
        if (sender->result == 0)
            sender->sent++;
        if (sender->result == -EAGAIN) {
            sender->refused++;
            (void) sched_yield();
        }
    }
    return NULL;
}

static void start_senders(struct sender *senders)
{
    for (uint32_t i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ .number = i };
        cr_assert_eq(pthread_create(&senders[i].thread, NULL, send_all, &senders[i]), 0);
    }
}

static uint32_t join_senders(struct sender *senders, uint32_t *refused)
{
    uint32_t sent = 0;
    *refused = 0;
    for (uint32_t i = 0; i < SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
        sent += senders[i].sent;
        *refused += senders[i].refused;
    }
    return sent;
}

static void pour(unsigned capacity, unsigned most)
{
    struct sender senders[SENDERS];
    uint32_t refused;
    set_up(capacity);
    stand.most = most;
    rtn_hub_open(stand.port);
    begin();
    start_senders(senders);
    uint32_t sent = join_senders(senders, &refused);
    cr_expect_eq(sent, SENDERS * EACH);
    cr_expect(reaches(&stand.delivered, sent), "%u of %u", atomic_load(&stand.delivered), sent);
    rtn_hub_close(stand.port);
    end();
    cr_expect_eq(stand.disorders, 0);
    cr_expect_eq(stand.port->taken, sent);
    cr_expect_eq(atomic_load(&stand.port->refused), refused);
    tear_down();
    cr_expect_eq(atomic_load(&stand.dropped), 0);
}

Test(hub, many_senders_lose_nothing_and_keep_their_order)
{
    pour(1000000, 0);
}

Test(hub, a_small_queue_loses_nothing_either)
{
    pour(3, 0);
}

/* A lost wake-up for what is left stops everything. */
Test(hub, what_is_left_in_a_turn_is_run_in_the_next)
{
    pour(1000, 2);
    cr_expect_gt(atomic_load(&stand.turns), SENDERS * EACH / 2 / 2);
}

/* Messages wait for a loop that comes later, whichever moment it chooses. */
Test(hub, a_loop_that_comes_later_finds_what_waits)
{
    for (unsigned round = 0; round < 20; round++) {
        struct sender senders[SENDERS];
        uint32_t refused;
        set_up(1000000);
        rtn_hub_open(stand.port);
        start_senders(senders);
        while (rtn_hub_waiting(stand.port) <= round)
            (void) sched_yield();
        begin();
        uint32_t sent = join_senders(senders, &refused);
        cr_expect(reaches(&stand.delivered, sent));
        rtn_hub_close(stand.port);
        end();
        cr_expect_eq(stand.disorders, 0);
        tear_down();
    }
}

/* Whoever was told 0 before the end: each message was handled or dropped. */
Test(hub, closing_while_others_send)
{
    for (unsigned round = 0; round < 50; round++) {
        struct sender senders[SENDERS];
        uint32_t refused;
        set_up(64);
        rtn_hub_open(stand.port);
        begin();
        start_senders(senders);
        (void) reaches(&stand.delivered, round * 10 + 1);
        rtn_hub_close(stand.port);
        end();
        rtn_loop_done(&stand.loop);
        rtn_hub_end(stand.port);
        uint32_t sent = join_senders(senders, &refused);
        cr_expect_eq(atomic_load(&stand.delivered) + atomic_load(&stand.dropped), sent);
        cr_expect_eq(stand.port->taken, sent);
        cr_expect_eq(stand.disorders, 0);
        rtn_hub_free(stand.hub);
    }
}
