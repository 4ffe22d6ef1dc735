/*
 * Bodies of the public functions about threads: blocking, stopping, names. The daemon's stop flag is process-wide by
 * nature: module threads that the daemon knows nothing of may ask for it. Threads of a server ask for its flag, too.
 */
#include <retinue/module.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "app/stopping.h"
#include "base/clock.h"
#include "log/log.h"
#include "loop/pool.h"

static atomic_bool stopping;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t stopped = PTHREAD_COND_INITIALIZER; /* sleepers wait here */
static _Thread_local const atomic_bool *own; /* flag of the server that the thread belongs to; NULL: to none */

void rtn_stopping_begin(void)
{
    rtn_stopping_begin_server(&stopping);
}

void rtn_stopping_begin_server(atomic_bool *flag)
{
    pthread_mutex_lock(&mutex);
    atomic_store_explicit(flag, true, memory_order_release);
    pthread_cond_broadcast(&stopped);
    pthread_mutex_unlock(&mutex);
}

void rtn_stopping_enter(const atomic_bool *flag)
{
    own = flag;
}

bool rtn_stopping(void)
{
    return atomic_load_explicit(&stopping, memory_order_acquire) ||
           (own != NULL && atomic_load_explicit(own, memory_order_acquire));
}

unsigned rtn_api_level(void)
{
    return RTN_API_LEVEL;
}

const char *rtn_thread_name(void)
{
    const struct rtn_log_context *context = rtn_log_get_context();
    return context != NULL && context->thread != NULL ? context->thread : "";
}

void rtn_block_begin(void)
{
    rtn_pool_block_begin();
}

void rtn_block_end(void)
{
    rtn_pool_block_end();
}

bool rtn_may_block(void)
{
    return rtn_pool_on_worker();
}

void rtn_suspend(int64_t milliseconds)
{
    if (milliseconds <= 0)
        return;
    struct timespec until = rtn_clock_after(CLOCK_MONOTONIC, milliseconds);
    rtn_pool_block_begin();
    pthread_mutex_lock(&mutex);
    int r = 0;
    while (!rtn_stopping() && r == 0)
        r = pthread_cond_clockwait(&stopped, &mutex, CLOCK_MONOTONIC, &until);
    pthread_mutex_unlock(&mutex);
    rtn_pool_block_end();
}
