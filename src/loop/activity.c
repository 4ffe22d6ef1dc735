/*
 * Records of threads, in one list of the process. A record is read while its thread writes it: a sequence number, odd
 * during a change, tells the reader to try again.
 */
#include "loop/activity.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "loop/barrier.h"
#include "loop/sanitized.h"
#include "loop/stalls.h"

#define STACK_SIZE 65536
#define MOST_TRIES 8

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct rtn_list all = { &all, &all }; /* guarded by the mutex */
atomic_bool rtn_activity_rests;
static void (*waker)(void *data); /* set once, before that is */
static void *waker_data;
_Thread_local struct rtn_activity *rtn_activity __attribute__((tls_model("initial-exec")));

int64_t rtn_activity_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct rtn_activity *rtn_activity_here(void)
{
    return rtn_activity;
}

/* Whoever runs out of its stack needs another one to say so. Sanitizers have their own. */
static void give_stack(struct rtn_activity *activity)
{
    activity->stack = RTN_SANITIZED ? NULL : malloc(STACK_SIZE);
    if (activity->stack == NULL)
        return;
    const stack_t stack = { .ss_sp = activity->stack, .ss_size = STACK_SIZE };
    (void) sigaltstack(&stack, NULL);
}

static void take_stack(struct rtn_activity *activity)
{
    const stack_t none = { .ss_flags = SS_DISABLE };
    if (activity->stack != NULL)
        (void) sigaltstack(&none, NULL);
    free(activity->stack);
}

struct rtn_activity *rtn_activity_begin(enum rtn_activity_kind kind, const char *server, const char *name,
                                        struct rtn_watched *watched)
{
    struct rtn_activity *activity = calloc(1, sizeof(*activity));
    if (activity == NULL)
        return NULL;
    activity->kind = kind;
    activity->watched = watched;
    activity->thread = (pid_t) syscall(SYS_gettid);
    (void) snprintf(activity->server, sizeof(activity->server), "%s", server != NULL ? server : "");
    (void) snprintf(activity->name, sizeof(activity->name), "%s", name);
    give_stack(activity);
    rtn_activity = activity;
    pthread_mutex_lock(&mutex);
    rtn_list_append(&all, &activity->node);
    pthread_mutex_unlock(&mutex);
    return activity;
}

void rtn_activity_end(void)
{
    struct rtn_activity *activity = rtn_activity;
    if (activity == NULL)
        return;
    pthread_mutex_lock(&mutex);
    rtn_list_remove(&activity->node);
    rtn_stalls_forget(activity);
    pthread_mutex_unlock(&mutex);
    rtn_activity = NULL;
    take_stack(activity);
    free(activity);
}

/* By the thread itself. */
static struct rtn_activity_call get(const struct rtn_activity *activity)
{
    return (struct rtn_activity_call){ .label = atomic_load_explicit(&activity->label, memory_order_relaxed),
                                       .what = atomic_load_explicit(&activity->what, memory_order_relaxed),
                                       .name = atomic_load_explicit(&activity->name_called, memory_order_relaxed),
                                       .since_ms = atomic_load_explicit(&activity->since_ms, memory_order_relaxed),
                                       .limit_ms = atomic_load_explicit(&activity->limit_ms, memory_order_relaxed),
                                       .firm = atomic_load_explicit(&activity->firm, memory_order_relaxed) };
}

void rtn_activity_wake_main(void)
{
    if (atomic_exchange_explicit(&rtn_activity_rests, false, memory_order_acquire))
        waker(waker_data);
}

/* Or without a record. */
struct rtn_activity_call rtn_activity_enter_nested(const struct rtn_activity_call *call)
{
    if (rtn_activity == NULL)
        return (struct rtn_activity_call){ 0 };
    const struct rtn_activity_call before = get(rtn_activity);
    rtn_activity_set(rtn_activity, call, rtn_activity_now_ms());
    return before;
}

void rtn_activity_leave_nested(const struct rtn_activity_call *before)
{
    rtn_activity_set(rtn_activity, before, before->since_ms);
}

int64_t rtn_activity_progress(void)
{
    int64_t now_ms = rtn_activity_now_ms();
    if (rtn_activity != NULL)
        atomic_store_explicit(&rtn_activity->since_ms, now_ms, memory_order_relaxed);
    return now_ms;
}

int64_t rtn_activity_limit(int64_t limit_ms)
{
    if (rtn_activity == NULL)
        return 0;
    int64_t before = atomic_load_explicit(&rtn_activity->limit_ms, memory_order_relaxed);
    (void) rtn_activity_progress();
    atomic_store_explicit(&rtn_activity->limit_ms, limit_ms, memory_order_relaxed);
    return before;
}

void rtn_activity_block(bool blocked)
{
    if (rtn_activity != NULL)
        atomic_store_explicit(&rtn_activity->blocked, blocked, memory_order_relaxed);
}

void rtn_activity_set_waker(void (*wake)(void *data), void *data)
{
    waker = wake;
    waker_data = data;
}

void rtn_activity_rest(bool rests)
{
    atomic_store_explicit(&rtn_activity_rests, rests, memory_order_release);
    if (rests)
        rtn_barrier_dear();
}

void rtn_activity_wait(bool waiting)
{
    struct rtn_activity *activity = rtn_activity;
    if (activity == NULL)
        return;
    unsigned rounds = atomic_load_explicit(&activity->rounds, memory_order_relaxed);
    atomic_store_explicit(&activity->rounds, rounds + 1, memory_order_relaxed);
    atomic_store_explicit(&activity->waiting, waiting, memory_order_relaxed);
    activity->told_ms = 0;
    if (!waiting)
        rtn_activity_wake();
}

static bool try_to_read(const struct rtn_activity *activity, struct rtn_activity_call *ret)
{
    unsigned sequence = atomic_load_explicit(&activity->sequence, memory_order_acquire);
    if (sequence % 2 != 0)
        return false;
    *ret = (struct rtn_activity_call){ .label = atomic_load_explicit(&activity->label, memory_order_acquire),
                                       .what = atomic_load_explicit(&activity->what, memory_order_acquire),
                                       .name = atomic_load_explicit(&activity->name_called, memory_order_acquire),
                                       .since_ms = atomic_load_explicit(&activity->since_ms, memory_order_acquire),
                                       .limit_ms = atomic_load_explicit(&activity->limit_ms, memory_order_acquire),
                                       .firm = atomic_load_explicit(&activity->firm, memory_order_acquire) };
    return atomic_load_explicit(&activity->sequence, memory_order_relaxed) == sequence;
}

bool rtn_activity_read(const struct rtn_activity *activity, struct rtn_activity_call *ret)
{
    for (unsigned i = 0; i < MOST_TRIES; i++) {
        if (try_to_read(activity, ret))
            return true;
    }
    return false;
}

int64_t rtn_activity_limit_of(const struct rtn_activity *activity, const struct rtn_activity_call *call)
{
    if (activity->watched == NULL)
        return 0;
    if (activity->kind == RTN_ACTIVITY_LOOP)
        return atomic_load_explicit(&activity->watched->stall_ms, memory_order_relaxed);
    if (atomic_load_explicit(&activity->blocked, memory_order_relaxed) && !call->firm)
        return 0;
    if (call->limit_ms == RTN_ACTIVITY_USUAL)
        return atomic_load_explicit(&activity->watched->handler_ms, memory_order_relaxed);
    return call->limit_ms;
}

bool rtn_activity_over(const struct rtn_activity *activity, int64_t now_ms)
{
    struct rtn_activity_call call;
    if (!rtn_activity_read(activity, &call) || call.label == NULL)
        return false;
    int64_t limit_ms = rtn_activity_limit_of(activity, &call);
    return limit_ms > 0 && now_ms - call.since_ms >= limit_ms;
}

void rtn_activity_fence(void)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
}

void rtn_activity_each(void (*look)(struct rtn_activity *activity, void *data), void *data)
{
    pthread_mutex_lock(&mutex);
    RTN_LIST_FOREACH (node, &all)
        look(RTN_CONTAINER_OF(node, struct rtn_activity, node), data);
    pthread_mutex_unlock(&mutex);
}

static void look_for_work(struct rtn_activity *activity, void *data)
{
    bool *quiet = data;
    bool runs = activity->kind == RTN_ACTIVITY_LOOP && !atomic_load_explicit(&activity->waiting, memory_order_relaxed);
    bool calls = activity->kind != RTN_ACTIVITY_MAIN && atomic_load_explicit(&activity->label, memory_order_relaxed);
    *quiet = *quiet && !runs && !calls && !activity->episode.open;
}

bool rtn_activity_is_quiet(void)
{
    bool quiet = true;
    rtn_activity_each(look_for_work, &quiet);
    return quiet;
}
