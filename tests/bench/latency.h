/* Times of the measurements: a clock, and a histogram that any thread may add to. One of each per file. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#define LATENCY_SLOTS 1024 /* 16 for each power of two */

static atomic_uint latency_slots[LATENCY_SLOTS];

static inline int64_t latency_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static inline unsigned latency_slot(int64_t ns)
{
    if (ns < 16)
        return (unsigned) (ns < 0 ? 0 : ns);
    unsigned power = 63u - (unsigned) __builtin_clzll((unsigned long long) ns);
    unsigned slot = (power - 3) * 16 + (unsigned) (ns >> (power - 4) & 15);
    return slot < LATENCY_SLOTS ? slot : LATENCY_SLOTS - 1;
}

/* The least that falls into it. */
static inline int64_t latency_value(unsigned slot)
{
    return slot < 16 ? slot : (INT64_C(16) + slot % 16) << (slot / 16 - 1);
}

static inline void latency_add(int64_t ns)
{
    atomic_fetch_add_explicit(&latency_slots[latency_slot(ns)], 1, memory_order_relaxed);
}

static inline void latency_clear(void)
{
    for (unsigned i = 0; i < LATENCY_SLOTS; i++)
        atomic_store(&latency_slots[i], 0);
}

/* What so large a part of them took at most. */
static inline int64_t latency_quantile(double part)
{
    uint64_t total = 0;
    uint64_t seen = 0;
    for (unsigned i = 0; i < LATENCY_SLOTS; i++)
        total += atomic_load(&latency_slots[i]);
    for (unsigned i = 0; i < LATENCY_SLOTS; i++) {
        seen += atomic_load(&latency_slots[i]);
        if ((double) seen >= part * (double) total)
            return latency_value(i);
    }
    return 0;
}

#endif
