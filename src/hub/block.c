/*
 * Blocks of a few sizes. A thread has two magazines of each: one it takes from and gives to, and one that is full, so
 * that a thread that does both in turns does not come to the depot for each. The depot is a row of places for full
 * magazines, which any thread fills or empties by a single exchange: what does not fit there is freed.
 */
#include "hub/block.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/macros.h"

#define MAGAZINE 64 /* blocks */
#define PLACES 32 /* for magazines of one size */
#define CLASSES 3

/* Sanitizers are to see who uses what was given back. */
#if defined(__SANITIZE_ADDRESS__)
#define KEEPS false
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEEPS false
#endif
#endif
#ifndef KEEPS
#define KEEPS true
#endif

static const size_t class_sizes[CLASSES] = { 256, 512, 1280 };

struct block {
    struct block *next;
};

struct magazine {
    struct block *top;
    unsigned count; /* in that list */
    struct block *full; /* another list, of MAGAZINE; NULL: none */
};

static _Atomic(struct block *) depot[CLASSES][PLACES];
static _Thread_local struct magazine magazines[CLASSES];
static _Thread_local bool enlisted; /* the thread gives its blocks back at its end */
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_made; /* there may be too many of them */

static unsigned class_of(size_t size)
{
    unsigned class = 0;
    while (class < CLASSES && size > class_sizes[class])
        class ++;
    return class;
}

static void free_list(struct block *block)
{
    while (block != NULL) {
        struct block *next = block->next;
        free(block);
        block = next;
    }
}

/* A full magazine that some thread left; NULL: there is none. */
static struct block *depot_take(unsigned class)
{
    for (unsigned i = 0; i < PLACES; i++) {
        _Atomic(struct block *) *place = &depot[class][i];
        if (atomic_load_explicit(place, memory_order_relaxed) == NULL)
            continue;
        struct block *list = atomic_exchange_explicit(place, NULL, memory_order_acquire);
        if (list != NULL)
            return list;
    }
    return NULL;
}

static void depot_give(unsigned class, struct block *list)
{
    for (unsigned i = 0; i < PLACES; i++) {
        struct block *none = NULL;
        _Atomic(struct block *) *place = &depot[class][i];
        if (atomic_load_explicit(place, memory_order_relaxed) == NULL &&
            atomic_compare_exchange_strong_explicit(place, &none, list, memory_order_release, memory_order_relaxed))
            return;
    }
    free_list(list);
}

/* At the end of a thread. */
static void leave(void *data)
{
    struct magazine *own = data;
    for (unsigned class = 0; class < CLASSES; class ++) {
        free_list(own[class].top);
        if (own[class].full != NULL)
            depot_give(class, own[class].full);
        own[class] = (struct magazine){ 0 };
    }
    enlisted = false;
}

static void make_key(void)
{
    key_made = pthread_key_create(&key, leave) == 0;
}

/* False: nothing would take the blocks of the thread back at its end, so that it keeps none. */
static bool enlist(void)
{
    if (RTN_LIKELY(enlisted))
        return true;
    (void) pthread_once(&key_once, make_key);
    enlisted = key_made && pthread_setspecific(key, magazines) == 0;
    return enlisted;
}

static void *allocate(size_t size)
{
    size_t rest = size % RTN_BLOCK_ALIGNMENT;
    size_t rounded = rest > 0 ? size + RTN_BLOCK_ALIGNMENT - rest : size;
    return rounded >= size ? aligned_alloc(RTN_BLOCK_ALIGNMENT, rounded) : NULL;
}

/* Fills the thread's magazine; false: there is nothing that was kept. */
static bool refill(unsigned class)
{
    struct magazine *magazine = &magazines[class];
    if (!enlist())
        return false;
    magazine->top = magazine->full != NULL ? magazine->full : depot_take(class);
    magazine->full = NULL;
    magazine->count = magazine->top != NULL ? MAGAZINE : 0;
    return magazine->top != NULL;
}

void *rtn_block_take(size_t size)
{
    unsigned class = class_of(size);
    if (RTN_UNLIKELY(class == CLASSES || !KEEPS))
        return allocate(size);
    struct magazine *magazine = &magazines[class];
    if (RTN_UNLIKELY(magazine->top == NULL && !refill(class)))
        return allocate(class_sizes[class]);
    struct block *block = magazine->top;
    magazine->top = block->next;
    magazine->count--;
    return block;
}

/* The thread's magazine becomes the full one, and that goes to the depot. */
static void put_aside(unsigned class)
{
    struct magazine *magazine = &magazines[class];
    if (magazine->full != NULL)
        depot_give(class, magazine->full);
    magazine->full = magazine->top;
    magazine->top = NULL;
    magazine->count = 0;
}

void rtn_block_give(void *data, size_t size)
{
    unsigned class = class_of(size);
    if (RTN_UNLIKELY(class == CLASSES || !KEEPS || !enlist())) {
        free(data);
        return;
    }
    struct block *block = data;
    struct magazine *magazine = &magazines[class];
    if (RTN_UNLIKELY(magazine->count == MAGAZINE))
        put_aside(class);
    block->next = magazine->top;
    magazine->top = block;
    magazine->count++;
}
