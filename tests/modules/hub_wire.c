/*
 * Declares the type wire_job as the arguments of the compiler say, and sends it, or owns it with OWNS. Only what is
 * declared matters: nothing is ever sent, but by unit tests, which look at wire_taken.
 */
#include <stdatomic.h>

#include <retinue/module.h>

#ifndef VERSION
#define VERSION 1
#endif

struct wire_job {
    int64_t number;
#ifdef MORE
    int64_t more;
#endif
};

struct wire_done {
    int32_t status;
#ifdef ANSWER_MORE
    int64_t more;
#endif
};

#if defined(BYTES)
RTN_MESSAGE_BYTES(wire_job)
#elif defined(PLAIN)
RTN_MESSAGE_VERSION(wire_job, struct wire_job, VERSION)
#else
RTN_QUESTION_VERSION(wire_job, struct wire_job, struct wire_done, VERSION)
#endif

#ifdef OWNS
RTN_EXPORT atomic_int wire_taken;

static int take(rtn_message *message, const struct wire_job *job, void *instance)
{
    (void) message;
    (void) job;
    (void) instance;
    wire_taken++;
    return RTN_DONE;
}

static const struct rtn_message_row rows[] = { RTN_ON(wire_job, take), { 0 } };

static const struct rtn_message_handler message_handlers[] = {
    { .name = "take", .on = rows },
    { 0 },
};
#endif

static int start(void *instance, rtn_server *server)
{
    (void) instance;
    (void) server;
    return 0;
}

#if !defined(OWNS) || defined(SENDS)
static struct rtn_message_type *const sends[] = { RTN_TYPE(wire_job), NULL };
#endif

static const struct rtn_module module = {
    .name = NAME,
    .threads = RTN_THREADS_LOOP,
    .start = start,
#ifdef OWNS
    .messages = message_handlers,
#endif
#if !defined(OWNS) || defined(SENDS)
    .sends = sends,
#endif
};
RTN_REGISTER_MODULE(module)
