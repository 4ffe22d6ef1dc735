/*
 * What each thread of the daemon is doing, for whoever looks at it from outside: which callback of which module it is
 * in, and since when; and whether a loop comes round. [any] unless a function says otherwise
 *
 * A thread writes its own record, with plain stores; main reads it. Texts are not copied: they are those of an instance
 * or of a module's tables; who frees those calls rtn_activity_fence() before.
 */
#ifndef RTN_LOOP_ACTIVITY_H
#define RTN_LOOP_ACTIVITY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/list.h"
#include "base/macros.h"
#include "loop/barrier.h"

#define RTN_ACTIVITY_NAME_SIZE 16

#define RTN_ACTIVITY_USUAL (-1) /* watched->handler_ms */

enum rtn_activity_kind { RTN_ACTIVITY_MAIN, RTN_ACTIVITY_LOOP, RTN_ACTIVITY_WORKER };

/* Whose callbacks they are. */
struct rtn_activity_label {
    const char *place; /* route "/x" */
    const char *module;
    const char *who; /* both, for the log: route "/x": module m */
};

/* What is watched of a server, and what came of it: [main] writes, any thread reads. */
struct rtn_watched {
    _Atomic int64_t stall_ms; /* that a callback may hold a loop; 0: as long as it likes */
    _Atomic int64_t handler_ms; /* the same of a worker, where its own call says nothing else */
    _Atomic uint64_t loop_stalls; /* so far */
    _Atomic uint64_t worker_stalls;
    _Atomic unsigned stuck_loops; /* now */
    _Atomic unsigned stuck_workers;
};

/* What the thread runs. */
struct rtn_activity_call {
    const struct rtn_activity_label *label; /* NULL: no callback */
    const char *what; /* "handler", "timer" */
    const char *name; /* of the handler; NULL: none */
    int64_t since_ms; /* coarse monotonic time */
    int64_t limit_ms; /* on a worker: how long it may take; 0: as long as it likes; RTN_ACTIVITY_USUAL */
    bool firm; /* the limit holds also when it says that it blocks */
};

/* What main knows of a callback that takes too long. [main], but see stalls.c */
struct rtn_episode {
    struct rtn_activity_call call; /* seen when last looked */
    int64_t since_ms; /* that it has been running, as far as is known */
    bool open; /* it was reported, and its end is to be */
    struct rtn_list node; /* among those that are open */
    int64_t next_report_ms; /* of its duration: tenfold each time */
    char text[256]; /* route "/x": module m: handler h */
    char request_id[132];
    char backtrace[1400];
    unsigned rounds; /* of the loop, as the progress was asked for */
};

struct rtn_activity {
    struct rtn_list node;
    enum rtn_activity_kind kind;
    char server[64];
    char name[RTN_ACTIVITY_NAME_SIZE];
    pid_t thread;
    void *stack; /* for signals */
    int64_t told_ms; /* of rtn_activity_tell(); 0: the clock has to be asked. The thread's own */
    struct rtn_watched *watched; /* NULL: its callbacks may take what they like */

    atomic_uint sequence; /* odd while the next six are being changed */
    _Atomic(const struct rtn_activity_label *) label;
    _Atomic(const char *) what;
    _Atomic(const char *) name_called;
    _Atomic int64_t since_ms;
    _Atomic int64_t limit_ms;
    atomic_bool firm;
    atomic_bool blocked; /* the callback says so */
    atomic_uint rounds; /* of a loop */
    atomic_bool waiting; /* the loop, for events */

    struct rtn_episode episode;
};

/* Of the calling thread, from its start to its end. Without memory it has none, and nothing is known of it. */
struct rtn_activity *rtn_activity_begin(enum rtn_activity_kind kind, const char *server, const char *name,
                                        struct rtn_watched *watched);
void rtn_activity_end(void);

/* The clock of since_ms: a few milliseconds late, and cheap. */
int64_t rtn_activity_now_ms(void);

/* NULL when the thread has none. Safe in signal handlers. */
struct rtn_activity *rtn_activity_here(void);

/* The same, for the functions below. */
extern _Thread_local struct rtn_activity *rtn_activity __attribute__((tls_model("initial-exec")));
extern atomic_bool rtn_activity_rests; /* main does */

/* Where calls nest, or main is to be woken: the functions below are around every call of a handler. */
struct rtn_activity_call rtn_activity_enter_nested(const struct rtn_activity_call *call);
void rtn_activity_leave_nested(const struct rtn_activity_call *before);
void rtn_activity_wake_main(void);

/* Releases keep the order: whoever sees one of them sees the odd number, too. */
RTN_INLINE void rtn_activity_set(struct rtn_activity *activity, const struct rtn_activity_call *call, int64_t since_ms)
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

/* Who does something from now on has said so before: main sees that, or is woken. */
RTN_INLINE void rtn_activity_wake(void)
{
    rtn_barrier_cheap();
    if (RTN_UNLIKELY(atomic_load_explicit(&rtn_activity_rests, memory_order_relaxed)))
        rtn_activity_wake_main();
}

/* What the calling thread calls next; what it was in comes back, for leave. */
RTN_INLINE struct rtn_activity_call rtn_activity_enter(const struct rtn_activity_call *call)
{
    struct rtn_activity *activity = rtn_activity;
    if (RTN_UNLIKELY(activity == NULL || atomic_load_explicit(&activity->label, memory_order_relaxed) != NULL)) {
        const struct rtn_activity_call copy = *call; /* so that it need not be in memory otherwise */
        return rtn_activity_enter_nested(&copy);
    }
    rtn_activity_set(activity, call, activity->told_ms != 0 ? activity->told_ms : rtn_activity_now_ms());
    rtn_activity_wake();
    return (struct rtn_activity_call){ 0 };
}

/* Out of every callback: the rest of the record counts for nothing without a label. */
RTN_INLINE void rtn_activity_leave(const struct rtn_activity_call *before)
{
    struct rtn_activity *activity = rtn_activity;
    if (RTN_UNLIKELY(activity == NULL))
        return;
    activity->told_ms = 0;
    if (RTN_LIKELY(before->label == NULL)) {
        atomic_store_explicit(&activity->label, NULL, memory_order_release);
        return;
    }
    const struct rtn_activity_call copy = *before;
    rtn_activity_leave_nested(&copy);
}

/*
 * A loop knows what time it is now, monotonic: it need not be asked for when the next callback is entered, unless
 * another one has run meanwhile. No effect on other threads.
 */
static inline void rtn_activity_tell(int64_t now_ms)
{
    struct rtn_activity *activity = rtn_activity;
    if (activity != NULL && activity->kind == RTN_ACTIVITY_LOOP)
        activity->told_ms = now_ms;
}

/* The callback has got on: its time begins anew, now, which is what comes back. */
int64_t rtn_activity_progress(void);

/* From now on, a limit for what the thread is in; returns the one before. 0: it waits for a client. */
int64_t rtn_activity_limit(int64_t limit_ms);

void rtn_activity_block(bool blocked);

/* A loop is about to wait, or has come back from that. */
void rtn_activity_wait(bool waiting);

/* True when all loops wait, and no thread is in a callback. [main] */
bool rtn_activity_is_quiet(void);

/* Once, before main rests: what wakes it, on any thread. [main] */
void rtn_activity_set_waker(void (*wake)(void *data), void *data);

/*
 * Main is about to stop looking: the next loop that comes back from waiting wakes it, or the next thread that enters a
 * callback, once. Who did so before is seen by an rtn_activity_is_quiet() that follows. False: main looks. [main]
 */
void rtn_activity_rest(bool rests);

/* False when it changes all the time: nothing is stuck there. */
bool rtn_activity_read(const struct rtn_activity *activity, struct rtn_activity_call *ret);

/* How long the call may take on this thread; 0: as long as it likes. */
int64_t rtn_activity_limit_of(const struct rtn_activity *activity, const struct rtn_activity_call *call);

/* True when a callback is over its limit. */
bool rtn_activity_over(const struct rtn_activity *activity, int64_t now_ms);

/* Calls `look` for every thread, none of which ends meanwhile. [main] */
void rtn_activity_each(void (*look)(struct rtn_activity *activity, void *data), void *data);

/*
 * Before what labels and names are part of is freed, when no callback of it runs any more: waits for whoever looks at
 * it.
 */
void rtn_activity_fence(void);

#endif
