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
static atomic_bool resting;
static void (*waker)(void *data); /* set once, before resting is */
static void *waker_data;
static _Thread_local struct rtn_activity *here __attribute__((tls_model("initial-exec")));

int64_t rtn_activity_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct rtn_activity *rtn_activity_here(void)
{
    return here;
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
    here = activity;
    pthread_mutex_lock(&mutex);
    rtn_list_append(&all, &activity->node);
    pthread_mutex_unlock(&mutex);
    return activity;
}

void rtn_activity_end(void)
{
    struct rtn_activity *activity = here;
    if (activity == NULL)
        return;
    pthread_mutex_lock(&mutex);
    rtn_list_remove(&activity->node);
    rtn_stalls_forget(activity);
    pthread_mutex_unlock(&mutex);
    here = NULL;
    take_stack(activity);
    free(activity);
}

/* Releases keep the order: whoever sees one of them sees the odd number, too. */
static void set(struct rtn_activity *activity, const struct rtn_activity_call *call, int64_t since_ms)
{
    unsigned sequence = atomic_load_explicit(&activity->sequence, memory_order_relaxed);
    atomic_store_explicit(&activity->sequence, sequence + 1, memory_order_relaxed);
    atomic_store_explicit(&activity->label, call->label, memory_order_release);
    atomic_store_explicit(&activity->what, call->what, memory_order_release);
    atomic_store_explicit(&activity->name_called, call->name, memory_order_release);
    atomic_store_explicit(&activity->since_ms, since_ms, memory_order_release);
    atomic_store_explicit(&activity->limit_ms, call->limit_ms, memory_order_release);
    atomic_store_explicit(&activity->firm, call->firm, memory_order_release);
    atomic_store_explicit(&activity->sequence, sequence + 2, memory_order_release);
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

/* Who does something from now on has said so before: main sees that, or is woken. */
static void wake_resting(void)
{
    rtn_barrier_cheap();
    if (RTN_LIKELY(!atomic_load_explicit(&resting, memory_order_relaxed)))
        return;
    if (atomic_exchange_explicit(&resting, false, memory_order_acquire))
        waker(waker_data);
}

struct rtn_activity_call rtn_activity_enter(const struct rtn_activity_call *call)
{
    struct rtn_activity_call before = { 0 };
    if (here == NULL)
        return before;
    if (atomic_load_explicit(&here->label, memory_order_relaxed) != NULL)
        before = get(here);
    set(here, call, rtn_activity_now_ms());
    if (before.label == NULL)
        wake_resting();
    return before;
}

/* Out of every callback: the rest of the record counts for nothing without a label. */
void rtn_activity_leave(const struct rtn_activity_call *before)
{
    if (here == NULL)
        return;
    if (before->label == NULL)
        atomic_store_explicit(&here->label, NULL, memory_order_release);
    else
        set(here, before, before->since_ms);
}

int64_t rtn_activity_progress(void)
{
    int64_t now_ms = rtn_activity_now_ms();
    if (here != NULL)
        atomic_store_explicit(&here->since_ms, now_ms, memory_order_relaxed);
    return now_ms;
}

int64_t rtn_activity_limit(int64_t limit_ms)
{
    if (here == NULL)
        return 0;
    int64_t before = atomic_load_explicit(&here->limit_ms, memory_order_relaxed);
    (void) rtn_activity_progress();
    atomic_store_explicit(&here->limit_ms, limit_ms, memory_order_relaxed);
    return before;
}

void rtn_activity_block(bool blocked)
{
    if (here != NULL)
        atomic_store_explicit(&here->blocked, blocked, memory_order_relaxed);
}

void rtn_activity_set_waker(void (*wake)(void *data), void *data)
{
    waker = wake;
    waker_data = data;
}

void rtn_activity_rest(bool rests)
{
    atomic_store_explicit(&resting, rests, memory_order_release);
    if (rests)
        rtn_barrier_dear();
}

void rtn_activity_wait(bool waiting)
{
    if (here == NULL)
        return;
    unsigned rounds = atomic_load_explicit(&here->rounds, memory_order_relaxed);
    atomic_store_explicit(&here->rounds, rounds + 1, memory_order_relaxed);
    atomic_store_explicit(&here->waiting, waiting, memory_order_relaxed);
    if (!waiting)
        wake_resting();
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
