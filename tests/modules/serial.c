/* One call at a time is what the daemon promises; this tells whether it keeps the promise. */
#include <stdatomic.h>
#include <time.h>

#include <retinue/module.h>

struct serial {
    int64_t hold;
    atomic_bool inside;
    atomic_int overlaps;
    int calls; /* not atomic on purpose: TSan sees it when calls overlap */
};

static int handle(rtn_request *request, void *instance)
{
    struct serial *serial = instance;
    if (atomic_exchange(&serial->inside, true))
        atomic_fetch_add(&serial->overlaps, 1);
    int calls = ++serial->calls;
    struct timespec hold = { serial->hold / 1000, serial->hold % 1000 * 1000000 };
    (void) nanosleep(&hold, NULL);
    atomic_store(&serial->inside, false);
    return rtn_reply_format(request, 200, "calls=%d overlaps=%d\n", calls, atomic_load(&serial->overlaps));
}

static const struct rtn_option options[] = {
    RTN_OPTION(DURATION, struct serial, hold, .name = "hold", .fallback = "1ms", .help = "How long a call takes."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "serial", .handle = handle },
    { 0 },
};

static const struct rtn_module module = {
    .name = "serial",
    .version = "1.0",
    .threads = RTN_THREADS_SERIAL,
    .instance_size = sizeof(struct serial),
    .options = options,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
