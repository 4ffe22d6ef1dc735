/*
 * A module of API level 1, compiled against the headers of that level, which are stored here and never change: proof
 * that the daemon still takes it. Uses a bit of everything that level 1 had.
 */
#include <errno.h>

#include <retinue/module.h>

#if RTN_API_LEVEL != 1
#error "the stored headers are those of level 1"
#endif

struct level1 {
    const char *text;
    int64_t times;
    int configured;
};

static int configure(void *instance, rtn_setup *setup)
{
    struct level1 *level1 = instance;
    level1->configured = rtn_setup_given(setup, "text") ? 2 : 1;
    return 0;
}

static void closed(rtn_connection *connection, enum rtn_close_cause cause, const char *detail, void *instance)
{
    (void) instance;
    (void) detail;
    rtn_log(RTN_LOG_NOTICE, "level1: connection closed, cause %d, data %s", cause,
            (const char *) rtn_connection_data(connection));
}

/* Tells what it sees of a request. */
static int tell(rtn_request *request, void *instance)
{
    const struct level1 *level1 = instance;
    static char mark[] = "kept";
    int r = rtn_connection_set_data(rtn_request_connection(request), mark, NULL);
    if (r == 0)
        r = rtn_reply_header(request, "X-Level", "1");
    if (r < 0)
        return r;
    return rtn_reply_format(request, 200, "text=%s times=%lld configured=%d body=%.*s id=%.*s q=%.*s level=%d\n",
                            level1->text, (long long) level1->times, level1->configured,
                            RTN_STR_ARG(rtn_request_body(request)), RTN_STR_ARG(rtn_request_param(request, "id")),
                            RTN_STR_ARG(rtn_query_value(request, "q", 0)), (int) rtn_api_level() >= RTN_API_LEVEL);
}

static int pass(rtn_request *request, void *instance)
{
    (void) request;
    (void) instance;
    return RTN_NEXT;
}

static int fail(rtn_request *request, void *instance)
{
    (void) request;
    (void) instance;
    return -EIO;
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct level1, text, .name = "text", .fallback = "none", .help = "A word."),
    RTN_OPTION(INT, struct level1, times, .name = "times", .fallback = "1", .min = 1, .max = 9, .help = "A number."),
    { 0 },
};

/* Several rows: the daemon must step over them by the size that they were compiled with. */
static const struct rtn_http_handler http_handlers[] = {
    { .name = "loop", .summary = "On the loop.", .handle = tell },
    { .name = "worker", .handle = tell, .threads = RTN_THREADS_PARALLEL, .methods = RTN_METHOD_GET | RTN_METHOD_POST },
    { .name = "pass", .handle = pass },
    { .name = "fail", .handle = fail },
    { 0 },
};

static const struct rtn_module module = {
    .name = "level1",
    .version = "1.0",
    .summary = "From the first days.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct level1),
    .options = options,
    .http = http_handlers,
    .configure = configure,
    .connection_closed = closed,
};
RTN_REGISTER_MODULE(module)
