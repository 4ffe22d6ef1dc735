/* For tests of what waits on a loop: a site whose loop is the test's own thread, an instance, and workers. [main] */
#ifndef RTN_TESTS_APP_SITE_SUPPORT_H
#define RTN_TESTS_APP_SITE_SUPPORT_H

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include <retinue/module.h>

#include "app/dispatch.h"
#include "app/instance.h"
#include "app/loops.h"
#include "base/clock.h"

#define BOUND_MS 20000 /* generous: only a fault takes so long */
#define LOOP_NUMBER 5

static _Atomic int silent = RTN_LOG_NONE;
static struct rtn_loop test_loop;
static struct rtn_http1 test_http;
static struct rtn_site site;
static struct rtn_instance instance;

static inline void start_site(enum rtn_threads threads)
{
    const struct rtn_pool_options options = {
        .server = "get", .threads = 2, .active = 2, .queue = 2, .retire_ms = 60000, .log_level = &silent
    };
    cr_assert_eq(rtn_loop_init(&test_loop, &(struct rtn_loop_options){ .server = "get" }), 0);
    test_http = (struct rtn_http1){ .loop = &test_loop, .data = &site, .loop_index = LOOP_NUMBER };
    site = (struct rtn_site){ .http = &test_http };
    rtn_pendings_init(&site.pendings, LOOP_NUMBER);
    cr_assert_eq(rtn_pool_new(&options, &site.pool), 0);
    cr_assert_eq(rtn_loops_add(&test_http), 0);
    rtn_loops_enter(&test_http);
    instance = (struct rtn_instance){ .threads = threads, .place = { .text = "route \"/\"" } };
    atomic_init(&instance.running, 1);
    rtn_serial_init(&instance.serial);
}

/* As a server does it: what waits is cancelled, workers end, then the loop has its last mail. */
static inline void end_site(void)
{
    rtn_pendings_end(&site.pendings);
    cr_expect_eq(rtn_pool_stop(site.pool, BOUND_MS), 0);
    rtn_loop_deliver(&test_loop);
    rtn_loops_enter(NULL);
    rtn_loops_remove(&test_http);
    rtn_pendings_done(&site.pendings);
    rtn_loop_done(&test_loop);
    rtn_pool_free(site.pool);
}

/* Runs the loop until the counter has reached `wanted`; false when the bound passes. */
static inline bool runs_until(atomic_uint *counter, unsigned wanted)
{
    int64_t until = rtn_clock_ms() + BOUND_MS;
    while (atomic_load(counter) < wanted && rtn_clock_ms() < until) {
        ev_run(test_loop.ev, EVRUN_NOWAIT);
        (void) nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    }
    return atomic_load(counter) >= wanted;
}

static inline void busy_for(int64_t ms)
{
    int64_t until = rtn_clock_ms() + ms;
    while (rtn_clock_ms() < until)
        ;
}

/* Calls function(data) on a thread that is no loop, and waits for its end. */
static inline void on_a_thread(void *(*function)(void *data), void *data)
{
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, function, data), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
}

#endif
