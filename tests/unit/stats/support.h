/* Threads that count, and what the whole process has counted. [any] */
#ifndef RTN_TESTS_STATS_SUPPORT_H
#define RTN_TESTS_STATS_SUPPORT_H

#include <pthread.h>

#include <criterion/criterion.h>

#include "stats/stats_internal.h"

static inline uint64_t sum_of(rtn_stats_block block, unsigned cell)
{
    uint64_t cells[RTN_STATS_CHUNK];
    pthread_mutex_lock(&rtn_stats_mutex);
    rtn_stats_sum(block, cell + 1, cells);
    pthread_mutex_unlock(&rtn_stats_mutex);
    return cells[cell];
}

static inline void run_thread(void *(*function)(void *), void *data)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, function, data), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

#endif
