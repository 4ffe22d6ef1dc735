/*
 * Loop threads. The libev loop is made by main, runs on its own thread, and is freed by main after the
 * join. begin() runs on the thread so that module hooks see their own thread; start waits for it, so
 * that nothing serves before everything has started.
 */
#include "loop/loop.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/macros.h"
#include "loop/backtrace.h"
#include "stats/stats.h"

struct starting {
    struct rtn_loop *loop;
    sem_t begun;
};

/*
 * One iteration, which is what libev leaves to us: whatever has happened is dealt with, and then what that has
 * gathered. Watchers for both ends of it would cost each iteration more than the rest of libev.
 */
static void on_round(struct ev_loop *ev)
{
    struct rtn_loop *loop = ev_userdata(ev);
    loop->now_us = rtn_clock_us();
    loop->now_ms = loop->now_us / 1000;
    rtn_activity_wait(false);
    rtn_activity_tell(loop->now_ms);
    ev_invoke_pending(ev);
    if (loop->options.before_wait != NULL)
        loop->options.before_wait(loop->options.data);
    rtn_activity_wait(true);
}

static void on_stop(struct rtn_mail *mail)
{
    ev_break(RTN_CONTAINER_OF(mail, struct rtn_loop, stop)->ev, EVBREAK_ALL);
}

int rtn_loop_init(struct rtn_loop *loop, const struct rtn_loop_options *options)
{
    *loop = (struct rtn_loop){
        .options = *options, .now_us = rtn_clock_us(), .now_ms = rtn_clock_ms(), .stop = { .deliver = on_stop }
    };
    loop->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
    if (loop->ev == NULL)
        return errno != 0 ? -errno : -ENOMEM;
    rtn_thread_name_format(loop->name, options->server, "loop", options->index);
    loop->log_context = (struct rtn_log_context){
        .log = options->log, .server = options->server, .thread = loop->name, .level = options->log_level
    };
    sem_init(&loop->ended, 0, 0);
    rtn_mailbox_init(&loop->mailbox, loop->ev);
    ev_set_userdata(loop->ev, loop);
    ev_set_invoke_pending_cb(loop->ev, on_round);
    return 0;
}

static void *run(void *data)
{
    struct starting *starting = data;
    struct rtn_loop *loop = starting->loop;
    rtn_thread_begin(loop->name);
    rtn_log_set_context(&loop->log_context);
    rtn_stats_thread_begin(loop->options.server);
    (void) rtn_activity_begin(RTN_ACTIVITY_LOOP, loop->options.server, loop->name, loop->options.watched);

    int result = loop->options.begin != NULL ? loop->options.begin(loop->options.data) : 0;
    loop->begin_result = result;
    if (result < 0) {
        rtn_activity_end();
        rtn_stats_thread_end();
    }
    sem_post(&starting->begun);
    if (result < 0)
        return NULL;

    ev_run(loop->ev, 0);
    rtn_activity_wait(false);
    if (loop->options.end != NULL)
        loop->options.end(loop->options.data);
    rtn_activity_end();
    rtn_stats_thread_end();
    sem_post(&loop->ended);
    return NULL;
}

int rtn_loop_start(struct rtn_loop *loop)
{
    struct starting starting = { .loop = loop };
    sem_init(&starting.begun, 0, 0);
    int r = rtn_thread_start(&loop->thread, run, &starting);
    if (r == 0) {
        while (sem_wait(&starting.begun) < 0 && errno == EINTR)
            ;
        r = loop->begin_result;
        if (r < 0)
            pthread_join(loop->thread, NULL);
    }
    sem_destroy(&starting.begun);
    return r;
}

int rtn_loop_stop(struct rtn_loop *loop, int64_t ms)
{
    rtn_loop_post(loop, &loop->stop);
    struct timespec until = rtn_clock_after(CLOCK_REALTIME, ms); /* the clock of sem_timedwait */
    while (sem_timedwait(&loop->ended, &until) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    pthread_join(loop->thread, NULL);
    return 0;
}

void rtn_loop_deliver(struct rtn_loop *loop)
{
    rtn_mailbox_deliver(&loop->mailbox);
}

void rtn_loop_done(struct rtn_loop *loop)
{
    if (loop->ev == NULL)
        return;
    rtn_mailbox_done(&loop->mailbox);
    ev_loop_destroy(loop->ev);
    sem_destroy(&loop->ended);
    loop->ev = NULL;
}

void rtn_loop_post(struct rtn_loop *loop, struct rtn_mail *mail)
{
    rtn_mailbox_post(&loop->mailbox, mail);
}

void rtn_loop_wake(struct rtn_loop *loop)
{
    rtn_mailbox_wake(&loop->mailbox);
}

/* Just before it waits. What is pending now was not a moment ago: libev has stopped these watchers itself. */
static void on_changes_made(struct ev_loop *ev)
{
    ev_set_loop_release_cb(ev, NULL, NULL);
    if (ev_pending_count(ev) > 0)
        rtn_loop_wake(ev_userdata(ev));
}

void rtn_loop_watcher_started(struct rtn_loop *loop)
{
    ev_set_loop_release_cb(loop->ev, on_changes_made, NULL);
}

void rtn_thread_name_format(char out[RTN_THREAD_NAME_SIZE], const char *server, const char *kind, unsigned number)
{
    char tail[RTN_THREAD_NAME_SIZE * 2];
    snprintf(tail, sizeof(tail), "/%s-%u", kind, number);
    size_t tail_length = RTN_MIN(strlen(tail), RTN_THREAD_NAME_SIZE - 1U);
    size_t head_length = RTN_MIN(strlen(server), RTN_THREAD_NAME_SIZE - 1U - tail_length);
    memcpy(out, server, head_length);
    memcpy(out + head_length, tail, tail_length);
    out[head_length + tail_length] = '\0';
}

/* Blocked, they would end the process without a word. */
static const int of_crashes[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS };

/*
 * Nobody cancels it. With that off and said to be asynchronous, the C library has nothing to change around each system
 * call that could be cancelled.
 */
void rtn_thread_begin(const char *name)
{
    pthread_setname_np(pthread_self(), name);
    (void) pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    (void) pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL); /* NOLINT(cert-pos47-c): it is off */
}

int rtn_thread_start(pthread_t *thread, void *(*function)(void *), void *data)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(of_crashes); i++)
        sigdelset(&all, of_crashes[i]);
    sigdelset(&all, rtn_backtrace_signal());
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(thread, NULL, function, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}
