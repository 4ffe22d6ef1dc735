/*
 * A table by number that grows with what is in it. What begins on another thread comes by mail: a mutex makes sure that
 * either the mail is in the loop's mailbox before the end, or is refused; and a count of what is under way tells the
 * loop that a number it does not know may still come.
 */
#include "app/pending.h"

#include <errno.h>
#include <stdlib.h>

#include "app/instance.h"
#include "proto/http1.h"

#define LEAST_BUCKETS 16
#define COUNT_BITS ((UINT64_C(1) << 54) - 1) /* below the number of the loop, see rtn_http1_make_id() */

void rtn_pendings_init(struct rtn_pendings *pendings, unsigned loop_index)
{
    *pendings = (struct rtn_pendings){ .loop_index = loop_index };
    pthread_mutex_init(&pendings->mutex, NULL);
}

void rtn_pendings_done(struct rtn_pendings *pendings)
{
    free(pendings->buckets);
    pendings->buckets = NULL;
    pendings->bucket_count = 0;
}

uint64_t rtn_pendings_number(struct rtn_pendings *pendings)
{
    uint64_t count = atomic_fetch_add_explicit(&pendings->numbers, 1, memory_order_relaxed) + 1;
    return (uint64_t) (pendings->loop_index + 1) << 54 | (count & COUNT_BITS);
}

/* Numbers of one loop are counted up: their low bits are as good as a hash. */
static struct rtn_pending **bucket_of(const struct rtn_pendings *pendings, uint64_t number)
{
    return &pendings->buckets[number & (pendings->bucket_count - 1)];
}

static void put(struct rtn_pendings *pendings, struct rtn_pending *pending)
{
    struct rtn_pending **bucket = bucket_of(pendings, pending->number);
    pending->next = *bucket;
    *bucket = pending;
}

/* 0 or -ENOMEM. */
static int grow(struct rtn_pendings *pendings)
{
    struct rtn_pending **old = pendings->buckets;
    size_t old_count = pendings->bucket_count;
    size_t count = old_count > 0 ? old_count * 2 : LEAST_BUCKETS;
    struct rtn_pending **buckets = calloc(count, sizeof(struct rtn_pending *));
    if (buckets == NULL)
        return -ENOMEM;
    pendings->buckets = buckets;
    pendings->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        while (old[i] != NULL) {
            struct rtn_pending *pending = old[i];
            old[i] = pending->next;
            put(pendings, pending);
        }
    }
    free(old);
    return 0;
}

int rtn_pendings_add(struct rtn_pendings *pendings, struct rtn_pending *pending)
{
    if (pending->coming)
        atomic_fetch_sub_explicit(&pendings->coming, 1, memory_order_relaxed);
    pending->coming = false;
    if (atomic_load_explicit(&pendings->ended, memory_order_relaxed) ||
        (pending->instance != NULL && rtn_instance_is_ending(pending->instance)))
        return -ECANCELED;
    /* Without memory for more buckets those that are there will do. */
    if (pendings->count >= pendings->bucket_count && grow(pendings) < 0 && pendings->bucket_count == 0)
        return -ENOMEM;
    put(pendings, pending);
    pendings->count++;
    return 0;
}

int rtn_pendings_bring(struct rtn_pendings *pendings, struct rtn_loop *loop, struct rtn_pending *pending,
                       struct rtn_mail *mail)
{
    pthread_mutex_lock(&pendings->mutex);
    bool ended = atomic_load_explicit(&pendings->ended, memory_order_relaxed);
    if (!ended) {
        pending->coming = true;
        atomic_fetch_add_explicit(&pendings->coming, 1, memory_order_relaxed);
        rtn_loop_post(loop, mail);
    }
    pthread_mutex_unlock(&pendings->mutex);
    return ended ? -ECANCELED : 0;
}

bool rtn_pendings_expects(const struct rtn_pendings *pendings)
{
    return atomic_load_explicit(&pendings->coming, memory_order_relaxed) > 0;
}

struct rtn_pending *rtn_pendings_find(const struct rtn_pendings *pendings, uint64_t number)
{
    if (pendings->bucket_count == 0)
        return NULL;
    struct rtn_pending *pending = *bucket_of(pendings, number);
    while (pending != NULL && pending->number != number)
        pending = pending->next;
    return pending;
}

void rtn_pendings_remove(struct rtn_pendings *pendings, struct rtn_pending *pending)
{
    struct rtn_pending **at = bucket_of(pendings, pending->number);
    while (*at != pending)
        at = &(*at)->next;
    *at = pending->next;
    pending->next = NULL;
    pendings->count--;
}

static void close_table(struct rtn_pendings *pendings)
{
    pthread_mutex_lock(&pendings->mutex);
    atomic_store(&pendings->ended, true);
    pthread_mutex_unlock(&pendings->mutex);
}

/* What is called may take others out, but adds nothing: buckets that are empty stay so. */
void rtn_pendings_end(struct rtn_pendings *pendings)
{
    close_table(pendings);
    for (size_t i = 0; i < pendings->bucket_count; i++) {
        while (pendings->buckets[i] != NULL) {
            struct rtn_pending *pending = pendings->buckets[i];
            rtn_pendings_remove(pendings, pending);
            pending->cancel(pending);
        }
    }
}

static struct rtn_pending *first_ending(const struct rtn_pendings *pendings, size_t bucket)
{
    struct rtn_pending *pending = pendings->buckets[bucket];
    while (pending != NULL && (pending->instance == NULL || !rtn_instance_is_ending(pending->instance)))
        pending = pending->next;
    return pending;
}

/* What is called may take others out, and add what is of others, which may move buckets: then from the
 * start. */
void rtn_pendings_end_ending(struct rtn_pendings *pendings)
{
    for (size_t i = 0; i < pendings->bucket_count; i++) {
        struct rtn_pending *pending = first_ending(pendings, i);
        if (pending == NULL)
            continue;
        size_t buckets = pendings->bucket_count;
        rtn_pendings_remove(pendings, pending);
        pending->cancel(pending);
        i = pendings->bucket_count == buckets ? i - 1 : SIZE_MAX;
    }
}
