/*
 * Two buffers: threads fill one while the writer's thread writes the other. Together they never hold more than
 * `capacity` bytes.
 *
 * Waking. The thread looks at the buffer every flush_ms as long as lines come, so that a steady stream of them costs
 * nobody a wake-up; after a round without a line it sleeps, and the next line wakes it (`sleeping`). In between only
 * the line that makes the buffer half full wakes it.
 *
 * Reopening is a mark in the buffer (`reopen_at`): what is before it goes to the old file.
 *
 * A file that takes nothing (a FIFO nobody reads; a disk that hangs) holds up the thread only. Then the threads that
 * lose lines say so themselves, once a second. Reopening and stopping wait for such a file no longer than GIVE_UP_MS.
 */
#include "log/log_writer.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "log/log_file.h"
#include "log/log_losses.h"

#define GIVE_UP_MS 1000
#define NOWHERE SIZE_MAX

struct rtn_log_writer {
    const char *what;
    char *path;
    struct rtn_log_context context;
    pthread_t thread;
    bool started;
    sem_t ended;

    struct rtn_log_file file; /* of the thread once it runs, but give_up_at */

    pthread_mutex_t mutex; /* guards all below; a leaf */
    pthread_cond_t work; /* the thread waits here */
    size_t capacity;
    size_t wanted; /* capacity that it is to have, as soon as it can */
    int64_t flush_ms;
    char *filling;
    size_t filled;
    char *other; /* being written, or empty */
    size_t writing; /* bytes in `other` */
    size_t reopen_at; /* in `filling`; NOWHERE: no */
    bool sleeping;
    bool stopping;
    struct rtn_log_losses losses; /* not told yet */
    uint64_t lost; /* since start */
};

/* What the thread does in one round, without the mutex. */
struct round {
    struct rtn_str lines;
    size_t reopen_at;
    struct rtn_log_losses losses;
};

static int init_work(pthread_cond_t *work)
{
    pthread_condattr_t attributes;
    int r = pthread_condattr_init(&attributes);
    if (r != 0)
        return -r;
    r = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (r == 0)
        r = pthread_cond_init(work, &attributes);
    (void) pthread_condattr_destroy(&attributes);
    return -r;
}

static struct rtn_log_writer *writer_new(const struct rtn_log_writer_options *options)
{
    struct rtn_log_writer *writer = calloc(1, sizeof(*writer));
    if (writer == NULL)
        return NULL;
    writer->path = rtn_str_dup(rtn_str_of(options->path));
    if (writer->path == NULL || init_work(&writer->work) < 0) {
        free(writer->path);
        free(writer);
        return NULL;
    }
    (void) pthread_mutex_init(&writer->mutex, NULL);
    (void) sem_init(&writer->ended, 0, 0);
    writer->file.fd = -1;
    writer->what = options->what;
    writer->capacity = options->buffer;
    writer->wanted = options->buffer;
    writer->flush_ms = options->flush_ms;
    writer->context =
        (struct rtn_log_context){ .log = options->log, .thread = "log-writer", .level = options->log_level };
    writer->reopen_at = NOWHERE;
    return writer;
}

int rtn_log_writer_open(const struct rtn_log_writer_options *options, struct rtn_log_writer **ret)
{
    struct rtn_log_writer *writer = writer_new(options);
    if (writer == NULL)
        return -ENOMEM;
    int r = rtn_log_file_open(&writer->file, options->path);
    if (r < 0) {
        rtn_log_writer_free(writer);
        return r;
    }
    *ret = writer;
    return 0;
}

/* With the mutex held. The buffer that is being written stays where it is; without memory all stays. */
static void grow(struct rtn_log_writer *writer)
{
    if (writer->wanted == writer->capacity || writer->writing > 0)
        return;
    if (writer->filling != NULL) {
        char *filling = realloc(writer->filling, writer->wanted);
        writer->filling = filling != NULL ? filling : writer->filling;
        char *other = realloc(writer->other, writer->wanted);
        writer->other = other != NULL ? other : writer->other;
        if (filling == NULL || other == NULL)
            return;
    }
    writer->capacity = writer->wanted;
}

void rtn_log_writer_share(struct rtn_log_writer *writer, size_t buffer, int64_t flush_ms)
{
    (void) pthread_mutex_lock(&writer->mutex);
    writer->wanted = RTN_MAX(writer->wanted, buffer);
    writer->flush_ms = RTN_MIN(writer->flush_ms, flush_ms);
    grow(writer);
    (void) pthread_mutex_unlock(&writer->mutex);
}

void rtn_log_writer_set_flush(struct rtn_log_writer *writer, int64_t flush_ms)
{
    (void) pthread_mutex_lock(&writer->mutex);
    writer->flush_ms = flush_ms;
    (void) pthread_mutex_unlock(&writer->mutex);
}

const char *rtn_log_writer_path(const struct rtn_log_writer *writer)
{
    return writer->path;
}

static uint64_t count_lines(struct rtn_str lines)
{
    uint64_t count = 0;
    const char *end = lines.data + lines.length;
    for (const char *at = lines.data; at < end && (at = memchr(at, '\n', (size_t) (end - at))) != NULL; at++)
        count++;
    return count;
}

bool rtn_log_writer_append(struct rtn_log_writer *writer, struct rtn_str lines)
{
    struct rtn_log_losses losses = { 0 };
    bool wake = false;

    (void) pthread_mutex_lock(&writer->mutex);
    bool room = writer->filling != NULL && lines.length <= writer->capacity - writer->filled - writer->writing;
    if (room) {
        size_t half = writer->capacity / 2;
        memcpy(writer->filling + writer->filled, lines.data, lines.length);
        wake = writer->sleeping || (writer->filled < half && writer->filled + lines.length >= half);
        writer->filled += lines.length;
        writer->sleeping = false;
    } else {
        uint64_t count = count_lines(lines);
        rtn_log_losses_add(&writer->losses, count, -EAGAIN);
        writer->lost += count;
        losses = rtn_log_losses_take(&writer->losses, rtn_clock_ms(), writer->stopping);
    }
    (void) pthread_mutex_unlock(&writer->mutex);
    if (wake)
        (void) pthread_cond_signal(&writer->work);
    rtn_log_losses_tell(&losses, writer->what, writer->path);
    return room;
}

uint64_t rtn_log_writer_lost(struct rtn_log_writer *writer)
{
    (void) pthread_mutex_lock(&writer->mutex);
    uint64_t lost = writer->lost;
    (void) pthread_mutex_unlock(&writer->mutex);
    return lost;
}

void rtn_log_writer_reopen(struct rtn_log_writer *writer)
{
    (void) pthread_mutex_lock(&writer->mutex);
    if (writer->reopen_at == NOWHERE)
        writer->reopen_at = writer->filled;
    if (!writer->stopping)
        atomic_store(&writer->file.give_up_at, rtn_clock_ms() + GIVE_UP_MS);
    (void) pthread_mutex_unlock(&writer->mutex);
    (void) pthread_cond_signal(&writer->work);
}

static void count_losses(struct rtn_log_writer *writer, uint64_t count, int error)
{
    (void) pthread_mutex_lock(&writer->mutex);
    writer->lost += count;
    rtn_log_losses_add(&writer->losses, count, error);
    (void) pthread_mutex_unlock(&writer->mutex);
}

static void write_lines(struct rtn_log_writer *writer, struct rtn_str lines)
{
    size_t written = 0;
    int r = rtn_log_file_write(&writer->file, lines, &written);
    if (r < 0)
        count_losses(writer, count_lines((struct rtn_str){ lines.data + written, lines.length - written }), r);
}

static void reopen(struct rtn_log_writer *writer)
{
    int r = rtn_log_file_reopen(&writer->file, writer->path);
    if (r < 0)
        rtn_log(RTN_LOG_ERROR, "cannot open the %s %s again, the old file stays in use: %s", writer->what, writer->path,
                strerror(-r));
    else
        rtn_log(RTN_LOG_INFO, "the %s %s was opened again", writer->what, writer->path);
}

static void play(struct rtn_log_writer *writer, const struct round *round)
{
    struct rtn_str before = { round->lines.data, RTN_MIN(round->lines.length, round->reopen_at) };
    write_lines(writer, before);
    if (round->reopen_at != NOWHERE)
        reopen(writer);
    write_lines(writer, (struct rtn_str){ before.data + before.length, round->lines.length - before.length });
    rtn_log_losses_tell(&round->losses, writer->what, writer->path);
}

/* With the mutex held. */
static struct round take_round(struct rtn_log_writer *writer)
{
    struct round round = { .lines = { writer->filling, writer->filled },
                           .reopen_at = writer->reopen_at,
                           .losses = rtn_log_losses_take(&writer->losses, rtn_clock_ms(), writer->stopping) };
    writer->writing = writer->filled;
    writer->filled = 0;
    writer->reopen_at = NOWHERE;
    char *swap = writer->filling;
    writer->filling = writer->other;
    writer->other = swap;
    return round;
}

/* With the mutex held. While a reopening waits its turn, its limit stays. */
static void end_round(struct rtn_log_writer *writer, const struct round *round)
{
    writer->writing = 0;
    grow(writer);
    if (round->reopen_at != NOWHERE && writer->reopen_at == NOWHERE && !writer->stopping)
        atomic_store(&writer->file.give_up_at, INT64_MAX);
}

/* With the mutex held: something that is not put off to the end of the flush time. */
static bool is_urgent(const struct rtn_log_writer *writer)
{
    return writer->stopping || writer->reopen_at != NOWHERE || writer->filled >= RTN_MAX(writer->capacity / 2, 1);
}

static void wait_until(struct rtn_log_writer *writer, int64_t now, int64_t when)
{
    struct timespec until = rtn_clock_after(CLOCK_MONOTONIC, when - now);
    (void) pthread_cond_timedwait(&writer->work, &writer->mutex, &until);
}

/* With the mutex held: returns when there is something to do. */
static void wait_for_work(struct rtn_log_writer *writer)
{
    int64_t flush_at = rtn_clock_ms() + writer->flush_ms;
    while (!is_urgent(writer)) {
        int64_t now = rtn_clock_ms();
        if (rtn_log_losses_any(&writer->losses) && now >= writer->losses.tell_at)
            return;
        if (now < flush_at) {
            wait_until(writer, now,
                       rtn_log_losses_any(&writer->losses) ? RTN_MIN(flush_at, writer->losses.tell_at) : flush_at);
        } else if (writer->filled > 0) {
            return;
        } else if (rtn_log_losses_any(&writer->losses)) {
            wait_until(writer, now, writer->losses.tell_at);
        } else {
            writer->sleeping = true;
            (void) pthread_cond_wait(&writer->work, &writer->mutex);
            writer->sleeping = false;
            flush_at = rtn_clock_ms() + writer->flush_ms;
        }
    }
}

static void *run(void *data)
{
    struct rtn_log_writer *writer = data;
    (void) pthread_setname_np(pthread_self(), writer->context.thread);
    rtn_log_set_context(&writer->context);
    (void) pthread_mutex_lock(&writer->mutex);
    while (!writer->stopping || writer->filled > 0 || writer->reopen_at != NOWHERE ||
           rtn_log_losses_any(&writer->losses)) {
        wait_for_work(writer);
        struct round round = take_round(writer);
        (void) pthread_mutex_unlock(&writer->mutex);
        play(writer, &round);
        (void) pthread_mutex_lock(&writer->mutex);
        end_round(writer, &round);
    }
    (void) pthread_mutex_unlock(&writer->mutex);
    (void) sem_post(&writer->ended);
    return NULL;
}

/* Signals are for main. */
static int start_thread(struct rtn_log_writer *writer)
{
    sigset_t all;
    sigset_t before;
    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&writer->thread, NULL, run, writer);
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

int rtn_log_writer_start(struct rtn_log_writer *writer)
{
    if (writer->started)
        return 0;
    free(writer->filling);
    free(writer->other);
    writer->filling = malloc(writer->capacity);
    writer->other = malloc(writer->capacity);
    if (writer->filling == NULL || writer->other == NULL)
        return -ENOMEM;
    int r = start_thread(writer);
    writer->started = r == 0;
    return r;
}

bool rtn_log_writer_stop(struct rtn_log_writer *writer, int64_t ms)
{
    if (!writer->started)
        return true;
    (void) pthread_mutex_lock(&writer->mutex);
    writer->stopping = true;
    atomic_store(&writer->file.give_up_at, rtn_clock_ms() + RTN_MIN(ms / 2, GIVE_UP_MS));
    (void) pthread_mutex_unlock(&writer->mutex);
    (void) pthread_cond_signal(&writer->work);
    struct timespec until = rtn_clock_after(CLOCK_REALTIME, ms); /* the clock of sem_timedwait */
    while (sem_timedwait(&writer->ended, &until) < 0) {
        if (errno != EINTR)
            return false;
    }
    (void) pthread_join(writer->thread, NULL);
    writer->started = false;
    return true;
}

void rtn_log_writer_free(struct rtn_log_writer *writer)
{
    if (writer == NULL)
        return;
    rtn_log_file_close(&writer->file);
    (void) pthread_mutex_destroy(&writer->mutex);
    (void) pthread_cond_destroy(&writer->work);
    (void) sem_destroy(&writer->ended);
    free(writer->filling);
    free(writer->other);
    free(writer->path);
    free(writer);
}
