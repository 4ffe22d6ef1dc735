/* What the way through the pool costs: hello on a worker, and one that waits for something. */
#include <time.h>

#include <retinue/module.h>

static int greet(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_text(request, 200, "hello world\n");
}

static int greet_late(rtn_request *request, void *instance)
{
    const struct timespec wait = { .tv_nsec = 5000000 };
    (void) nanosleep(&wait, NULL);
    return greet(request, instance);
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "worker", .summary = "Answers with a greeting.", .handle = greet, .methods = RTN_METHOD_GET },
    { .name = "sleep", .summary = "Answers 5 ms later.", .handle = greet_late, .methods = RTN_METHOD_GET },
    { 0 },
};

static const struct rtn_module module = {
    .name = "worker",
    .version = "1.1",
    .summary = "Answers every request with a greeting, on a worker.",
    .threads = RTN_THREADS_PARALLEL,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
