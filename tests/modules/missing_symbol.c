/* Calls a function of a daemon that does not exist yet. */
#include <retinue/module.h>

int rtn_reply_hologram(rtn_request *request, int status);

static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_hologram(request, 200);
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "missing_symbol", .handle = handle },
    { 0 },
};

static const struct rtn_module module = {
    .name = "missing_symbol",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
