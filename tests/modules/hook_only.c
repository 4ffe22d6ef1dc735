/* Hooks and no handlers: each says in the log that it was called. */
#include <retinue/module.h>

static int start(void *instance, rtn_server *server)
{
    (void) instance;
    rtn_log(RTN_LOG_NOTICE, "hook_only: start on %s", rtn_server_name(server));
    return 0;
}

static void stop(void *instance, rtn_server *server)
{
    (void) instance;
    rtn_log(RTN_LOG_NOTICE, "hook_only: stop on %s", rtn_server_name(server));
}

static const struct rtn_module module = {
    .name = "hook_only",
    .threads = RTN_THREADS_PARALLEL,
    .start = start,
    .stop = stop,
};
RTN_REGISTER_MODULE(module)
