/*
 * A thread that runs one libev loop. [main] makes, starts and joins it; [loop] is its own thread;
 * [any] may post mail.
 */
#ifndef RTN_LOOP_LOOP_H
#define RTN_LOOP_LOOP_H

#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>

#include "log/log.h"
#include "loop/activity.h"
#include "loop/mailbox.h"
#include "loop/wheel.h"

#define RTN_THREAD_NAME_SIZE 16 /* with NUL: what the kernel keeps */

struct rtn_loop;

struct rtn_loop_options {
    const char *server; /* names the thread server/loop-N */
    unsigned index;
    struct rtn_log *log;
    const _Atomic int *log_level;
    struct rtn_watched *watched; /* NULL: callbacks may hold the loop as long as they like */
    /* On the new thread, before the loop runs; a negative errno ends the thread and is what start returns. */
    int (*begin)(void *data);
    /* On the thread, before every wait for events: the place to send off what the iteration gathered. */
    void (*before_wait)(void *data);
    /* On the thread, after the loop has ended. */
    void (*end)(void *data);
    void *data;
};

struct rtn_loop {
    struct ev_loop *ev;
    struct rtn_mailbox mailbox;
    int64_t now_us; /* monotonic, of this iteration */
    int64_t now_ms; /* the same */
    struct rtn_loop_options options;
    struct rtn_log_context log_context;
    char name[RTN_THREAD_NAME_SIZE];
    pthread_t thread;
    int begin_result;
    struct rtn_mail stop;
    sem_t ended;
};

/* In place; the loop exists, its thread does not yet. 0 or -errno. */
int rtn_loop_init(struct rtn_loop *loop, const struct rtn_loop_options *options);

/* Starts the thread and waits until begin() has returned. 0, or the error of begin or of starting a thread. */
int rtn_loop_start(struct rtn_loop *loop);

/*
 * Asks the thread to end after the current iteration and joins it. Only after a successful start. 0, or -ETIMEDOUT when
 * it has not ended within `ms`: the loop must then be left alone until the process ends.
 */
int rtn_loop_stop(struct rtn_loop *loop, int64_t ms);

/* Delivers mail that came after the loop had ended, before what it is for goes away. [main] */
void rtn_loop_deliver(struct rtn_loop *loop);

void rtn_loop_done(struct rtn_loop *loop);

/* Any thread. */
void rtn_loop_post(struct rtn_loop *loop, struct rtn_mail *mail);

/* Any thread, while the loop exists: it comes to before_wait. */
void rtn_loop_wake(struct rtn_loop *loop);

/*
 * A watcher of a descriptor was started. The system hears of that when the loop is about to wait; if it refuses, libev
 * calls the watcher with EV_ERROR, but when the wait is over: then it is over at once. [loop]
 */
void rtn_loop_watcher_started(struct rtn_loop *loop);

/*
 * A thread name of at most 15 characters that keeps the end: ("getandpost", "worker-12") -> "getan/worker-12".
 */
void rtn_thread_name_format(char out[RTN_THREAD_NAME_SIZE], const char *server, const char *kind, unsigned number);

/*
 * Starts a thread with signals blocked, so that only main receives them, but for those of crashes and the one that asks
 * for a backtrace. 0 or -errno.
 */
int rtn_thread_start(pthread_t *thread, void *(*function)(void *), void *data);

/* First of all on a thread that makes many system calls: names it, and makes them cheaper. */
void rtn_thread_begin(const char *name);

#endif
