#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>

#include "base/macros.h"
#include "net/clients.h"

static struct rtn_clients *make(unsigned connections, unsigned rate, unsigned burst)
{
    const struct rtn_clients_limits limits = { .connections = connections, .rate = rate, .burst = burst };
    struct rtn_clients *clients;
    cr_assert_eq(rtn_clients_new(&limits, &clients), 0);
    return clients;
}

static struct rtn_ip ip(const char *text)
{
    struct rtn_ip address;
    cr_assert_eq(rtn_ip_parse(rtn_str_of(text), &address), 0);
    return address;
}

static struct rtn_ip numbered(unsigned number)
{
    struct rtn_ip address = ip("10.0.0.0");
    address.bytes[13] = (uint8_t) (number >> 16);
    address.bytes[14] = (uint8_t) (number >> 8);
    address.bytes[15] = (uint8_t) number;
    return address;
}

Test(clients, connections)
{
    struct rtn_clients *clients = make(2, 0, 0);
    struct rtn_ip one = ip("192.0.2.1");
    struct rtn_ip two = ip("192.0.2.2");
    cr_expect(rtn_clients_open(clients, &one, 0));
    cr_expect(rtn_clients_open(clients, &one, 0));
    cr_expect_not(rtn_clients_open(clients, &one, 0));
    cr_expect(rtn_clients_open(clients, &two, 0));
    rtn_clients_close(clients, &one, 0);
    cr_expect(rtn_clients_open(clients, &one, 0));
    cr_expect_not(rtn_clients_open(clients, &one, 0));
    cr_expect_eq(rtn_clients_count(clients), 2);
    rtn_clients_close(clients, &one, 0);
    rtn_clients_close(clients, &one, 0);
    rtn_clients_close(clients, &two, 0);
    cr_expect_eq(rtn_clients_count(clients), 0);
    cr_expect_eq(rtn_clients_request(clients, &one, 0), 0, "there is no limit of requests");
    rtn_clients_free(clients);
}

Test(clients, no_limit_of_connections)
{
    struct rtn_clients *clients = make(0, 1, 1);
    struct rtn_ip one = ip("192.0.2.1");
    for (int i = 0; i < 100; i++)
        cr_expect(rtn_clients_open(clients, &one, 0));
    rtn_clients_close(clients, &one, 0);
    cr_expect_eq(rtn_clients_count(clients), 0);
    rtn_clients_free(clients);
}

Test(clients, an_ipv6_client_is_its_64)
{
    struct rtn_clients *clients = make(1, 0, 0);
    struct rtn_ip one = ip("2001:db8:0:1::1");
    struct rtn_ip same = ip("2001:db8:0:1:ffff::2");
    struct rtn_ip other = ip("2001:db8:0:2::1");
    cr_expect(rtn_clients_open(clients, &one, 0));
    cr_expect_not(rtn_clients_open(clients, &same, 0));
    cr_expect(rtn_clients_open(clients, &other, 0));
    rtn_clients_close(clients, &same, 0);
    cr_expect(rtn_clients_open(clients, &one, 0));
    rtn_clients_free(clients);
}

Test(clients, bucket)
{
    struct rtn_clients *clients = make(0, 10, 3);
    struct rtn_ip one = ip("192.0.2.1");
    struct rtn_ip two = ip("192.0.2.2");
    for (int i = 0; i < 3; i++)
        cr_expect_eq(rtn_clients_request(clients, &one, 5000), 0);
    cr_expect_eq(rtn_clients_request(clients, &one, 5000), 100);
    cr_expect_eq(rtn_clients_request(clients, &one, 5040), 60, "a refused request takes nothing");
    cr_expect_eq(rtn_clients_request(clients, &two, 5040), 0, "each has its own");
    cr_expect_eq(rtn_clients_request(clients, &one, 5099), 1);
    cr_expect_eq(rtn_clients_request(clients, &one, 5100), 0);
    cr_expect_eq(rtn_clients_request(clients, &one, 5100), 100);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(rtn_clients_request(clients, &one, 9000), 0, "full again, and no fuller");
    cr_expect_eq(rtn_clients_request(clients, &one, 9000), 100);
    rtn_clients_free(clients);
}

Test(clients, rate_over_time)
{
    struct rtn_clients *clients = make(0, 1000, 1);
    struct rtn_ip one = ip("192.0.2.1");
    unsigned taken = 0;
    for (int64_t now = 0; now < 1000; now++) {
        for (int i = 0; i < 5; i++)
            taken += rtn_clients_request(clients, &one, now) == 0;
    }
    cr_expect_eq(taken, 1000, "%u", taken);
    rtn_clients_free(clients);
}

Test(clients, extreme_limits)
{
    struct rtn_clients *slow = make(0, 1, 1000000000);
    struct rtn_clients *fast = make(0, 4000000000U, 4000000000U);
    struct rtn_ip one = ip("192.0.2.1");
    for (int i = 0; i < 1000; i++) {
        cr_expect_eq(rtn_clients_request(slow, &one, 0), 0);
        cr_expect_eq(rtn_clients_request(fast, &one, 0), 0);
    }
    rtn_clients_free(slow);
    rtn_clients_free(fast);
}

/* Clients whose bucket is full again are forgotten, step by step, while others come. */
Test(clients, forgotten_when_there_is_nothing_to_remember)
{
    struct rtn_clients *clients = make(0, 10, 1);
    for (unsigned i = 0; i < 5000; i++) {
        struct rtn_ip address = numbered(i);
        cr_expect_eq(rtn_clients_request(clients, &address, 0), 0);
    }
    cr_expect_eq(rtn_clients_count(clients), 5000);
    for (unsigned i = 0; i < 5000; i++) {
        struct rtn_ip address = numbered(i);
        cr_expect_eq(rtn_clients_request(clients, &address, 1), 99, "%u is remembered", i);
    }
    struct rtn_ip busy[512]; /* so many that each part of the table has some, wherever the random seed puts them */
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(busy); i++)
        busy[i] = numbered(100000 + i);
    for (int64_t now = 1000; now < 1300; now++) {
        for (unsigned i = 0; i < RTN_ARRAY_LENGTH(busy); i++)
            (void) rtn_clients_request(clients, &busy[i], now);
    }
    cr_expect_leq(rtn_clients_count(clients), RTN_ARRAY_LENGTH(busy));
    rtn_clients_free(clients);
}

/* Hardly anybody waits for so long, but an attacker with many addresses would. */
Test(clients, bounded)
{
    struct rtn_clients *clients = make(10, 1, 1);
    struct rtn_ip regular = ip("192.0.2.1");
    cr_expect(rtn_clients_open(clients, &regular, 0));
    for (unsigned i = 0; i < 200000; i++) {
        struct rtn_ip address = numbered(i);
        cr_expect_eq(rtn_clients_request(clients, &address, 0), 0);
        if (i % 3 == 0 && rtn_clients_open(clients, &address, 0))
            rtn_clients_close(clients, &address, 0);
    }
    cr_expect_leq(rtn_clients_count(clients), 16 * 4096 + 1);
    for (int i = 0; i < 9; i++)
        cr_expect(rtn_clients_open(clients, &regular, 0));
    cr_expect_not(rtn_clients_open(clients, &regular, 0), "open connections are never forgotten");
    rtn_clients_free(clients);
}

/* Against a plain array: whatever is added, removed and moved, each client keeps its own number. */
Test(clients, as_an_array_would)
{
    enum { CLIENTS = 400, STEPS = 200000 };
    static unsigned open[CLIENTS];
    struct rtn_clients *clients = make(3, 0, 0);
    unsigned state = 4711;
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned which = (unsigned) rand_r(&state) % CLIENTS;
        struct rtn_ip address = numbered(which);
        if (rand_r(&state) % 2 == 0) {
            bool taken = rtn_clients_open(clients, &address, 0);
            cr_assert_eq(taken, open[which] < 3, "step %u", i);
            open[which] += taken;
        } else if (open[which] > 0) {
            rtn_clients_close(clients, &address, 0);
            open[which]--;
        }
    }
    size_t present = 0;
    for (unsigned i = 0; i < CLIENTS; i++)
        present += open[i] > 0;
    cr_expect_eq(rtn_clients_count(clients), present);
    rtn_clients_free(clients);
}

struct crowd {
    struct rtn_clients *clients;
    unsigned seed;
    unsigned taken;
};

static void *run_crowd(void *data)
{
    struct crowd *crowd = data;
    for (int64_t now = 0; now < 20000; now++) {
        struct rtn_ip own = numbered((unsigned) rand_r(&crowd->seed) % 2000);
        struct rtn_ip shared = ip("192.0.2.1");
        if (rtn_clients_open(crowd->clients, &own, now / 100))
            rtn_clients_close(crowd->clients, &own, now / 100);
        crowd->taken += rtn_clients_request(crowd->clients, &shared, 0) == 0;
    }
    return NULL;
}

/* No token is given twice, and no connection is left. */
Test(clients, threads)
{
    struct rtn_clients *clients = make(1, 1, 777);
    struct crowd crowds[4];
    pthread_t threads[RTN_ARRAY_LENGTH(crowds)];
    unsigned taken = 0;
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(crowds); i++) {
        crowds[i] = (struct crowd){ .clients = clients, .seed = i };
        cr_assert_eq(pthread_create(&threads[i], NULL, run_crowd, &crowds[i]), 0);
    }
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(crowds); i++) {
        pthread_join(threads[i], NULL);
        taken += crowds[i].taken;
    }
    cr_expect_eq(taken, 777, "%u", taken);
    cr_expect_leq(rtn_clients_count(clients), 1);
    rtn_clients_free(clients);
}

Test(clients, limits_change_while_clients_are_there)
{
    struct rtn_clients *clients = make(0, 0, 0);
    const struct rtn_ip one = ip("192.0.2.1");
    cr_expect_not(rtn_clients_counts(clients));
    cr_expect(rtn_clients_open(clients, &one, 0));
    rtn_clients_tune(clients, &(struct rtn_clients_limits){ .connections = 2, .rate = 10, .burst = 1 });
    cr_expect(rtn_clients_counts(clients));
    cr_expect(rtn_clients_open(clients, &one, 0), "the one before did not count");
    cr_expect(rtn_clients_open(clients, &one, 0));
    cr_expect_not(rtn_clients_open(clients, &one, 0));
    cr_expect_eq(rtn_clients_request(clients, &one, 0), 0);
    cr_expect_eq(rtn_clients_request(clients, &one, 0), 100);
    rtn_clients_tune(clients, &(struct rtn_clients_limits){ .connections = 1, .rate = 100, .burst = 5 });
    cr_expect_eq(rtn_clients_request(clients, &one, 0), 60, "what is owed from before counts");
    cr_expect_eq(rtn_clients_request(clients, &one, 60), 0);
    rtn_clients_close(clients, &one, 0);
    cr_expect_not(rtn_clients_open(clients, &one, 0), "those that are too many stay, and no other comes");
    rtn_clients_close(clients, &one, 0);
    cr_expect(rtn_clients_open(clients, &one, 0));
    rtn_clients_tune(clients, &(struct rtn_clients_limits){ 0 });
    rtn_clients_close(clients, &one, 10000);
    cr_expect_eq(rtn_clients_request(clients, &one, 10000), 0);
    cr_expect_eq(rtn_clients_count(clients), 0, "what counted is taken back without a limit, too");
    rtn_clients_free(clients);
}
