/*
 * Sleeps in its handler and tells how many calls were inside at once: this one's company on entry, and the most seen.
 * With `block` it sleeps as rtn_suspend() does, giving up its place among the active threads. With `until` it goes on
 * when that file is there, however long it takes. The log tells when a call begins.
 */
#include <stdatomic.h>
#include <time.h>

#include <retinue/module.h>

#include "gate.h"

struct slow {
    int64_t sleep;
    bool block;
    const char *until; /* NULL: not waited for */
    atomic_int inside;
    atomic_int most;
};

static void sleep_in_place(int64_t milliseconds)
{
    struct timespec left = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
    while (nanosleep(&left, &left) != 0)
        ;
}

static int enter(struct slow *slow)
{
    int inside = atomic_fetch_add(&slow->inside, 1) + 1;
    int most = atomic_load(&slow->most);
    while (inside > most && !atomic_compare_exchange_weak(&slow->most, &most, inside))
        ;
    return inside;
}

static void wait_at_gate(const struct slow *slow)
{
    while (slow->block && access(slow->until, F_OK) != 0)
        rtn_suspend(2);
    gate_pass(slow->until);
}

static int handle(rtn_request *request, void *instance)
{
    struct slow *slow = instance;
    int inside = enter(slow);
    rtn_log(RTN_LOG_NOTICE, "slow: begins");
    if (slow->until != NULL)
        wait_at_gate(slow);
    else if (slow->block)
        rtn_suspend(slow->sleep);
    else
        sleep_in_place(slow->sleep);
    atomic_fetch_sub(&slow->inside, 1);
    return rtn_reply_format(request, 200, "inside=%d most=%d stopping=%d thread=%s\n", inside, atomic_load(&slow->most),
                            rtn_stopping(), rtn_thread_name());
}

static const struct rtn_option options[] = {
    RTN_OPTION(DURATION, struct slow, sleep, .name = "sleep", .fallback = "100ms", .help = "How long a call takes."),
    RTN_OPTION(PATH, struct slow, until, .name = "until", .help = "A file: a call takes until it is there."),
    RTN_OPTION(BOOL, struct slow, block, .name = "block", .fallback = "false", .help = "Say that it blocks."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "slow", .summary = "Sleeps, then answers.", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { .name = "loop", .summary = "The same where it must not be done.", .handle = handle },
    { 0 },
};

static const struct rtn_module module = {
    .name = "slow",
    .version = "1.0",
    .summary = "Takes its time.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct slow),
    .options = options,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
