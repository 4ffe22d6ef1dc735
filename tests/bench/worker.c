/* hello on a worker: what the way through the pool costs. */
#include <retinue/module.h>

static int greet(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_text(request, 200, "hello world\n");
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "worker", .summary = "Answers with a greeting.", .handle = greet, .methods = RTN_METHOD_GET },
    { 0 },
};

static const struct rtn_module module = {
    .name = "worker",
    .version = "1.0",
    .summary = "Answers every request with a greeting, on a worker.",
    .threads = RTN_THREADS_PARALLEL,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
