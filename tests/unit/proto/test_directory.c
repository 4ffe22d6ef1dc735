/* Entries and their numbers: used again with another number, found by any thread while others enter and leave. */
#include <pthread.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "proto/directory.h"

#define THREADS 4
#define ROUNDS 20000
#define HELD 16 /* by each thread at a time */
#define LOOP 7

static unsigned slot_of(uint64_t id)
{
    return (unsigned) (id >> 34) & 0xfffff;
}

Test(directory, numbers_tell_loop_and_slot)
{
    struct rtn_directory directory;
    rtn_directory_init(&directory, LOOP);
    cr_expect_eq(rtn_directory_size(&directory), 0);
    cr_expect_null(rtn_directory_at(&directory, 0));
    struct rtn_entry *entry = rtn_directory_enter(&directory);
    cr_assert_not_null(entry);
    cr_expect_eq(entry->id >> 54, LOOP + 1);
    cr_expect_eq(slot_of(entry->id), entry->slot);
    cr_expect_eq(rtn_directory_at(&directory, entry->slot), entry);
    cr_expect_lt(entry->slot, rtn_directory_size(&directory));
    rtn_directory_leave(&directory, entry);
    rtn_directory_done(&directory);
}

Test(directory, what_nobody_has_is_not_found)
{
    struct rtn_directory directory;
    rtn_directory_init(&directory, 0);
    struct rtn_entry *entry = rtn_directory_enter(&directory);
    cr_assert_not_null(entry);
    cr_expect_not_null(rtn_directory_at(&directory, RTN_DIRECTORY_BLOCK - 1));
    cr_expect_null(rtn_directory_at(&directory, RTN_DIRECTORY_BLOCK));
    cr_expect_null(rtn_directory_at(&directory, RTN_DIRECTORY_BLOCK * RTN_DIRECTORY_BLOCKS - 1));
    cr_expect_null(rtn_directory_at(&directory, RTN_DIRECTORY_BLOCK * RTN_DIRECTORY_BLOCKS));
    cr_expect_null(rtn_directory_at(&directory, UINT32_MAX));
    rtn_directory_leave(&directory, entry);
    rtn_directory_done(&directory);
}

Test(directory, an_entry_used_again_has_another_number)
{
    struct rtn_directory directory;
    rtn_directory_init(&directory, 0);
    uint64_t before = 0;
    for (int i = 0; i < 1000; i++) {
        struct rtn_entry *entry = rtn_directory_enter(&directory);
        cr_assert_not_null(entry);
        cr_expect_eq(entry->slot, 0);
        cr_expect_gt(entry->id, before);
        before = entry->id;
        atomic_store(&entry->open_id, entry->id);
        atomic_store(&entry->client_id, entry->id);
        rtn_directory_leave(&directory, entry);
        cr_expect_eq(atomic_load(&entry->open_id), 0);
        cr_expect_eq(atomic_load(&entry->client_id), 0);
    }
    rtn_directory_done(&directory);
}

Test(directory, more_than_a_block)
{
    struct rtn_directory directory;
    struct rtn_entry *entries[3 * RTN_DIRECTORY_BLOCK];
    rtn_directory_init(&directory, 0);
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(entries); i++) {
        entries[i] = rtn_directory_enter(&directory);
        cr_assert_not_null(entries[i]);
        cr_expect_eq(entries[i]->slot, i);
    }
    cr_expect_eq(rtn_directory_size(&directory), RTN_ARRAY_LENGTH(entries));
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(entries); i++) {
        cr_expect_eq(rtn_directory_at(&directory, i), entries[i]);
        rtn_directory_leave(&directory, entries[i]);
    }
    rtn_directory_done(&directory);
}

Test(directory, ends_when_all_numbers_are_in_use)
{
    struct rtn_directory directory;
    unsigned count = 0;
    rtn_directory_init(&directory, 0);
    while (rtn_directory_enter(&directory) != NULL)
        count++;
    cr_expect_eq(count, RTN_DIRECTORY_BLOCK * RTN_DIRECTORY_BLOCKS);
    rtn_directory_leave(&directory, rtn_directory_at(&directory, 123456));
    struct rtn_entry *entry = rtn_directory_enter(&directory);
    cr_assert_not_null(entry);
    cr_expect_eq(entry->slot, 123456);
    cr_expect_null(rtn_directory_enter(&directory));
    rtn_directory_done(&directory);
}

/* What senders do: the entry of a number may be somebody else's by now, and what they add they take away. */
static void look(struct rtn_directory *directory, uint64_t id)
{
    struct rtn_entry *entry = rtn_directory_at(directory, slot_of(id));
    cr_assert_not_null(entry);
    if (atomic_load(&entry->open_id) != id && entry->id == id)
        return;
    atomic_fetch_add(&entry->mailed, 100);
    atomic_fetch_sub(&entry->mailed, 100);
}

static void *enter_and_leave(void *data)
{
    struct rtn_directory *directory = data;
    struct rtn_entry *held[HELD] = { NULL };
    uint64_t ids[HELD] = { 0 };
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned at = i % HELD;
        if (held[at] != NULL) {
            /* Nobody else was given it meanwhile. */
            cr_assert_eq(held[at]->id, ids[at]);
            rtn_directory_leave(directory, held[at]);
            look(directory, ids[at]);
        }
        held[at] = rtn_directory_enter(directory);
        cr_assert_not_null(held[at]);
        ids[at] = held[at]->id;
        cr_assert_eq(slot_of(ids[at]), held[at]->slot);
        atomic_store(&held[at]->open_id, ids[at]);
        look(directory, ids[(i + 1) % HELD] != 0 ? ids[(i + 1) % HELD] : ids[at]);
        cr_assert_geq(rtn_directory_size(directory), (unsigned) HELD);
    }
    for (unsigned i = 0; i < HELD; i++)
        rtn_directory_leave(directory, held[i]);
    return NULL;
}

Test(directory, threads)
{
    struct rtn_directory directory;
    pthread_t threads[THREADS];
    rtn_directory_init(&directory, 0);
    for (unsigned i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, enter_and_leave, &directory), 0);
    for (unsigned i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    for (unsigned slot = 0; slot < rtn_directory_size(&directory); slot++)
        cr_expect_eq(atomic_load(&rtn_directory_at(&directory, slot)->mailed), 0);
    struct rtn_entry *entry = rtn_directory_enter(&directory);
    cr_assert_not_null(entry);
    cr_expect_eq(entry->id & ((UINT64_C(1) << 34) - 1), THREADS * ROUNDS + 1, "a number was given out twice");
    rtn_directory_done(&directory);
}
