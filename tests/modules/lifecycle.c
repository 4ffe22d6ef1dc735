/* Logs every step of its life with the instance's name and the thread; `fail` makes one step fail. */
#include <errno.h>
#include <stdatomic.h>

#include <retinue/module.h>

enum step { NEVER, CONFIGURE, READY, START, THREAD_START, QUIETLY };
static const char *const steps[] = { "never", "configure", "ready", "start", "thread_start", "quietly", NULL };

/* For tests without a log: how often each step ran in this copy of the module, over all instances. */
RTN_EXPORT atomic_int lifecycle_configured;
RTN_EXPORT atomic_int lifecycle_ready;
RTN_EXPORT atomic_int lifecycle_unloaded;

struct lifecycle {
    const char *name;
    int fail;
};

static void tell(const struct lifecycle *self, const char *step)
{
    rtn_log(RTN_LOG_NOTICE, "lifecycle %s: %s on \"%s\"", self->name, step, rtn_thread_name());
}

static int configure(void *instance, rtn_setup *setup)
{
    const struct lifecycle *self = instance;
    tell(self, "configure");
    lifecycle_configured++;
    if (self->fail == QUIETLY)
        return -EIO;
    if (self->fail == CONFIGURE)
        return rtn_setup_error(setup, "fail", "told to fail in %s of %s", steps[self->fail], rtn_setup_server(setup));
    return 0;
}

static int ready(void *instance, rtn_setup *setup)
{
    const struct lifecycle *self = instance;
    tell(self, "ready");
    lifecycle_ready++;
    if (self->fail == READY)
        return rtn_setup_error(setup, NULL, "told to fail at %s", rtn_setup_route(setup));
    return 0;
}

static int start(void *instance, rtn_server *server)
{
    const struct lifecycle *self = instance;
    tell(self, "start");
    rtn_log(RTN_LOG_INFO, "lifecycle %s: server %s", self->name, rtn_server_name(server));
    return self->fail == START ? -EIO : 0;
}

static int thread_start(void *instance, rtn_server *server)
{
    const struct lifecycle *self = instance;
    (void) server;
    tell(self, "thread_start");
    return self->fail == THREAD_START ? -EIO : 0;
}

static void thread_stop(void *instance, rtn_server *server)
{
    (void) server;
    tell(instance, "thread_stop");
}

static void quiesce(void *instance, rtn_server *server)
{
    (void) server;
    tell(instance, "quiesce");
}

static void stop(void *instance, rtn_server *server)
{
    (void) server;
    tell(instance, "stop");
}

static void unload(void *instance)
{
    tell(instance, "unload");
    lifecycle_unloaded++;
}

static int handle(rtn_request *request, void *instance)
{
    tell(instance, "handle");
    return rtn_reply_format(request, 200, "%s\n", rtn_thread_name());
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct lifecycle, name, .name = "name", .fallback = "unnamed", .help = "Told in each line."),
    RTN_OPTION(CHOICE, struct lifecycle, fail, .name = "fail", .fallback = "never", .choices = steps,
               .help = "The step that fails."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "loop", .handle = handle },
    { .name = "worker", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "lifecycle",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct lifecycle),
    .options = options,
    .http = http_handlers,
    .configure = configure,
    .ready = ready,
    .start = start,
    .thread_start = thread_start,
    .thread_stop = thread_stop,
    .quiesce = quiesce,
    .stop = stop,
    .unload = unload,
};
RTN_REGISTER_MODULE(module)
