/* Entries and their numbers: used again with another number, found by any thread while others enter and leave. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

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

static struct rtn_entry *entry_of(struct rtn_directory *directory, uint64_t id)
{
    return rtn_directory_at(directory, slot_of(id));
}

static uint64_t number_at(struct rtn_directory *directory, unsigned slot)
{
    return atomic_load(&rtn_directory_seat(directory, slot)->id);
}

Test(directory, numbers_tell_loop_and_slot)
{
    struct rtn_directory directory;
    rtn_directory_init(&directory, LOOP);
    cr_expect_eq(rtn_directory_size(&directory), 0);
    cr_expect_null(rtn_directory_at(&directory, 0));
    cr_expect_null(rtn_directory_seat(&directory, 0));
    uint64_t id = rtn_directory_enter(&directory);
    cr_assert_neq(id, 0);
    cr_expect_eq(id >> 54, LOOP + 1);
    cr_expect_eq(rtn_directory_slot_of(id), slot_of(id));
    cr_expect_eq(number_at(&directory, slot_of(id)), id);
    cr_expect_not_null(entry_of(&directory, id));
    cr_expect_lt(slot_of(id), rtn_directory_size(&directory));
    rtn_directory_leave(&directory, id);
    rtn_directory_done(&directory);
}

Test(directory, what_nobody_has_is_not_found)
{
    struct rtn_directory directory;
    rtn_directory_init(&directory, 0);
    uint64_t id = rtn_directory_enter(&directory);
    cr_assert_neq(id, 0);
    cr_expect_not_null(rtn_directory_at(&directory, RTN_DIRECTORY_BLOCK - 1));
    cr_expect_not_null(rtn_directory_seat(&directory, RTN_DIRECTORY_BLOCK - 1));
    cr_expect_null(rtn_directory_seat(&directory, RTN_DIRECTORY_BLOCK));
    cr_expect_null(rtn_directory_seat(&directory, UINT32_MAX));
    cr_expect_null(rtn_directory_at(&directory, RTN_DIRECTORY_BLOCK));
    cr_expect_null(rtn_directory_at(&directory, RTN_DIRECTORY_BLOCK * RTN_DIRECTORY_BLOCKS - 1));
    cr_expect_null(rtn_directory_at(&directory, RTN_DIRECTORY_BLOCK * RTN_DIRECTORY_BLOCKS));
    cr_expect_null(rtn_directory_at(&directory, UINT32_MAX));
    rtn_directory_leave(&directory, id);
    rtn_directory_done(&directory);
}

Test(directory, an_entry_used_again_has_another_number)
{
    struct rtn_directory directory;
    rtn_directory_init(&directory, 0);
    uint64_t before = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t id = rtn_directory_enter(&directory);
        cr_assert_neq(id, 0);
        cr_expect_eq(slot_of(id), 0);
        cr_expect_gt(id, before);
        before = id;
        struct rtn_entry *entry = entry_of(&directory, id);
        atomic_store(&entry->open_id, id);
        atomic_store(&entry->client_id, id);
        rtn_directory_leave(&directory, id);
        cr_expect_eq(atomic_load(&entry->open_id), 0);
        cr_expect_eq(atomic_load(&entry->client_id), 0);
    }
    rtn_directory_done(&directory);
}

Test(directory, more_than_a_block)
{
    struct rtn_directory directory;
    uint64_t ids[3 * RTN_DIRECTORY_BLOCK];
    rtn_directory_init(&directory, 0);
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(ids); i++) {
        ids[i] = rtn_directory_enter(&directory);
        cr_assert_neq(ids[i], 0);
        cr_expect_eq(slot_of(ids[i]), i);
    }
    cr_expect_eq(rtn_directory_size(&directory), RTN_ARRAY_LENGTH(ids));
    for (unsigned i = 0; i < RTN_ARRAY_LENGTH(ids); i++) {
        cr_expect_eq(number_at(&directory, i), ids[i]);
        rtn_directory_leave(&directory, ids[i]);
    }
    rtn_directory_done(&directory);
}

/* Of what lies between two addresses, how many whole pages have memory. */
static unsigned resident_pages(const void *begin, const void *end)
{
    unsigned char pages[64];
    uintptr_t size = (uintptr_t) sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t) begin + size - 1) / size;
    uintptr_t count = (uintptr_t) end / size - first;
    unsigned found = 0;
    cr_assert_leq(count, sizeof(pages));
    cr_assert_geq(count, 4);
    cr_assert_eq(mincore((void *) (first * size), count * size, pages), 0);
    for (uintptr_t i = 0; i < count; i++)
        found += pages[i] & 1U;
    return found;
}

Test(directory, who_takes_no_messages_needs_no_memory_for_them)
{
    struct rtn_directory directory;
    rtn_directory_init(&directory, 0);
    uint64_t id = 0;
    for (unsigned i = 0; i < RTN_DIRECTORY_BLOCK; i++)
        id = rtn_directory_enter(&directory);
    struct rtn_entry *first = rtn_directory_at(&directory, 0);
    struct rtn_entry *last = rtn_directory_at(&directory, RTN_DIRECTORY_BLOCK - 1);
    cr_expect_eq(resident_pages(first, last), 0);
    rtn_directory_leave(&directory, id);
    cr_expect_leq(resident_pages(first, last), 1); /* one may be known to be all-zero */
    atomic_store(&(first + RTN_DIRECTORY_BLOCK / 2)->open_id, id);
    cr_expect_geq(resident_pages(first, last), 1);
    rtn_directory_done(&directory);
}

Test(directory, ends_when_all_numbers_are_in_use)
{
    struct rtn_directory directory;
    unsigned count = 0;
    rtn_directory_init(&directory, 0);
    while (rtn_directory_enter(&directory) != 0)
        count++;
    cr_expect_eq(count, RTN_DIRECTORY_BLOCK * RTN_DIRECTORY_BLOCKS);
    rtn_directory_leave(&directory, number_at(&directory, 123456));
    uint64_t id = rtn_directory_enter(&directory);
    cr_assert_neq(id, 0);
    cr_expect_eq(slot_of(id), 123456);
    cr_expect_eq(rtn_directory_enter(&directory), 0);
    rtn_directory_done(&directory);
}

/* What senders do: the entry of a number may be somebody else's by now, and what they add they take away. */
static void look(struct rtn_directory *directory, uint64_t id)
{
    struct rtn_entry *entry = rtn_directory_at(directory, slot_of(id));
    cr_assert_not_null(entry);
    if (atomic_load(&entry->open_id) != id && number_at(directory, slot_of(id)) == id)
        return;
    atomic_fetch_add(&entry->mailed, 100);
    atomic_fetch_sub(&entry->mailed, 100);
}

static void *enter_and_leave(void *data)
{
    struct rtn_directory *directory = data;
    uint64_t ids[HELD] = { 0 };
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned at = i % HELD;
        if (ids[at] != 0) {
            /* Nobody else was given it meanwhile. */
            cr_assert_eq(number_at(directory, slot_of(ids[at])), ids[at]);
            rtn_directory_leave(directory, ids[at]);
            look(directory, ids[at]);
        }
        ids[at] = rtn_directory_enter(directory);
        cr_assert_neq(ids[at], 0);
        cr_assert_eq(number_at(directory, slot_of(ids[at])), ids[at]);
        atomic_store(&entry_of(directory, ids[at])->open_id, ids[at]);
        look(directory, ids[(i + 1) % HELD] != 0 ? ids[(i + 1) % HELD] : ids[at]);
        cr_assert_geq(rtn_directory_size(directory), (unsigned) HELD);
    }
    for (unsigned i = 0; i < HELD; i++)
        rtn_directory_leave(directory, ids[i]);
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
    uint64_t id = rtn_directory_enter(&directory);
    cr_assert_neq(id, 0);
    cr_expect_eq(id & ((UINT64_C(1) << 34) - 1), THREADS * ROUNDS + 1, "a number was given out twice");
    rtn_directory_done(&directory);
}
