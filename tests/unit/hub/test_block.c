/* Blocks: their alignment, that they are kept and had again, by other threads too, and that nobody gets one twice. */
#include "hub/block.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/macros.h"
#include "loop/sanitized.h"

#include "support.h"

#define MANY 5000
#define ROUNDS 200
#define THREADS 4
#define SHARED 64

Test(block, any_size_is_had_and_aligned)
{
    static const size_t sizes[] = { 1, 255, 256, 257, 512, 1280, 1281, 1 << 20 };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(sizes); i++) {
        unsigned char *block = rtn_block_take(sizes[i]);
        cr_assert_not_null(block);
        cr_expect_eq((uintptr_t) block % RTN_BLOCK_ALIGNMENT, 0);
        block[0] = 1;
        block[sizes[i] - 1] = 2;
        rtn_block_give(block, sizes[i]);
    }
    cr_expect_null(rtn_block_take(SIZE_MAX - 4));
}

Test(block, what_was_given_back_last_is_had_first)
{
    if (RTN_SANITIZED)
        return;
    void *small = rtn_block_take(100);
    void *large = rtn_block_take(1000);
    rtn_block_give(small, 100);
    rtn_block_give(large, 1000);
    cr_expect_eq(rtn_block_take(1000), large);
    cr_expect_eq(rtn_block_take(200), small);
    rtn_block_give(small, 200);
    rtn_block_give(large, 1000);
}

static void *give_all(void *data)
{
    void **blocks = data;
    for (size_t i = 0; i < MANY; i++)
        rtn_block_give(blocks[i], 100);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t) * (void *const *) a;
    uintptr_t right = (uintptr_t) * (void *const *) b;
    return (left > right) - (left < right);
}

static void take_all(void **blocks)
{
    for (size_t i = 0; i < MANY; i++) {
        blocks[i] = rtn_block_take(100);
        cr_assert_not_null(blocks[i]);
    }
}

/* One thread only takes, others only give: they come back through the depot, which takes what fits. */
Test(block, threads_that_give_supply_threads_that_take)
{
    static void *first[MANY];
    static void *again[MANY];
    size_t had_before = 0;
    pthread_t thread;
    take_all(first);
    qsort(first, MANY, sizeof(first[0]), compare);
    cr_assert_eq(pthread_create(&thread, NULL, give_all, first), 0);
    pthread_join(thread, NULL);
    take_all(again);
    for (size_t i = 0; i < MANY; i++)
        had_before += bsearch(&again[i], first, MANY, sizeof(first[0]), compare) != NULL;
    qsort(again, MANY, sizeof(again[0]), compare);
    for (size_t i = 1; i < MANY; i++)
        cr_assert_neq(again[i - 1], again[i]);
    cr_expect(RTN_SANITIZED || had_before >= 2000, "%zu", had_before);
    (void) give_all(again);
}

static _Atomic(uintptr_t *) shared[SHARED];
static atomic_uint wrong;

/* Puts blocks of its own into places from which it takes those of others. */
static void *exchange(void *data)
{
    uintptr_t own = (uintptr_t) data;
    for (unsigned i = 0; i < ROUNDS * SHARED; i++) {
        uintptr_t *block = rtn_block_take(64);
        block[0] = own;
        block[1] = ~own;
        uintptr_t *other = atomic_exchange(&shared[(i * own) % SHARED], block);
        if (other == NULL)
            continue;
        if (other[0] != ~other[1])
            atomic_fetch_add(&wrong, 1);
        rtn_block_give(other, 64);
    }
    return NULL;
}

Test(block, nobody_has_what_another_one_has)
{
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, exchange, (void *) (2 * i + 1)), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    cr_expect_eq(atomic_load(&wrong), 0);
    for (size_t i = 0; i < SHARED; i++)
        rtn_block_give(atomic_load(&shared[i]), 64);
}

/* A process may have all the keys that there are: then nothing is kept, and nobody else's key is used. */
Test(block, no_key_is_left)
{
    pthread_key_t key;
    const pthread_key_t unset = 0;
    const void *before = pthread_getspecific(unset);
    while (pthread_key_create(&key, NULL) == 0)
        continue;
    for (unsigned i = 0; i < SHARED; i++) {
        void *blocks[] = { rtn_block_take(100), rtn_block_take(100) };
        cr_assert(blocks[0] != NULL && blocks[1] != NULL && blocks[0] != blocks[1]);
        rtn_block_give(blocks[0], 100);
        rtn_block_give(blocks[1], 100);
    }
    cr_expect_eq(pthread_getspecific(unset), before);
}
