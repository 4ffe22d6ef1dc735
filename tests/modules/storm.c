/*
 * Threads of the module's own begin timers, watched descriptors, tasks and files at random, and cancel them, from the
 * start hook to the stop hook; callbacks do the same. In the stop hook everything that was begun must have ended, once.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <retinue/module.h>

#define RAGERS 3
#define NUMBERS 64
#define MOST 1000 /* that go on at the same time: a loop that is slower than the ragers would never come to its end */

struct storm {
    rtn_server *server;
    pthread_t ragers[RAGERS];
    atomic_bool calm; /* ragers end */
    _Atomic rtn_number numbers[NUMBERS]; /* of some that were begun */
    atomic_uint turn;
    atomic_int begun;
    atomic_int ended;
    atomic_int refused; /* because the server was at its end */
    atomic_int wrong; /* other results */
    int pipe[2]; /* always readable */
};

static void note(struct storm *storm, int result)
{
    if (result == 0)
        return;
    atomic_fetch_sub(&storm->begun, 1);
    if (result == -ECANCELED)
        atomic_fetch_add(&storm->refused, 1);
    else if (result != -EAGAIN && result != -EEXIST)
        atomic_fetch_add(&storm->wrong, 1);
}

static void keep(struct storm *storm, rtn_number number)
{
    if (number != 0)
        storm->numbers[atomic_fetch_add(&storm->turn, 1) % NUMBERS] = number;
}

static void cancel_one(struct storm *storm, unsigned which)
{
    int r = rtn_cancel(storm->numbers[which % NUMBERS]);
    if (r != 0 && r != -ENOENT)
        atomic_fetch_add(&storm->wrong, 1);
}

static void fire(void *data)
{
    struct storm *storm = data;
    cancel_one(storm, atomic_load(&storm->turn) * 7);
}

static void ready(int fd, unsigned events, void *data)
{
    (void) fd;
    (void) events;
    fire(data);
}

static void on_end(void *data)
{
    atomic_fetch_add(&((struct storm *) data)->ended, 1);
}

static int run(void *data)
{
    fire(data);
    return 0;
}

static void on_done(int result, void *data)
{
    (void) result;
    on_end(data);
}

static void on_bytes(const void *bytes, int64_t result, void *data)
{
    (void) bytes;
    on_done(result < 0 ? -1 : 0, data);
}

static void begin_one(struct storm *storm, unsigned chance)
{
    rtn_number number = 0;
    atomic_fetch_add(&storm->begun, 1);
    switch (chance % 5) {
    case 0:
        note(storm, rtn_timer_start(storm->server, storm, chance % 7, 0, fire, on_end, storm, &number));
        break;
    case 1:
        note(storm, rtn_timer_start(storm->server, storm, chance % 3, 1, fire, on_end, storm, &number));
        break;
    case 2:
        note(storm,
             rtn_watch_start(storm->server, storm, storm->pipe[0], RTN_WATCH_READ, ready, on_end, storm, &number));
        break;
    case 3:
        note(storm, rtn_task(storm->server, storm, run, on_done, storm));
        break;
    default:
        note(storm, rtn_task_file_read(storm->server, storm, storm->pipe[1], 0, 1, on_bytes, storm));
        break;
    }
    keep(storm, number);
}

static void *rage(void *data)
{
    struct storm *storm = data;
    unsigned seed = (unsigned) (uintptr_t) &seed;
    while (!atomic_load(&storm->calm)) {
        unsigned chance = (unsigned) rand_r(&seed);
        if (atomic_load(&storm->begun) - atomic_load(&storm->ended) < MOST)
            begin_one(storm, chance);
        cancel_one(storm, chance / 5);
        cancel_one(storm, chance / 7);
        if (chance % 4 == 0)
            (void) nanosleep(&(struct timespec){ .tv_nsec = 100000 }, NULL);
    }
    return NULL;
}

static int start(void *instance, rtn_server *server)
{
    struct storm *storm = instance;
    storm->server = server;
    if (pipe(storm->pipe) < 0 || write(storm->pipe[1], "x", 1) != 1)
        return -EIO;
    int r = 0;
    for (unsigned i = 0; i < RAGERS && r == 0; i++)
        r = pthread_create(&storm->ragers[i], NULL, rage, storm);
    return -r;
}

static int handle(rtn_request *request, void *instance)
{
    struct storm *storm = instance;
    begin_one(storm, (unsigned) storm->turn);
    cancel_one(storm, (unsigned) storm->turn + 3);
    return rtn_reply_format(request, 200, "begun=%d ended=%d", storm->begun, storm->ended);
}

static void stop(void *instance, rtn_server *server)
{
    (void) server;
    struct storm *storm = instance;
    atomic_store(&storm->calm, true);
    for (unsigned i = 0; i < RAGERS; i++)
        (void) pthread_join(storm->ragers[i], NULL);
    rtn_log(RTN_LOG_NOTICE, "stormed: begun=%d ended=%d refused=%d wrong=%d", storm->begun, storm->ended,
            storm->refused, storm->wrong);
    (void) close(storm->pipe[0]);
    (void) close(storm->pipe[1]);
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "loop", .handle = handle },
    { .name = "serial", .handle = handle, .threads = RTN_THREADS_SERIAL },
    { .name = "parallel", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "storm",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct storm),
    .http = http_handlers,
    .start = start,
    .stop = stop,
};
RTN_REGISTER_MODULE(module)
