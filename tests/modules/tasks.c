/*
 * Timers, watched descriptors, tasks and files, begun by handlers of every thread model, or for them by a thread of the
 * module's own, and kept under a key: "begin-*" begins one, "ask-*" answers with how it went, "look" tells what came of
 * it so far, "cancel" ends it, "poke" makes its descriptor readable. Option "early" begins a timer in the start hook;
 * "fail" makes that fail afterwards. What is left when the server stops is told in the log.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <retinue/module.h>

#define KEYS 64
#define PATH_MOST 200

struct tasks {
    const char *path;
    bool early;
    bool fail;
    atomic_int inside; /* callbacks that run now */
};

struct thing {
    struct tasks *owner;
    rtn_number number;
    int64_t takes; /* ms of each call */
    rtn_later later; /* 0: nobody waits for an answer */
    int64_t result; /* guarded by the mutex, as the names of threads */
    int limit; /* ends itself in that call; 0: never */
    int returns; /* of a task */
    atomic_int calls;
    atomic_int ends;
    atomic_int late; /* calls after the end */
    atomic_int overlaps;
    atomic_int wrong; /* the number was not there yet, or the cancel in its own call did not go well */
    int fds[2]; /* the first is watched */
    bool opens; /* the gate, in its end */
    char thread[32]; /* of the last callback */
    char run_thread[32];
    char gate[PATH_MOST]; /* a file that a task waits for */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct thing things[KEYS];
static struct thing early_thing;
static atomic_int begun; /* timers and watches */
static atomic_int ended;
static atomic_int given; /* tasks and files */
static atomic_int done;
static atomic_int cancelled;
static atomic_int late;
static atomic_int instances; /* started, not stopped */

/* Queries */

static int64_t number_of(rtn_request *request, const char *name, int64_t fallback)
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

static struct thing *thing_of(rtn_request *request)
{
    return &things[number_of(request, "key", 0) % KEYS];
}

static void pause_ms(int64_t ms)
{
    if (ms > 0)
        (void) nanosleep(&(struct timespec){ ms / 1000, (long) (ms % 1000 * 1000000) }, NULL);
}

/* Callbacks */

static void enter(struct thing *thing)
{
    if (atomic_fetch_add(&thing->owner->inside, 1) > 0)
        atomic_fetch_add(&thing->overlaps, 1);
    if (atomic_load(&thing->ends) > 0) {
        atomic_fetch_add(&thing->late, 1);
        atomic_fetch_add(&late, 1);
    }
    pthread_mutex_lock(&mutex);
    (void) snprintf(thing->thread, sizeof(thing->thread), "%s", rtn_thread_name());
    pthread_mutex_unlock(&mutex);
}

static void leave(struct thing *thing)
{
    atomic_fetch_sub(&thing->owner->inside, 1);
}

static void take_a_call(struct thing *thing)
{
    enter(thing);
    int calls = atomic_fetch_add(&thing->calls, 1) + 1;
    bool good = thing->number != 0;
    if (thing->limit > 0 && calls == thing->limit)
        good = rtn_cancel(thing->number) == 0 && good;
    if (!good)
        atomic_fetch_add(&thing->wrong, 1);
    pause_ms(thing->takes);
    leave(thing);
}

static void answer(struct thing *thing, const char *text)
{
    if (thing->later != 0)
        (void) rtn_later_reply(thing->later, 200, "text/plain", text, strlen(text));
}

static void fire(void *data)
{
    struct thing *thing = data;
    take_a_call(thing);
    answer(thing, "fired");
}

static void ready(int fd, unsigned events, void *data)
{
    struct thing *thing = data;
    char byte;
    if (fd != thing->fds[0] || events != RTN_WATCH_READ || read(fd, &byte, 1) < 0)
        atomic_fetch_add(&thing->wrong, 1);
    take_a_call(thing);
}

static void on_end(void *data)
{
    struct thing *thing = data;
    enter(thing);
    atomic_fetch_add(&thing->ends, 1);
    atomic_fetch_add(&ended, 1);
    if (thing->opens)
        (void) close(open(thing->gate, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    for (int i = 0; i < 2 && thing->fds[i] > 0; i++)
        (void) close(thing->fds[i]);
    thing->fds[0] = thing->fds[1] = 0;
    leave(thing);
}

static int run(void *data)
{
    struct thing *thing = data;
    pthread_mutex_lock(&mutex);
    (void) snprintf(thing->run_thread, sizeof(thing->run_thread), "%s", rtn_thread_name());
    pthread_mutex_unlock(&mutex);
    atomic_fetch_add(&thing->calls, 1);
    while (thing->gate[0] != '\0' && access(thing->gate, F_OK) < 0)
        pause_ms(1);
    return rtn_may_block() ? thing->returns : -1;
}

static void finish(struct thing *thing, int64_t result, const char *bytes)
{
    char text[160];
    enter(thing);
    pthread_mutex_lock(&mutex);
    thing->result = result;
    (void) snprintf(text, sizeof(text), "result=%lld bytes=[%.*s] run=%s done=%s", (long long) result,
                    bytes != NULL && result > 0 ? (int) result : 0, bytes != NULL ? bytes : "", thing->run_thread,
                    thing->thread);
    pthread_mutex_unlock(&mutex);
    atomic_fetch_add(&done, 1);
    if (result == -ECANCELED)
        atomic_fetch_add(&cancelled, 1);
    leave(thing);
    atomic_fetch_add(&thing->ends, 1);
    answer(thing, text);
}

static void on_done(int result, void *data)
{
    finish(data, result, NULL);
}

static void on_bytes(const void *bytes, int64_t result, void *data)
{
    finish(data, result, bytes);
}

/* Beginning */

struct order {
    char what; /* t imer, w atch, r un, f orgotten run, i nput, o utput */
    rtn_server *server;
    struct thing *thing;
    int64_t after;
    int64_t every;
    int64_t offset;
    int64_t length;
    rtn_str body;
    int result;
    sem_t carried_out;
};

static int begin_timer(const struct order *order)
{
    struct thing *thing = order->thing;
    return rtn_timer_start(order->server, thing->owner, order->after, order->every, fire, on_end, thing,
                           &thing->number);
}

static int begin_watch(const struct order *order)
{
    struct thing *thing = order->thing;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, thing->fds) < 0)
        return -errno;
    return rtn_watch_start(order->server, thing->owner, thing->fds[0], RTN_WATCH_READ, ready, on_end, thing,
                           &thing->number);
}

static int begin_file(const struct order *order)
{
    const struct tasks *owner = order->thing->owner;
    bool reads = order->what == 'i';
    int fd = open(owner->path, (reads ? O_RDONLY : O_WRONLY | O_CREAT) | O_CLOEXEC, 0600);
    int r = reads ? rtn_task_file_read(order->server, order->thing->owner, fd, order->offset, (size_t) order->length,
                                       on_bytes, order->thing)
                  : rtn_task_file_write(order->server, order->thing->owner, fd, order->offset, order->body.data,
                                        order->body.length, on_bytes, order->thing);
    if (fd >= 0)
        (void) close(fd);
    return r;
}

/* Counted before, since the end may come first. */
static void carry_out(struct order *order)
{
    struct thing *thing = order->thing;
    atomic_int *count = order->what == 't' || order->what == 'w' ? &begun : &given;
    atomic_fetch_add(count, order->what != 'f');
    if (order->what == 't')
        order->result = begin_timer(order);
    else if (order->what == 'w')
        order->result = begin_watch(order);
    else if (order->what == 'r' || order->what == 'f')
        order->result = rtn_task(order->server, thing->owner, run, order->what == 'r' ? on_done : NULL, thing);
    else
        order->result = begin_file(order);
    if (order->result < 0)
        atomic_fetch_sub(count, order->what != 'f');
}

/* The thread of the module: carries out one order at a time. */

static pthread_t thread;
static sem_t order_given;
static pthread_mutex_t ordering = PTHREAD_MUTEX_INITIALIZER; /* whoever has it may give an order */
static struct order *given_order; /* NULL: the thread ends */

static void *run_thread(void *data)
{
    (void) data;
    for (;;) {
        while (sem_wait(&order_given) < 0)
            ;
        if (given_order == NULL)
            return NULL;
        carry_out(given_order);
        sem_post(&given_order->carried_out);
    }
}

static void have_carried_out(struct order *order, bool by_thread)
{
    if (!by_thread) {
        carry_out(order);
        return;
    }
    (void) sem_init(&order->carried_out, 0, 0);
    pthread_mutex_lock(&ordering);
    given_order = order;
    sem_post(&order_given);
    while (sem_wait(&order->carried_out) < 0)
        ;
    given_order = NULL;
    pthread_mutex_unlock(&ordering);
    (void) sem_destroy(&order->carried_out);
}

static void set_thing(struct thing *thing, rtn_request *request, struct tasks *owner)
{
    *thing = (struct thing){ .owner = owner,
                             .limit = (int) number_of(request, "limit", 0),
                             .takes = number_of(request, "takes", 0),
                             .returns = (int) number_of(request, "returns", 0),
                             .opens = says(request, "opens", "yes") };
    rtn_str gate = rtn_query_value(request, "gate", 0);
    if (gate.length > 0 && gate.length < PATH_MOST)
        memcpy(thing->gate, gate.data, gate.length);
}

static int begin_for(rtn_request *request, struct thing *thing)
{
    rtn_str what = rtn_query_value(request, "what", 0);
    struct order order = { .what = what.length > 0 ? what.data[0] : 't',
                           .server = rtn_request_server(request),
                           .thing = thing,
                           .after = number_of(request, "after", 0),
                           .every = number_of(request, "every", 0),
                           .offset = number_of(request, "offset", 0),
                           .length = number_of(request, "length", 100),
                           .body = rtn_request_body(request) };
    have_carried_out(&order, says(request, "by", "thread"));
    return order.result;
}

/* Handlers */

static int begin(rtn_request *request, void *instance)
{
    struct thing *thing = thing_of(request);
    set_thing(thing, request, instance);
    return rtn_reply_format(request, 200, "result=%d", begin_for(request, thing));
}

static int ask(rtn_request *request, void *instance)
{
    struct thing *thing = thing_of(request);
    set_thing(thing, request, instance);
    thing->later = rtn_request_later(request, NULL, NULL);
    int r = begin_for(request, thing);
    return r < 0 ? rtn_reply_format(request, 200, "refused=%d", r) : RTN_LATER;
}

static int look(rtn_request *request, void *instance)
{
    (void) instance;
    struct thing *thing = thing_of(request);
    pthread_mutex_lock(&mutex);
    int r = rtn_reply_format(request, 200, "calls=%d ends=%d late=%d overlaps=%d wrong=%d result=%lld thread=%s",
                             thing->calls, thing->ends, thing->late, thing->overlaps, thing->wrong,
                             (long long) thing->result, thing->thread);
    pthread_mutex_unlock(&mutex);
    return r;
}

static int cancel(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_format(request, 200, "result=%d", rtn_cancel(thing_of(request)->number));
}

static int poke(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_format(request, 200, "written=%d", (int) write(thing_of(request)->fds[1], "x", 1));
}

static void never(void *data)
{
    (void) data;
}

static void never_ready(int fd, unsigned events, void *data)
{
    (void) fd;
    (void) events;
    (void) data;
}

/* What is wrong with each call. */
static int errors(rtn_request *request, void *instance)
{
    const struct tasks *tasks = instance;
    rtn_server *server = rtn_request_server(request);
    int fds[2];
    int file = open(tasks->path, O_RDONLY | O_CLOEXEC);
    rtn_number number = 0;
    rtn_number second = 77;
    if (file < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        return -EIO;
    int results[] = {
        rtn_task(server, server, run, on_done, NULL),
        rtn_task(NULL, instance, run, on_done, NULL),
        rtn_task(server, instance, NULL, on_done, NULL),
        rtn_timer_start(server, &number, 1, 0, never, never, NULL, NULL),
        rtn_timer_start(server, instance, 1, 0, NULL, never, NULL, NULL),
        rtn_timer_start(server, instance, -1, 0, never, never, NULL, NULL),
        rtn_timer_start(server, instance, 0, -1, never, never, NULL, NULL),
        rtn_watch_start(server, instance, fds[0], 0, never_ready, NULL, NULL, NULL),
        rtn_watch_start(server, instance, fds[0], 4, never_ready, NULL, NULL, NULL),
        rtn_watch_start(server, instance, fds[0], RTN_WATCH_READ, NULL, NULL, NULL, NULL),
        rtn_watch_start(server, instance, -1, RTN_WATCH_READ, never_ready, NULL, NULL, NULL),
        rtn_watch_start(server, instance, file, RTN_WATCH_READ, never_ready, NULL, NULL, NULL),
        rtn_watch_start(server, instance, fds[0], RTN_WATCH_READ, never_ready, NULL, NULL, &number),
        rtn_watch_start(server, instance, fds[0], RTN_WATCH_READ, never_ready, NULL, NULL, &second),
        rtn_cancel(number),
        rtn_cancel(0),
        rtn_cancel(UINT64_MAX),
        rtn_task_file_read(server, instance, -1, 0, 1, on_bytes, NULL),
        rtn_task_file_read(server, instance, file, 0, 1, NULL, NULL),
        rtn_task_file_write(server, &number, file, 0, "x", 1, on_bytes, NULL),
        second == 77 ? 0 : -1,
    };
    char text[256] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
        length += (size_t) snprintf(text + length, sizeof(text) - length, "%d ", results[i]);
    (void) close(file);
    return rtn_reply_text(request, 200, text);
}

/* Hooks */

static int start(void *instance, rtn_server *server)
{
    struct tasks *tasks = instance;
    if (atomic_fetch_add(&instances, 1) == 0) {
        (void) sem_init(&order_given, 0, 0);
        int r = pthread_create(&thread, NULL, run_thread, NULL);
        if (r != 0)
            return -r;
    }
    if (!tasks->early)
        return 0;
    struct order order = { .what = 't', .server = server, .thing = &early_thing, .every = 1 };
    early_thing.owner = instance;
    carry_out(&order);
    struct order task = { .what = 'r', .server = server, .thing = &things[0] };
    things[0].owner = instance;
    carry_out(&task);
    return order.result < 0 ? order.result : task.result;
}

static int start_and_fail(void *instance, rtn_server *server)
{
    if (((const struct tasks *) instance)->fail)
        return -EPROTO;
    return start(instance, server);
}

static void tell_the_end(void *instance, rtn_server *server)
{
    char byte;
    int fds[2];
    int task = rtn_task(server, instance, run, NULL, NULL);
    int timer = rtn_timer_start(server, instance, 0, 0, never, never, NULL, NULL);
    int file = rtn_task_file_read(server, instance, 0, 0, sizeof(byte), on_bytes, NULL);
    int watch = pipe2(fds, O_CLOEXEC) < 0
                    ? 0
                    : rtn_watch_start(server, instance, fds[0], RTN_WATCH_READ, never_ready, NULL, NULL, NULL);
    rtn_log(RTN_LOG_NOTICE,
            "tasks stopped: begun=%d ended=%d given=%d done=%d cancelled=%d late=%d task=%d timer=%d file=%d watch=%d",
            begun, ended, given, done, cancelled, late, task, timer, file, watch);
    (void) close(fds[0]);
    (void) close(fds[1]);
}

static void stop(void *instance, rtn_server *server)
{
    tell_the_end(instance, server);
    if (atomic_fetch_sub(&instances, 1) > 1)
        return;
    given_order = NULL;
    sem_post(&order_given);
    (void) pthread_join(thread, NULL);
    (void) sem_destroy(&order_given);
}

#define ON_EACH(name_, handle_)                                                          \
    { .name = name_ "-loop", .handle = (handle_) },                                      \
        { .name = name_ "-serial", .handle = (handle_), .threads = RTN_THREADS_SERIAL }, \
    {                                                                                    \
        .name = name_ "-parallel", .handle = (handle_), .threads = RTN_THREADS_PARALLEL  \
    }

static const struct rtn_http_handler http_handlers[] = {
    ON_EACH("begin", begin),
    ON_EACH("ask", ask),
    ON_EACH("cancel", cancel),
    ON_EACH("errors", errors),
    { .name = "look", .handle = look },
    { .name = "poke", .handle = poke },
    { 0 },
};

static const struct rtn_option options[] = {
    RTN_OPTION(PATH, struct tasks, path, .name = "path"),
    RTN_OPTION(BOOL, struct tasks, early, .name = "early"),
    RTN_OPTION(BOOL, struct tasks, fail, .name = "fail"),
    { 0 },
};

static const struct rtn_module module = {
    .name = "tasks",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct tasks),
    .options = options,
    .http = http_handlers,
    .start = start_and_fail,
    .stop = stop,
};
RTN_REGISTER_MODULE(module)
