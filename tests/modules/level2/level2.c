/*
 * A module of API level 2, compiled against the headers of that level, which are stored here and never change: proof
 * that the daemon still takes it. Uses a bit of everything that level 2 added.
 */
#include <errno.h>
#include <string.h>

#include <retinue/module.h>

#if RTN_API_LEVEL != 2
#error "the stored headers are those of level 2"
#endif

struct level2 {
    const char *word;
    int64_t times;
};

/* Bodies in pieces. */

static int begin(rtn_request *request, void *instance)
{
    (void) instance;
    if (rtn_request_header(request, "x-refuse").data != NULL)
        return rtn_reply_text(request, 403, "refused\n");
    size_t *total = rtn_request_alloc(request, sizeof(*total));
    if (total == NULL)
        return -ENOMEM;
    *total = 0;
    rtn_request_set_data(request, total, NULL);
    return RTN_DONE;
}

static int body(rtn_request *request, const void *data, size_t length, void *instance)
{
    (void) data;
    (void) instance;
    size_t *total = rtn_request_data(request);
    *total += length;
    return RTN_DONE;
}

static int count(rtn_request *request, void *instance)
{
    const struct level2 *level2 = instance;
    const size_t *total = rtn_request_data(request);
    return rtn_reply_format(request, 200, "word=%s times=%lld body=%zu host=%.*s scheme=%s level=%d\n", level2->word,
                            (long long) level2->times, *total, RTN_STR_ARG(rtn_request_host(request)),
                            rtn_request_scheme(request), (int) rtn_api_level() >= RTN_API_LEVEL);
}

/* A reply in pieces. */

static int pieces(rtn_request *request, void *instance)
{
    const struct level2 *level2 = instance;
    int r = rtn_reply_begin(request, 200, -1);
    for (int64_t i = 0; i < level2->times && r == 0; i++)
        r = rtn_reply_write(request, level2->word, strlen(level2->word));
    return r == 0 ? rtn_reply_end(request) : r;
}

/* A reply that comes later, by a continuation. */

static int finish(rtn_request *request, void *data)
{
    (void) data;
    return rtn_reply_text(request, 200, "later\n");
}

static int later(rtn_request *request, void *instance)
{
    (void) instance;
    rtn_later number = rtn_request_later(request, NULL, NULL);
    int r = rtn_resume(number, finish, NULL, NULL);
    return r == 0 ? RTN_LATER : r;
}

/* From the loop to a worker. */
static int worker(rtn_request *request, void *instance)
{
    (void) instance;
    if (strstr(rtn_thread_name(), "/worker-") == NULL)
        return RTN_WORKER;
    return rtn_reply_text(request, 200, "on a worker\n");
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct level2, word, .name = "word", .fallback = "none", .help = "A word."),
    RTN_OPTION(INT, struct level2, times, .name = "times", .fallback = "1", .min = 1, .max = 9, .help = "A number."),
    { 0 },
};

/* Several rows: the daemon must step over them by the size that they were compiled with. */
static const struct rtn_http_handler http_handlers[] = {
    { .name = "count", .summary = "Counts the body.", .handle = count, .begin = begin, .body = body },
    { .name = "pieces", .handle = pieces, .threads = RTN_THREADS_PARALLEL, .methods = RTN_METHOD_GET },
    { .name = "later", .handle = later },
    { .name = "worker", .handle = worker, .worker = true },
    { 0 },
};

static const struct rtn_module module = {
    .name = "level2",
    .version = "1.0",
    .summary = "From the days before WebSocket.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct level2),
    .options = options,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
