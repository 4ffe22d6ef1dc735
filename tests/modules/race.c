/*
 * Requests that four threads continue at random: by a continuation or a whole reply, some twice, some after their end.
 * Counts that every request ended once and that nothing that was to be called was lost; the log tells at the end.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <retinue/module.h>

#define RACERS 4
#define PLACES 64

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static rtn_later places[PLACES]; /* guarded by the mutex, as the next two */
static unsigned turn;
static bool ending;
static pthread_t racers[RACERS];
static unsigned running; /* instances between start and quiesce; one thread calls these */
static unsigned started;
static atomic_int asked, ended, cancelled, finished, resumed, dropped;

static void count(void *data)
{
    atomic_fetch_add((atomic_int *) data, 1);
}

static int race(rtn_request *request, void *instance)
{
    (void) instance;
    rtn_later id = rtn_request_later(request, count, &cancelled);
    rtn_request_set_data(request, &ended, count);
    atomic_fetch_add(&asked, 1);
    pthread_mutex_lock(&mutex);
    places[turn++ % PLACES] = id;
    pthread_mutex_unlock(&mutex);
    return RTN_LATER;
}

static int finish(rtn_request *request, void *data)
{
    (void) data;
    atomic_fetch_add(&finished, 1);
    return rtn_reply_text(request, 200, "raced\n");
}

static bool pick(unsigned *seed, rtn_later *ret)
{
    pthread_mutex_lock(&mutex);
    bool go_on = !ending;
    *ret = places[(unsigned) rand_r(seed) % PLACES];
    pthread_mutex_unlock(&mutex);
    return go_on;
}

static void *run(void *data)
{
    unsigned seed = (unsigned) (uintptr_t) data;
    rtn_later id;
    while (pick(&seed, &id)) {
        if (id != 0 && rand_r(&seed) % 2 == 0) {
            (void) rtn_later_reply(id, 200, NULL, "raced\n", 6);
        } else if (id != 0) {
            atomic_fetch_add(&resumed, 1);
            (void) rtn_resume(id, finish, count, &dropped);
        }
        (void) nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
    }
    return NULL;
}

static int start(void *instance, rtn_server *server)
{
    (void) instance;
    (void) server;
    started++;
    if (running++ > 0)
        return 0;
    int r = 0;
    for (uintptr_t i = 0; i < RACERS && r == 0; i++)
        r = pthread_create(&racers[i], NULL, run, (void *) (i + 1));
    return -r;
}

/* What the threads have sent on its way is delivered until `stop`. */
static void quiesce(void *instance, rtn_server *server)
{
    (void) instance;
    (void) server;
    if (--running > 0)
        return;
    pthread_mutex_lock(&mutex);
    ending = true;
    pthread_mutex_unlock(&mutex);
    for (unsigned i = 0; i < RACERS; i++)
        (void) pthread_join(racers[i], NULL);
}

static void stop(void *instance, rtn_server *server)
{
    (void) instance;
    (void) server;
    if (--started == 0)
        rtn_log(RTN_LOG_NOTICE, "raced: asked=%d ended=%d cancelled=%d finished=%d resumed=%d dropped=%d", asked, ended,
                cancelled, finished, resumed, dropped);
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "race-loop", .handle = race },
    { .name = "race-serial", .handle = race, .threads = RTN_THREADS_SERIAL },
    { .name = "race-parallel", .handle = race, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "race",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
    .start = start,
    .quiesce = quiesce,
    .stop = stop,
};
RTN_REGISTER_MODULE(module)
