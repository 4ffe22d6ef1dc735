/*
 * The doors of the test module ws_probe: commands in the body of a POST, run on the loop, on a worker, or on the thread
 * that each instance has. The reply is what they say.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gate.h"
#include "ws_probe.h"

struct ws_job {
    struct ws_job *next;
    rtn_later later;
    int64_t pause;
    int (*then)(rtn_request *request, void *data);
    char *lines; /* or, of one that resumes, the path of the gate before that */
    size_t length;
};

static void do_job(struct ws_probe *probe, const struct ws_job *job)
{
    struct ws_text out = { 0 };
    struct timespec pause = { .tv_sec = job->pause / 1000, .tv_nsec = job->pause % 1000 * 1000000 };
    (void) nanosleep(&pause, NULL);
    if (job->then != NULL) {
        if (job->length > 0)
            gate_pass(job->lines);
        (void) rtn_resume(job->later, job->then, NULL, NULL);
        return;
    }
    ws_command(probe, 0, (rtn_str){ job->lines, job->length }, &out);
    (void) rtn_later_reply(job->later, 200, "text/plain", out.data, out.length);
    free(out.data);
}

static struct ws_job *take_job(struct ws_probe *probe)
{
    pthread_mutex_lock(&probe->mutex);
    while (probe->jobs == NULL && !probe->ending)
        pthread_cond_wait(&probe->changed, &probe->mutex);
    struct ws_job *job = probe->jobs;
    if (job != NULL)
        probe->jobs = job->next;
    pthread_mutex_unlock(&probe->mutex);
    return job;
}

static void *work(void *data)
{
    struct ws_job *job;
    while ((job = take_job(data)) != NULL) {
        do_job(data, job);
        free(job->lines);
        free(job);
    }
    return NULL;
}

int ws_thread_start(struct ws_probe *probe)
{
    pthread_mutex_init(&probe->mutex, NULL);
    pthread_cond_init(&probe->changed, NULL);
    return -pthread_create(&probe->thread, NULL, work, probe);
}

void ws_thread_stop(struct ws_probe *probe)
{
    pthread_mutex_lock(&probe->mutex);
    probe->ending = true;
    pthread_cond_signal(&probe->changed);
    pthread_mutex_unlock(&probe->mutex);
    pthread_join(probe->thread, NULL);
    pthread_cond_destroy(&probe->changed);
    pthread_mutex_destroy(&probe->mutex);
}

static int add_job(struct ws_probe *probe, struct ws_job *job)
{
    pthread_mutex_lock(&probe->mutex);
    struct ws_job **last = &probe->jobs;
    while (*last != NULL)
        last = &(*last)->next;
    *last = job;
    pthread_cond_signal(&probe->changed);
    pthread_mutex_unlock(&probe->mutex);
    return RTN_LATER;
}

static struct ws_job *job_new(rtn_later later, rtn_str lines)
{
    struct ws_job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return NULL;
    job->later = later;
    job->length = lines.length;
    job->lines = calloc(1, lines.length + 1);
    if (job->lines == NULL) {
        free(job);
        return NULL;
    }
    if (lines.length > 0)
        memcpy(job->lines, lines.data, lines.length);
    return job;
}

int ws_thread_run(struct ws_probe *probe, rtn_later later, rtn_str lines)
{
    struct ws_job *job = job_new(later, lines);
    return job != NULL ? add_job(probe, job) : -ENOMEM;
}

int ws_thread_resume(struct ws_probe *probe, rtn_later later, int64_t pause, rtn_str gate,
                     int (*then)(rtn_request *request, void *data))
{
    struct ws_job *job = job_new(later, gate);
    if (job == NULL)
        return -ENOMEM;
    job->pause = pause;
    job->then = then;
    return add_job(probe, job);
}

static int run_here(rtn_request *request, void *instance)
{
    struct ws_text out = { 0 };
    ws_command(instance, 0, rtn_request_body(request), &out);
    int r = rtn_reply(request, 200, out.data, out.length);
    free(out.data);
    return r;
}

static int run_on_thread(rtn_request *request, void *instance)
{
    return ws_thread_run(instance, rtn_request_later(request, NULL, NULL), rtn_request_body(request));
}

static int plain(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_text(request, 200, "plain\n");
}

const struct rtn_http_handler ws_http_handlers[] = {
    { .name = "do-loop", .handle = run_here },
    { .name = "do-serial", .handle = run_here, .threads = RTN_THREADS_SERIAL },
    { .name = "do-worker", .handle = run_here, .threads = RTN_THREADS_PARALLEL },
    { .name = "do-thread", .handle = run_on_thread },
    { .name = "echo-loop", .handle = plain },
    { .name = "echo-serial", .handle = plain, .threads = RTN_THREADS_SERIAL },
    { .name = "echo-parallel", .handle = plain, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};
