/*
 * Handlers that take as long as the query says ("ms"), just before or just after their server's time for them is over,
 * and reply in all the ways there are. What is kept on a request is counted: it has to end once. The log tells at the
 * end.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <retinue/module.h>

#define LARGE ((size_t) 400000)
#define PIECES 8

struct deadline {
    const char *file;
};

static atomic_int begun, ended, double_ends;
static char large[LARGE];

struct kept {
    atomic_int uses;
    rtn_str tag; /* of the query: what the client takes the reply by */
    size_t received;
};

static int64_t number(rtn_request *request, const char *name)
{
    rtn_str value = rtn_query_value(request, name, 0);
    int64_t n = 0;
    for (size_t i = 0; i < value.length; i++)
        n = n * 10 + (value.data[i] - '0');
    return n;
}

static void nap(int64_t ms)
{
    struct timespec left = { ms / 1000, ms % 1000 * 1000000 };
    while (nanosleep(&left, &left) != 0)
        ;
}

static void destroy(void *data)
{
    struct kept *kept = data;
    if (atomic_fetch_sub(&kept->uses, 1) != 1)
        atomic_fetch_add(&double_ends, 1);
    atomic_fetch_add(&ended, 1);
    free(kept);
}

static struct kept *keep(rtn_request *request)
{
    struct kept *kept = calloc(1, sizeof(*kept));
    if (kept == NULL)
        return NULL;
    atomic_init(&kept->uses, 1);
    kept->tag = rtn_query_value(request, "tag", 0);
    atomic_fetch_add(&begun, 1);
    rtn_request_set_data(request, kept, destroy);
    return kept;
}

static int reply_tag(rtn_request *request, const struct kept *kept)
{
    return rtn_reply(request, 200, kept->tag.data, kept->tag.length);
}

static int text(rtn_request *request, void *instance)
{
    (void) instance;
    const struct kept *kept = keep(request);
    if (kept == NULL)
        return -ENOMEM;
    nap(number(request, "ms"));
    return reply_tag(request, kept);
}

static int blocking(rtn_request *request, void *instance)
{
    (void) instance;
    const struct kept *kept = keep(request);
    if (kept == NULL)
        return -ENOMEM;
    rtn_block_begin();
    nap(number(request, "ms"));
    rtn_block_end();
    return reply_tag(request, kept);
}

static int reply_large(rtn_request *request, void *instance)
{
    (void) instance;
    if (keep(request) == NULL)
        return -ENOMEM;
    nap(number(request, "ms"));
    return rtn_reply_static(request, 200, large, LARGE);
}

static int reply_file(rtn_request *request, void *instance)
{
    const struct deadline *deadline = instance;
    if (keep(request) == NULL)
        return -ENOMEM;
    nap(number(request, "ms"));
    return rtn_reply_file(request, deadline->file);
}

/* A failed write is not repeated; what the handler returns then says so. */
static int stream(rtn_request *request, void *instance)
{
    (void) instance;
    if (keep(request) == NULL)
        return -ENOMEM;
    int64_t each = number(request, "each");
    nap(number(request, "ms"));
    int r = rtn_reply_begin(request, 200, -1);
    for (unsigned i = 0; r == 0 && i < PIECES; i++) {
        r = rtn_reply_write(request, large, LARGE / PIECES);
        if (r == 0)
            r = rtn_reply_flush(request);
        nap(each);
    }
    return r < 0 ? r : RTN_DONE;
}

static int begin_body(rtn_request *request, void *instance)
{
    (void) instance;
    return keep(request) != NULL ? RTN_DONE : -ENOMEM;
}

static int take_body(rtn_request *request, const void *data, size_t length, void *instance)
{
    (void) data;
    (void) instance;
    struct kept *kept = rtn_request_data(request);
    kept->received += length;
    nap(number(request, "ms"));
    return RTN_DONE;
}

static int end_body(rtn_request *request, void *instance)
{
    (void) instance;
    const struct kept *kept = rtn_request_data(request);
    return rtn_reply_format(request, 200, "%zu", kept->received);
}

static int go_on(rtn_request *request, void *data)
{
    (void) data;
    return reply_tag(request, rtn_request_data(request));
}

/* It is resumed before it has gone to wait. */
static int later(rtn_request *request, void *instance)
{
    (void) instance;
    if (keep(request) == NULL)
        return -ENOMEM;
    (void) rtn_resume(rtn_request_later(request, NULL, NULL), go_on, NULL, NULL);
    nap(number(request, "ms"));
    return RTN_LATER;
}

static void stop(void *instance, rtn_server *server)
{
    (void) instance;
    (void) server;
    rtn_log(RTN_LOG_NOTICE, "deadline: begun=%d ended=%d double=%d", begun, ended, double_ends);
}

static const struct rtn_option options[] = {
    RTN_OPTION(PATH, struct deadline, file, .name = "file", .fallback = "/dev/null", .help = "What is sent as a file."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "text", .handle = text, .threads = RTN_THREADS_PARALLEL },
    { .name = "serial", .handle = text, .threads = RTN_THREADS_SERIAL },
    { .name = "blocking", .handle = blocking, .threads = RTN_THREADS_PARALLEL },
    { .name = "large", .handle = reply_large, .threads = RTN_THREADS_PARALLEL },
    { .name = "file", .handle = reply_file, .threads = RTN_THREADS_PARALLEL },
    { .name = "stream", .handle = stream, .threads = RTN_THREADS_PARALLEL },
    { .name = "later", .handle = later, .threads = RTN_THREADS_PARALLEL },
    { .name = "body",
      .methods = RTN_METHOD_POST,
      .begin = begin_body,
      .body = take_body,
      .handle = end_body,
      .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "deadline",
    .version = "1.0",
    .summary = "Comes back at the last moment, or just after it.",
    .threads = RTN_THREADS_PARALLEL,
    .instance_size = sizeof(struct deadline),
    .options = options,
    .stop = stop,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
