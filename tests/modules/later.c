/*
 * Replies that come later, from a thread of the module's own. What a handler is to wait for is put on a board under
 * a number that the client chooses (?key=5); "fire" has the thread continue the request of that number, also when it
 * has ended long ago. "events-*" subscribe to what "push" sends them. "stats" tells what was called how often.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

#define KEYS 2048

/* What the thread is to do with one request; also the data of its continuation. */
struct job {
    struct job *next;
    rtn_later id;
    char what; /* 'r' reply, 'c' continue, 'e' send an event, 'x' end the events */
    sem_t *done; /* posted when the thread has made the call; may be NULL */
    char text[256];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t come = PTHREAD_COND_INITIALIZER;
static struct job *first; /* guarded by the mutex, as all below */
static struct job **last = &first;
static bool ending;
static rtn_later ids[KEYS];
static unsigned char cancels[KEYS];
static unsigned users; /* instances that have started */
static pthread_t thread;

static atomic_int waiting, continued, cancelled, dropped, twice, missing, pushed, open_streams;

static int64_t number(rtn_request *request, const char *name, int64_t fallback)
{
    rtn_str value = rtn_query_value(request, name, 0);
    int64_t n = 0;
    for (size_t i = 0; i < value.length; i++)
        n = n * 10 + (value.data[i] - '0');
    return value.length > 0 ? n : fallback;
}

static bool says(rtn_request *request, const char *name, const char *wanted)
{
    rtn_str value = rtn_query_value(request, name, 0);
    return value.length == strlen(wanted) && memcmp(value.data, wanted, value.length) == 0;
}

static unsigned key_of(rtn_request *request)
{
    return (unsigned) number(request, "key", 0) % KEYS;
}

/* The thread */

static int continue_request(rtn_request *request, void *data)
{
    struct job *job = data;
    atomic_fetch_add(&continued, 1);
    int r = RTN_LATER;
    if (strcmp(job->text, "fail") == 0)
        r = -EIO;
    else if (strcmp(job->text, "next") == 0)
        r = RTN_NEXT;
    else if (strcmp(job->text, "again") != 0)
        r = rtn_reply_format(request, 200, "continued %s on %s\n", job->text, rtn_thread_name());
    free(job);
    return r;
}

static int send_event(rtn_request *request, void *data)
{
    struct job *job = data;
    int r = rtn_reply_event(request, "news", NULL, job->text);
    atomic_fetch_add(&pushed, r == 0);
    free(job);
    return r < 0 ? r : RTN_LATER;
}

static int end_events(rtn_request *request, void *data)
{
    free(data);
    return rtn_reply_end(request);
}

static void drop_job(void *data)
{
    atomic_fetch_add(&dropped, 1);
    free(data);
}

static void make_call(struct job *job)
{
    sem_t *done = job->done;
    int r = 0;
    if (job->what == 'r') {
        r = rtn_later_reply(job->id, 201, "text/x-later", job->text, strlen(job->text));
        free(job);
    } else {
        r = rtn_resume(job->id,
                       job->what == 'e'   ? send_event
                       : job->what == 'x' ? end_events
                                          : continue_request,
                       drop_job, job);
    }
    if (r == -ENOENT)
        atomic_fetch_add(&missing, 1);
    if (done != NULL)
        (void) sem_post(done);
}

static struct job *wait_for_job(void)
{
    pthread_mutex_lock(&mutex);
    while (first == NULL && !ending)
        pthread_cond_wait(&come, &mutex);
    struct job *job = first;
    if (job != NULL) {
        first = job->next;
        if (first == NULL)
            last = &first;
    }
    pthread_mutex_unlock(&mutex);
    return job;
}

static void *run_thread(void *data)
{
    (void) data;
    (void) pthread_setname_np(pthread_self(), "later-thread");
    rtn_log(RTN_LOG_INFO, "later: the thread of the module runs");
    struct job *job;
    while ((job = wait_for_job()) != NULL)
        make_call(job);
    return NULL;
}

static int give_job(rtn_later id, char what, rtn_str text, sem_t *done)
{
    struct job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return -ENOMEM;
    job->id = id;
    job->what = what;
    job->done = done;
    if (text.length > 0)
        memcpy(job->text, text.data, text.length < sizeof(job->text) ? text.length : sizeof(job->text) - 1);
    pthread_mutex_lock(&mutex);
    *last = job;
    last = &job->next;
    pthread_cond_signal(&come);
    pthread_mutex_unlock(&mutex);
    return 0;
}

/* Handlers that wait */

static void note_cancel(void *data)
{
    size_t key = (size_t) (uintptr_t) data;
    atomic_fetch_add(&cancelled, 1);
    pthread_mutex_lock(&mutex);
    if (cancels[key]++ > 0)
        atomic_fetch_add(&twice, 1);
    pthread_mutex_unlock(&mutex);
}

static rtn_later put_on_board(rtn_request *request)
{
    unsigned key = key_of(request);
    rtn_later id = rtn_request_later(request, note_cancel, (void *) (uintptr_t) key);
    pthread_mutex_lock(&mutex);
    ids[key] = id;
    cancels[key] = 0;
    pthread_mutex_unlock(&mutex);
    atomic_fetch_add(&waiting, 1);
    return id;
}

static int wait_for_fire(rtn_request *request, void *instance)
{
    (void) instance;
    (void) put_on_board(request);
    return RTN_LATER;
}

/* The thread has made its call before this returns. */
static int wait_for_past(rtn_request *request, void *instance)
{
    (void) instance;
    sem_t done;
    (void) sem_init(&done, 0, 0);
    int r = give_job(put_on_board(request), says(request, "by", "reply") ? 'r' : 'c',
                     rtn_query_value(request, "text", 0), &done);
    while (r == 0 && sem_wait(&done) < 0)
        ;
    (void) sem_destroy(&done);
    return r < 0 ? r : RTN_LATER;
}

static int fire(rtn_request *request, void *instance)
{
    (void) instance;
    pthread_mutex_lock(&mutex);
    rtn_later id = ids[key_of(request)];
    pthread_mutex_unlock(&mutex);
    int r = give_job(id, says(request, "by", "reply") ? 'r' : 'c', rtn_query_value(request, "text", 0), NULL);
    return r < 0 ? r : rtn_reply_text(request, 200, "fired\n");
}

/* Ids that were never given. */
static int nothing(rtn_request *request, void *instance)
{
    (void) instance;
    int before = dropped;
    int of_zero = rtn_later_reply(0, 200, NULL, "x", 1);
    struct job *job = calloc(1, sizeof(*job));
    int of_far = rtn_resume((rtn_later) 999 << 48, continue_request, drop_job, job);
    return rtn_reply_format(request, 200, "zero=%d far=%d dropped=%d\n", of_zero, of_far, dropped - before);
}

/* Nothing will ever continue it. */
static int unarmed(rtn_request *request, void *instance)
{
    (void) request;
    (void) instance;
    return RTN_LATER;
}

static int move(rtn_request *request, void *instance)
{
    (void) instance;
    if (!rtn_may_block())
        return RTN_WORKER;
    return rtn_reply_format(request, 200, "moved to %s\n", rtn_thread_name());
}

/* Events */

static int refuse_lines(rtn_request *request)
{
    int of_name = rtn_reply_event(request, "a\ndata: b", NULL, "x");
    int of_id = rtn_reply_event(request, NULL, "1\r2", "x");
    char text[64] = "";
    if (of_name == -EINVAL && of_id == -EINVAL)
        (void) strcpy(text, "both refused");
    return rtn_reply_event(request, NULL, NULL, text);
}

/* One of each kind. */
static int framing(rtn_request *request, void *instance)
{
    (void) instance;
    int r = rtn_reply_events(request);
    if (r == 0)
        r = rtn_reply_event(request, NULL, NULL, "one");
    if (r == 0)
        r = rtn_reply_event(request, "named", "7", "a\nb\r\nc\rd");
    if (r == 0)
        r = rtn_reply_event(request, NULL, NULL, NULL);
    if (r == 0)
        r = rtn_reply_event(request, "empty", NULL, "");
    if (r == 0)
        r = rtn_reply_event(request, "bare", NULL, NULL);
    if (r == 0)
        r = refuse_lines(request);
    return r < 0 ? r : rtn_reply_end(request);
}

static void close_stream(void *data)
{
    (void) data;
    atomic_fetch_sub(&open_streams, 1);
}

static int subscribe(rtn_request *request, void *instance)
{
    (void) instance;
    (void) put_on_board(request);
    rtn_request_set_data(request, &open_streams, close_stream);
    atomic_fetch_add(&open_streams, 1);
    int r = rtn_reply_events(request);
    return r < 0 ? r : RTN_LATER;
}

/* To everybody with a key below `below`. */
static int push(rtn_request *request, void *instance)
{
    (void) instance;
    int64_t below = number(request, "below", 1);
    int r = 0;
    for (int64_t key = 0; key < below && r == 0; key++) {
        pthread_mutex_lock(&mutex);
        rtn_later id = ids[key];
        pthread_mutex_unlock(&mutex);
        r = give_job(id, says(request, "end", "yes") ? 'x' : 'e', rtn_query_value(request, "text", 0), NULL);
    }
    return r < 0 ? r : rtn_reply_text(request, 200, "pushed\n");
}

static int stats(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_format(
        request, 200, "waiting=%d continued=%d cancelled=%d dropped=%d twice=%d missing=%d pushed=%d streams=%d\n",
        waiting, continued, cancelled, dropped, twice, missing, pushed, open_streams);
}

/* The thread is that of the whole module: made by its first instance, joined by its last. */

static int start(void *instance, rtn_server *server)
{
    (void) instance;
    (void) server;
    if (users++ > 0)
        return 0;
    ending = false;
    return -pthread_create(&thread, NULL, run_thread, NULL);
}

static void stop(void *instance, rtn_server *server)
{
    (void) instance;
    (void) server;
    if (--users > 0)
        return;
    pthread_mutex_lock(&mutex);
    ending = true;
    pthread_cond_broadcast(&come);
    pthread_mutex_unlock(&mutex);
    (void) pthread_join(thread, NULL);
    rtn_log(RTN_LOG_NOTICE, "later stopped: waiting=%d cancelled=%d twice=%d streams=%d", waiting, cancelled, twice,
            open_streams);
}

#define ON_EACH(name_, handle_)                                                          \
    { .name = name_ "-loop", .handle = (handle_) },                                      \
        { .name = name_ "-serial", .handle = (handle_), .threads = RTN_THREADS_SERIAL }, \
    {                                                                                    \
        .name = name_ "-parallel", .handle = (handle_), .threads = RTN_THREADS_PARALLEL  \
    }

static const struct rtn_http_handler http_handlers[] = {
    ON_EACH("wait", wait_for_fire),       ON_EACH("past", wait_for_past),
    ON_EACH("unarmed", unarmed),          ON_EACH("framing", framing),
    ON_EACH("events", subscribe),         { .name = "move", .handle = move, .worker = true },
    { .name = "stay", .handle = move },   { .name = "fire", .handle = fire },
    { .name = "push", .handle = push },   { .name = "nothing", .handle = nothing },
    { .name = "stats", .handle = stats }, { 0 },
};

static const struct rtn_module module = {
    .name = "later",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
    .start = start,
    .stop = stop,
};
RTN_REGISTER_MODULE(module)
