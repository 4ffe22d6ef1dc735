/* Counts the requests of each connection in data kept on the connection, and logs how connections end. */
#include <errno.h>
#include <stdlib.h>

#include <retinue/module.h>

static const char *const causes[] = {
    [RTN_CLOSE_NORMAL] = "normal",   [RTN_CLOSE_CLIENT] = "client",     [RTN_CLOSE_LOST] = "lost",
    [RTN_CLOSE_TIMEOUT] = "timeout", [RTN_CLOSE_PROTOCOL] = "protocol", [RTN_CLOSE_SECURITY] = "security",
    [RTN_CLOSE_NETWORK] = "network", [RTN_CLOSE_HANDLER] = "handler",   [RTN_CLOSE_SHUTDOWN] = "shutdown",
};

static void destroy(void *data)
{
    const int *count = data;
    rtn_log(RTN_LOG_NOTICE, "counter: data destroyed after %d requests", *count);
    free(data);
}

static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    rtn_connection *connection = rtn_request_connection(request);
    int *count = rtn_connection_data(connection);
    if (count == NULL) {
        count = calloc(1, sizeof(*count));
        if (count == NULL)
            return -ENOMEM;
        int error = rtn_connection_set_data(connection, count, destroy);
        if (error < 0) {
            free(count);
            return error;
        }
    }
    return rtn_reply_format(request, 200, "%d\n", ++*count);
}

static void closed(rtn_connection *connection, enum rtn_close_cause cause, const char *detail, void *instance)
{
    (void) instance;
    const int *count = rtn_connection_data(connection);
    rtn_log(RTN_LOG_NOTICE, "counter: connection closed: %s (%s) after %d requests", causes[cause],
            detail != NULL ? detail : "", count != NULL ? *count : 0);
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "loop", .handle = handle },
    { .name = "worker", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "counter",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
    .connection_closed = closed,
};
RTN_REGISTER_MODULE(module)
