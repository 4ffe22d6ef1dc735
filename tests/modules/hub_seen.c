/* What the test module hub_probe has seen, its kept messages and its threads: one mutex guards them all. */
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub_probe.h"

#define MOST_KEPT 64

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct {
    char *data;
    size_t length;
    size_t capacity;
} seen;
static struct {
    rtn_message *message;
    const struct hub_note *note;
} kept[MOST_KEPT];
static size_t kept_count;
static unsigned threads;
static pthread_t ended; /* the last of them that has ended, if any */
static bool has_ended;

static void add(const char *line, size_t length)
{
    if (seen.length + length + 1 > seen.capacity) {
        seen.capacity = 2 * (seen.capacity + length + 1);
        seen.data = realloc(seen.data, seen.capacity);
        if (seen.data == NULL)
            abort();
    }
    memcpy(seen.data + seen.length, line, length);
    seen.data[seen.length + length] = '\n';
    seen.length += length + 1;
}

void hub_saw(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    (void) vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    rtn_log(RTN_LOG_DEBUG, "hub probe saw: %s", line);
    pthread_mutex_lock(&mutex);
    add(line, strlen(line));
    pthread_mutex_unlock(&mutex);
}

int hub_tell(rtn_request *request, void *instance)
{
    (void) instance;
    pthread_mutex_lock(&mutex);
    int r = rtn_reply(request, 200, seen.data, seen.length);
    pthread_mutex_unlock(&mutex);
    return r;
}

void hub_forget(void)
{
    pthread_mutex_lock(&mutex);
    free(seen.data);
    memset(&seen, 0, sizeof(seen));
    pthread_mutex_unlock(&mutex);
}

void hub_keep(rtn_message *message, const struct hub_note *note)
{
    pthread_mutex_lock(&mutex);
    if (kept_count < MOST_KEPT) {
        rtn_message_keep(message);
        kept[kept_count].message = message;
        kept[kept_count].note = note;
        kept_count++;
    }
    pthread_mutex_unlock(&mutex);
}

int hub_release_all(void)
{
    pthread_mutex_lock(&mutex);
    size_t count = kept_count;
    kept_count = 0;
    pthread_mutex_unlock(&mutex);
    for (size_t i = 0; i < count; i++) {
        hub_saw("kept tag=%lld number=%lld from=%s", (long long) kept[i].note->tag, (long long) kept[i].note->number,
                rtn_message_sender(kept[i].message));
        rtn_message_release(kept[i].message);
    }
    return (int) count;
}

struct start {
    void *(*run)(void *data);
    void *data;
};

/*
 * Each thread waits at its end for the one that ended before it, and the end of the module for the last: then none of
 * them runs code of ours any more.
 */
static void join_before(bool ends)
{
    pthread_mutex_lock(&mutex);
    bool any = has_ended;
    pthread_t before = ended;
    has_ended = ends;
    ended = pthread_self();
    threads -= ends ? 1 : 0;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    if (any)
        pthread_join(before, NULL);
}

static void *run_start(void *data)
{
    struct start start = *(struct start *) data;
    free(data);
    (void) start.run(start.data);
    join_before(true);
    return NULL;
}

int hub_thread(void *(*run)(void *data), void *data)
{
    pthread_t thread;
    struct start *start = malloc(sizeof(*start));
    if (start == NULL)
        return -ENOMEM;
    *start = (struct start){ run, data };
    pthread_mutex_lock(&mutex);
    int r = -pthread_create(&thread, NULL, run_start, start);
    threads += r == 0 ? 1 : 0;
    pthread_mutex_unlock(&mutex);
    if (r < 0)
        free(start);
    return r;
}

void hub_threads_end(void)
{
    pthread_mutex_lock(&mutex);
    while (threads > 0)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    join_before(false);
}
