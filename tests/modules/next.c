/* Never answers: leaves every request to the next matching route, from the loop or from a worker. */
#include <retinue/module.h>

static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    rtn_log(RTN_LOG_INFO, "next: passing on %.*s", RTN_STR_ARG(rtn_request_path(request)));
    return RTN_NEXT;
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "loop", .handle = handle },
    { .name = "serial", .handle = handle, .threads = RTN_THREADS_SERIAL },
    { .name = "worker", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "next",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
