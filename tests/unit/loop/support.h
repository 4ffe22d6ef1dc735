/* What the tests of this folder share: a gate that threads wait at, and waiting for something with a bound. */
#ifndef RTN_TESTS_LOOP_SUPPORT_H
#define RTN_TESTS_LOOP_SUPPORT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

#include <criterion/criterion.h>

#include "base/clock.h"

#define BOUND_MS 20000 /* generous: only a fault takes so long */

static inline void pause_ms(int64_t ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
    while (nanosleep(&left, &left) != 0)
        ;
}

/* Waits until the counter has reached `wanted`; false when the bound passes. */
static inline bool reaches(atomic_uint *counter, unsigned wanted)
{
    int64_t until = rtn_clock_ms() + BOUND_MS;
    while (atomic_load(counter) < wanted) {
        if (rtn_clock_ms() > until)
            return false;
        pause_ms(1);
    }
    return true;
}

/* Waits until that thread of ours sleeps; false when the bound passes. */
static inline bool falls_asleep(pid_t thread)
{
    char path[64];
    (void) snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int) thread);
    for (int64_t until = rtn_clock_ms() + BOUND_MS; rtn_clock_ms() < until; pause_ms(1)) {
        char line[512] = "";
        FILE *file = fopen(path, "re");
        if (file == NULL)
            return false;
        (void) fgets(line, sizeof(line), file);
        (void) fclose(file);
        const char *name_end = strrchr(line, ')');
        if (name_end != NULL && strncmp(name_end, ") S", 3) == 0)
            return true;
    }
    return false;
}

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t change;
    bool open;
    atomic_uint entered;
    atomic_uint left;
};

#define GATE_CLOSED                                                             \
    {                                                                           \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .change = PTHREAD_COND_INITIALIZER, \
    }

/* Waits at the gate until it is open. */
static inline void gate_pass(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    atomic_fetch_add(&gate->entered, 1);
    while (!gate->open)
        pthread_cond_wait(&gate->change, &gate->mutex);
    pthread_mutex_unlock(&gate->mutex);
    atomic_fetch_add(&gate->left, 1);
}

static inline void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->mutex);
    gate->open = true;
    pthread_cond_broadcast(&gate->change);
    pthread_mutex_unlock(&gate->mutex);
}

#endif
