/*
 * Everybody sends to everybody and asks everybody, from loops, timers, tasks, handlers, requests and threads of the
 * module, until it stops. Every message and every question has a number; when the last instance is unloaded, the log
 * gets what was taken, handled, answered and released, and what happened twice.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <retinue/module.h>

#define KINDS 4
#define THREADS 2 /* of each instance in `modules` */
#define MOST_TRIPS (1u << 22)
#define MOST_LATE 256

struct stress {
    int64_t number;
    uint32_t seed;
};

struct stress_reply {
    int64_t number;
};

RTN_QUESTION(stress_a, struct stress, struct stress_reply)
RTN_QUESTION(stress_b, struct stress, struct stress_reply)
RTN_QUESTION(stress_c, struct stress, struct stress_reply)
RTN_QUESTION(stress_web, struct stress, struct stress_reply)

static const struct {
    const char *name;
    int (*send)(const struct stress *payload);
    int (*move)(const struct stress *payload, void (*release)(void *data), void *data);
    int (*ask)(rtn_server *server, void *instance, const struct stress *payload, int64_t timeout,
               void (*then)(int result, const struct stress_reply *reply, void *data), void *data);
    int (*ask_for)(rtn_request *request, const struct stress *payload, int64_t timeout,
                   int (*then)(rtn_request *request, int result, const struct stress_reply *reply, void *data),
                   void (*drop)(void *data), void *data);
    int (*answer)(rtn_number asked, const struct stress_reply *reply);
} kinds[KINDS] = {
    { "a", rtn_send_stress_a, rtn_move_stress_a, rtn_ask_stress_a, rtn_ask_stress_a_for, rtn_answer_stress_a },
    { "b", rtn_send_stress_b, rtn_move_stress_b, rtn_ask_stress_b, rtn_ask_stress_b_for, rtn_answer_stress_b },
    { "c", rtn_send_stress_c, rtn_move_stress_c, rtn_ask_stress_c, rtn_ask_stress_c_for, rtn_answer_stress_c },
    { "web", rtn_send_stress_web, rtn_move_stress_web, rtn_ask_stress_web, rtn_ask_stress_web_for,
      rtn_answer_stress_web },
};

static atomic_uint taken[KINDS];
static atomic_uint refused[KINDS];
static atomic_uint handled[KINDS];
static atomic_uint moved;
static atomic_uint released;
static atomic_uint asked; /* and taken */
static atomic_uint told;
static atomic_uint twice;
static atomic_uint wrong; /* results that nothing explains */
static atomic_uint trips;
static _Atomic unsigned char told_trips[MOST_TRIPS];
static atomic_int instances;

struct stress_instance {
    rtn_server *server;
    pthread_t threads[THREADS];
    unsigned thread_count;
    atomic_bool ending;
    atomic_uint tasks; /* begun and not done */
};

/* Questions that are answered later, by whoever comes by. */
static pthread_mutex_t late_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
    rtn_message *message;
    const struct stress *payload;
    unsigned kind;
} late[MOST_LATE];
static unsigned late_count;

static _Thread_local uint32_t state;

static uint32_t chance(uint32_t of)
{
    if (state == 0)
        state = (uint32_t) (uintptr_t) &state * 2654435761u | 1u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state % of;
}

static void count_result(unsigned kind, int r)
{
    if (r == 0)
        atomic_fetch_add(&taken[kind], 1);
    else if (r == -EAGAIN)
        atomic_fetch_add(&refused[kind], 1);
    else if (r != -ECANCELED)
        atomic_fetch_add(&wrong, 1);
}

static void on_release(void *data)
{
    atomic_fetch_add(&released, 1);
    free(data);
}

static void move(unsigned kind)
{
    struct stress *payload = calloc(1, sizeof(*payload));
    if (payload == NULL)
        abort();
    atomic_fetch_add(&moved, 1);
    count_result(kind, kinds[kind].move(payload, on_release, payload));
}

/* then() was called for that trip. */
static void tell(unsigned trip, int result)
{
    atomic_fetch_add(&told, 1);
    if (atomic_exchange(&told_trips[trip], 1) != 0)
        atomic_fetch_add(&twice, 1);
    if (result != 0 && result != -ETIMEDOUT && result != -ENODATA && result != -ECANCELED && result != -EIO)
        atomic_fetch_add(&wrong, 1);
}

static void then(int result, const struct stress_reply *reply, void *data)
{
    unsigned trip = (unsigned) (uintptr_t) data;
    tell(trip, result);
    if (result == 0 && reply->number != trip)
        atomic_fetch_add(&wrong, 1);
}

static bool take_trip(unsigned *trip)
{
    *trip = atomic_fetch_add(&trips, 1);
    return *trip < MOST_TRIPS;
}

static void ask(struct stress_instance *self, unsigned kind)
{
    unsigned trip;
    if (!take_trip(&trip))
        return;
    const struct stress payload = { .number = trip, .seed = chance(1000) };
    int r = kinds[kind].ask(self->server, self, &payload, 1 + chance(200), then, (void *) (uintptr_t) trip);
    count_result(kind, r);
    atomic_fetch_add(&asked, r == 0 ? 1 : 0);
}

static void answer_late(void)
{
    pthread_mutex_lock(&late_mutex);
    unsigned index = late_count > 0 ? --late_count : MOST_LATE;
    rtn_message *message = index < MOST_LATE ? late[index].message : NULL;
    unsigned kind = message != NULL ? late[index].kind : 0;
    const struct stress *payload = message != NULL ? late[index].payload : NULL;
    pthread_mutex_unlock(&late_mutex);
    if (message == NULL)
        return;
    const struct stress_reply reply = { payload->number };
    (void) kinds[kind].answer(rtn_message_asked(message), &reply);
    rtn_message_release(message);
}

/* One of all the things that may be done on any thread. */
static void act(struct stress_instance *self)
{
    unsigned kind = chance(KINDS);
    switch (chance(5)) {
    case 0:
        answer_late();
        break;
    case 1:
        move(kind);
        break;
    case 2:
    case 3:
        ask(self, kind);
        break;
    default:
        count_result(kind, kinds[kind].send(&(const struct stress){ 0 }));
        break;
    }
}

static int keep_late(rtn_message *message, const struct stress *payload, unsigned kind)
{
    pthread_mutex_lock(&late_mutex);
    bool fits = late_count < MOST_LATE;
    if (fits) {
        rtn_message_keep(message);
        late[late_count].message = message;
        late[late_count].payload = payload;
        late[late_count++].kind = kind;
    }
    pthread_mutex_unlock(&late_mutex);
    return fits ? RTN_LATER : RTN_DONE;
}

static int take(rtn_message *message, const struct stress *payload, struct stress_instance *self, unsigned kind)
{
    const struct stress_reply reply = { payload->number };
    atomic_fetch_add(&handled[kind], 1);
    if (chance(4) == 0)
        act(self);
    switch (rtn_message_asked(message) != 0 ? payload->seed % 8 : 0) {
    case 0:
    case 1:
        return RTN_DONE;
    case 2:
    case 3:
        return keep_late(message, payload, kind);
    case 4:
        (void) kinds[kind].answer(rtn_message_asked(message), &reply);
        (void) kinds[kind].answer(rtn_message_asked(message), &reply);
        return RTN_DONE;
    case 5:
        return payload->seed % 100 == 5 ? RTN_LATER : rtn_answer_error(rtn_message_asked(message), -EIO);
    default: {
        int r = kinds[kind].answer(rtn_message_asked(message), &reply);
        return r == -ENOENT ? 0 : r; /* who asked has stopped */
    }
    }
}

static int on_a(rtn_message *message, const struct stress *payload, void *instance)
{
    return take(message, payload, instance, 0);
}

static int on_b(rtn_message *message, const struct stress *payload, void *instance)
{
    return take(message, payload, instance, 1);
}

static int on_c(rtn_message *message, const struct stress *payload, void *instance)
{
    return take(message, payload, instance, 2);
}

static int on_web(rtn_message *message, const struct stress *payload, void *instance)
{
    return take(message, payload, instance, 3);
}

/* Requests */

static int then_for(rtn_request *request, int result, const struct stress_reply *reply, void *data)
{
    (void) reply;
    tell((unsigned) (uintptr_t) data, result);
    return rtn_reply_status(request, result < 0 ? 502 : 200);
}

static void drop(void *data)
{
    tell((unsigned) (uintptr_t) data, 0);
}

static int handle(rtn_request *request, void *instance)
{
    unsigned kind = chance(KINDS);
    unsigned trip;
    (void) instance;
    if (!take_trip(&trip))
        return rtn_reply_status(request, 200);
    const struct stress payload = { .number = trip, .seed = chance(1000) };
    int r = kinds[kind].ask_for(request, &payload, 1 + chance(200), then_for, drop, (void *) (uintptr_t) trip);
    count_result(kind, r);
    if (r < 0)
        return rtn_reply_status(request, 503);
    atomic_fetch_add(&asked, 1);
    return RTN_LATER;
}

static int stop_server(rtn_request *request, void *instance)
{
    char name[32] = "";
    rtn_str param = rtn_request_param(request, "name");
    (void) instance;
    for (size_t i = 0; i < param.length && i < sizeof(name) - 1; i++)
        name[i] = param.data[i];
    return rtn_reply_status(request, rtn_server_stop(name) == 0 ? 204 : 404);
}

static int tell_counts(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_format(request, 200, "asked=%u told=%u", atomic_load(&asked), atomic_load(&told));
}

/* What goes on all the time */

static void *run_thread(void *data)
{
    struct stress_instance *self = data;
    while (!atomic_load(&self->ending)) {
        act(self);
        if (chance(8) == 0)
            (void) nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
    }
    return NULL;
}

static int run_task(void *data)
{
    for (int i = 0; i < 4; i++)
        act(data);
    return 0;
}

static void on_task(int result, void *data)
{
    struct stress_instance *self = data;
    atomic_fetch_sub(&self->tasks, 1);
    if (result == 0)
        act(self);
}

static void on_timer(void *data)
{
    struct stress_instance *self = data;
    for (int i = 0; i < 4; i++)
        act(self);
    if (atomic_load(&self->tasks) < 4 && rtn_task(self->server, self, run_task, on_task, self) == 0)
        atomic_fetch_add(&self->tasks, 1);
}

static int start(void *instance, rtn_server *server)
{
    struct stress_instance *self = instance;
    self->server = server;
    int r = rtn_timer_start(server, self, 1, 2, on_timer, NULL, self, NULL);
    while (r == 0 && self->thread_count < THREADS) {
        r = -pthread_create(&self->threads[self->thread_count], NULL, run_thread, self);
        self->thread_count += r == 0 ? 1 : 0;
    }
    return r;
}

static void stop(void *instance, rtn_server *server)
{
    struct stress_instance *self = instance;
    (void) server;
    atomic_store(&self->ending, true);
    while (self->thread_count > 0)
        pthread_join(self->threads[--self->thread_count], NULL);
    if (atomic_load(&self->tasks) != 0)
        atomic_fetch_add(&wrong, 1);
}

static int configure(void *instance, rtn_setup *setup)
{
    (void) instance;
    (void) setup;
    atomic_fetch_add(&instances, 1);
    return 0;
}

static void unload(void *instance)
{
    (void) instance;
    if (atomic_fetch_sub(&instances, 1) != 1)
        return;
    while (late_count > 0)
        rtn_message_release(late[--late_count].message);
    for (unsigned i = 0; i < KINDS; i++)
        rtn_log(RTN_LOG_NOTICE, "stress %s: taken=%u refused=%u handled=%u", kinds[i].name, atomic_load(&taken[i]),
                atomic_load(&refused[i]), atomic_load(&handled[i]));
    rtn_log(RTN_LOG_NOTICE, "stress all: asked=%u told=%u twice=%u wrong=%u moved=%u released=%u", atomic_load(&asked),
            atomic_load(&told), atomic_load(&twice), atomic_load(&wrong), atomic_load(&moved), atomic_load(&released));
}

static const struct rtn_message_row rows_a[] = { RTN_ON(stress_a, on_a), { 0 } };
static const struct rtn_message_row rows_b[] = { RTN_ON(stress_b, on_b), { 0 } };
static const struct rtn_message_row rows_c[] = { RTN_ON(stress_c, on_c), { 0 } };
static const struct rtn_message_row rows_web[] = { RTN_ON(stress_web, on_web), { 0 } };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "a", .on = rows_a },
    { .name = "b", .threads = RTN_THREADS_SERIAL, .on = rows_b },
    { .name = "c", .threads = RTN_THREADS_PARALLEL, .on = rows_c },
    { .name = "web", .threads = RTN_THREADS_PARALLEL, .on = rows_web },
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "ask", .handle = handle },
    { .name = "ask-worker", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { .name = "stop", .handle = stop_server },
    { .name = "tell", .handle = tell_counts },
    { 0 },
};

static struct rtn_message_type *const sends[] = { RTN_TYPE(stress_a), RTN_TYPE(stress_b), RTN_TYPE(stress_c),
                                                  RTN_TYPE(stress_web), NULL };

static const struct rtn_module module = {
    .name = "hub_stress",
    .version = "1.0",
    .summary = "Sends and asks as much as it can.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct stress_instance),
    .http = http_handlers,
    .configure = configure,
    .start = start,
    .stop = stop,
    .unload = unload,
    .messages = message_handlers,
    .sends = sends,
};
RTN_REGISTER_MODULE(module)
