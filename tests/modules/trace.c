/*
 * What a request leaves in the logs: /trace/say logs a line and answers with the request's id, /trace/own tries to give
 * the reply an id of its own, /trace/fail fails, /trace/next passes on after it has set a field, /trace/endless replies
 * until the client has gone. On a worker, and as handler "loop" on the loop.
 */
#include <errno.h>
#include <string.h>

#include <retinue/module.h>

static int say(rtn_request *request)
{
    rtn_log(RTN_LOG_NOTICE, "trace: handles %s", rtn_thread_name());
    return rtn_reply_format(request, 200, "%s\n", rtn_request_id(request));
}

static int own(rtn_request *request)
{
    int result = rtn_reply_header(request, "X-Request-ID", "mine");
    return rtn_reply_format(request, 200, "%s\n", result == 0 ? "taken" : "refused");
}

static int headers(rtn_request *request)
{
    rtn_str id = rtn_request_header(request, "x-request-id");
    rtn_str agent = rtn_request_header(request, "user-agent");
    return rtn_reply_format(request, 200, "%s %s\n", id.data != NULL ? "seen" : "hidden",
                            agent.data != NULL ? "seen" : "hidden");
}

static int fail(rtn_request *request)
{
    (void) rtn_reply_header(request, "X-Lost", "yes");
    return -EIO;
}

static int next(rtn_request *request)
{
    (void) rtn_reply_header(request, "X-Lost", "yes");
    rtn_log(RTN_LOG_NOTICE, "trace: passes on");
    return RTN_NEXT;
}

static int endless(rtn_request *request)
{
    static const char piece[16384];
    int r = rtn_reply_begin(request, 200, -1);
    while (r >= 0)
        r = rtn_reply_write(request, piece, sizeof(piece));
    return r;
}

static const struct {
    const char *name;
    int (*run)(rtn_request *request);
} actions[] = {
    { "say", say }, { "own", own }, { "headers", headers }, { "fail", fail }, { "next", next }, { "endless", endless },
};

static int handle(rtn_request *request, void *instance)
{
    rtn_str what = rtn_request_param(request, "what");
    (void) instance;
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strlen(actions[i].name) == what.length && memcmp(actions[i].name, what.data, what.length) == 0)
            return actions[i].run(request);
    }
    return RTN_NEXT;
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "worker", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { .name = "loop", .handle = handle },
    { 0 },
};

static const struct rtn_module module = {
    .name = "trace",
    .version = "1.0",
    .summary = "Leaves traces in logs.",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
};

RTN_REGISTER_MODULE(module)
