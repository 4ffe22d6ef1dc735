/* The table of what waits on a loop: numbers, finding, growing, and its end. */
#include <errno.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "app/pending.h"
#include "proto/http1.h"

#define MANY 5000

struct item {
    struct rtn_pending pending;
    struct rtn_pendings *table;
    struct item *other; /* taken out when this one is cancelled */
    unsigned cancelled;
    int added_again; /* what adding in cancel() returned */
};

static void on_cancel(struct rtn_pending *pending)
{
    struct item *item = RTN_CONTAINER_OF(pending, struct item, pending);
    item->cancelled++;
    cr_expect_null(rtn_pendings_find(item->table, pending->number));
    item->added_again = rtn_pendings_add(item->table, pending);
    if (item->other == NULL || rtn_pendings_find(item->table, item->other->pending.number) == NULL)
        return;
    rtn_pendings_remove(item->table, &item->other->pending);
}

static struct item *make_items(struct rtn_pendings *table, size_t count)
{
    struct item *items = calloc(count, sizeof(*items));
    cr_assert_not_null(items);
    for (size_t i = 0; i < count; i++) {
        items[i].pending = (struct rtn_pending){ .number = rtn_pendings_number(table), .cancel = on_cancel };
        items[i].table = table;
        cr_assert_eq(rtn_pendings_add(table, &items[i].pending), 0);
    }
    return items;
}

Test(pending, numbers_are_of_their_loop_and_differ)
{
    struct rtn_pendings first;
    struct rtn_pendings last;
    rtn_pendings_init(&first, 0);
    rtn_pendings_init(&last, 1000);
    uint64_t before = 0;
    for (unsigned i = 0; i < 100; i++) {
        uint64_t number = rtn_pendings_number(&first);
        cr_expect_neq(number, before);
        cr_expect_eq(rtn_http1_loop_of(number), 0);
        cr_expect_eq(rtn_http1_loop_of(rtn_pendings_number(&last)), 1000);
        before = number;
    }
    rtn_pendings_done(&first);
    rtn_pendings_done(&last);
}

Test(pending, finds_nothing_in_an_empty_table)
{
    struct rtn_pendings table;
    rtn_pendings_init(&table, 3);
    cr_expect_null(rtn_pendings_find(&table, rtn_pendings_number(&table)));
    cr_expect_null(rtn_pendings_find(&table, 0));
    rtn_pendings_end(&table);
    rtn_pendings_done(&table);
}

Test(pending, finds_each_of_many_until_it_is_taken_out)
{
    struct rtn_pendings table;
    rtn_pendings_init(&table, 3);
    struct item *items = make_items(&table, MANY);
    cr_expect_eq(table.count, MANY);
    cr_expect_geq(table.bucket_count, MANY);
    for (size_t i = 0; i < MANY; i += 2)
        rtn_pendings_remove(&table, &items[i].pending);
    for (size_t i = 0; i < MANY; i++) {
        const struct rtn_pending *found = rtn_pendings_find(&table, items[i].pending.number);
        cr_assert_eq(found, i % 2 == 0 ? NULL : &items[i].pending);
    }
    cr_expect_null(rtn_pendings_find(&table, rtn_pendings_number(&table)));
    for (size_t i = 1; i < MANY; i += 2)
        rtn_pendings_remove(&table, &items[i].pending);
    cr_expect_eq(table.count, 0);
    rtn_pendings_done(&table);
    free(items);
}

Test(pending, the_end_cancels_each_once_and_takes_no_more)
{
    struct rtn_pendings table;
    rtn_pendings_init(&table, 3);
    struct item *items = make_items(&table, MANY);
    for (size_t i = 0; i + 1 < MANY; i += 10)
        items[i].other = &items[MANY - 1 - i]; /* behind it or before it, whatever the order */
    rtn_pendings_end(&table);
    cr_expect_eq(table.count, 0);
    for (size_t i = 0; i < MANY; i++) {
        cr_assert_leq(items[i].cancelled, 1);
        cr_assert(items[i].cancelled == 0 || items[i].added_again == -ECANCELED);
    }
    rtn_pendings_end(&table);
    struct item late = { .pending = { .number = rtn_pendings_number(&table), .cancel = on_cancel }, .table = &table };
    cr_expect_eq(rtn_pendings_add(&table, &late.pending), -ECANCELED);
    cr_expect_eq(late.cancelled, 0);
    rtn_pendings_done(&table);
    free(items);
}

/* A loop that is not running: its mail waits. */

static struct rtn_pendings brought_table;
static unsigned brought;

static void on_brought(struct rtn_mail *mail)
{
    (void) mail;
    brought++;
}

Test(pending, what_is_brought_is_expected_until_it_is_there)
{
    struct rtn_loop loop;
    cr_assert_eq(rtn_loop_init(&loop, &(struct rtn_loop_options){ .server = "get" }), 0);
    rtn_pendings_init(&brought_table, 3);
    struct rtn_pending pending = { .number = rtn_pendings_number(&brought_table), .cancel = on_cancel };
    struct rtn_pending late = { .number = rtn_pendings_number(&brought_table), .cancel = on_cancel };
    struct rtn_mail mail = { .deliver = on_brought };
    struct rtn_mail late_mail = { .deliver = on_brought };

    cr_expect(!rtn_pendings_expects(&brought_table));
    cr_expect_eq(rtn_pendings_bring(&brought_table, &loop, &pending, &mail), 0);
    cr_expect(rtn_pendings_expects(&brought_table));
    rtn_loop_deliver(&loop);
    cr_expect_eq(brought, 1);
    cr_expect_eq(rtn_pendings_add(&brought_table, &pending), 0);
    cr_expect(!rtn_pendings_expects(&brought_table));
    rtn_pendings_remove(&brought_table, &pending);

    cr_expect_eq(rtn_pendings_bring(&brought_table, &loop, &pending, &mail), 0);
    rtn_pendings_end(&brought_table);
    cr_expect_eq(rtn_pendings_bring(&brought_table, &loop, &late, &late_mail), -ECANCELED);
    rtn_loop_deliver(&loop);
    cr_expect_eq(brought, 2);
    cr_expect_eq(rtn_pendings_add(&brought_table, &pending), -ECANCELED);
    cr_expect(!rtn_pendings_expects(&brought_table));
    rtn_pendings_done(&brought_table);
    rtn_loop_done(&loop);
}
