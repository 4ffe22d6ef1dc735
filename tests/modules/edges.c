/*
 * What lies at the edges of the contract. "views-*" keep what begin() was told about the head and tell it at the end;
 * "whole-*" tell it once the whole body is there; "pass" takes no body and leaves it to the next route. "drain" asks
 * for a drain without waiting for it; "flood" writes without end, slower than a client reads; "tail" writes much, and
 * then only flushes. "stats" tells how often the last did, "release" ends it.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <retinue/module.h>

#define PIECE 32768

static atomic_int flushes, drains;
static atomic_bool released;
static char bytes[PIECE];
static char much[(size_t) 16 << 20]; /* more than a socket takes at once */

struct kept {
    rtn_str target, path, query, param, mark;
};

static struct kept keep(rtn_request *request)
{
    return (struct kept){ .target = rtn_request_target(request),
                          .path = rtn_request_path(request),
                          .query = rtn_request_query(request),
                          .param = rtn_request_param(request, "name"),
                          .mark = rtn_request_header(request, "X-Mark") };
}

static int tell(rtn_request *request, const struct kept *kept)
{
    return rtn_reply_format(request, 200, "%.*s %.*s %.*s %.*s %.*s\n", RTN_STR_ARG(kept->target),
                            RTN_STR_ARG(kept->path), RTN_STR_ARG(kept->query), RTN_STR_ARG(kept->param),
                            RTN_STR_ARG(kept->mark));
}

static int views_begin(rtn_request *request, void *instance)
{
    (void) instance;
    struct kept *kept = rtn_request_alloc(request, sizeof(*kept));
    if (kept == NULL)
        return -ENOMEM;
    *kept = keep(request);
    rtn_request_set_data(request, kept, NULL);
    return RTN_DONE;
}

static int views_body(rtn_request *request, const void *data, size_t length, void *instance)
{
    (void) request;
    (void) data;
    (void) length;
    (void) instance;
    return RTN_DONE;
}

static int views_handle(rtn_request *request, void *instance)
{
    (void) instance;
    return tell(request, rtn_request_data(request));
}

static int whole(rtn_request *request, void *instance)
{
    (void) instance;
    const struct kept kept = keep(request);
    return tell(request, &kept);
}

static int pass_begin(rtn_request *request, void *instance)
{
    (void) request;
    (void) instance;
    return RTN_NEXT;
}

static int after_drain(rtn_request *request, void *data)
{
    (void) data;
    atomic_fetch_add(&drains, 1);
    return rtn_reply_end(request);
}

static int drain_begin(rtn_request *request, void *instance)
{
    (void) instance;
    int r = rtn_reply_begin(request, 200, -1);
    if (r == 0)
        r = rtn_reply_on_drain(request, after_drain, NULL);
    return r < 0 ? r : RTN_DONE;
}

static int drain_handle(rtn_request *request, void *instance)
{
    (void) request;
    (void) instance;
    return RTN_LATER;
}

static void work_hard(void)
{
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - start.tv_sec) * 1000000000 + (now.tv_nsec - start.tv_nsec) < 1000000);
}

static int write_flood(rtn_request *request, void *data)
{
    int r = 0;
    while (r == 0) {
        work_hard();
        r = rtn_reply_write(request, bytes, sizeof(bytes));
    }
    if (r == -EAGAIN)
        r = rtn_reply_on_drain(request, write_flood, data);
    return r < 0 ? r : RTN_LATER;
}

static int flood(rtn_request *request, void *instance)
{
    (void) instance;
    int r = rtn_reply_begin(request, 200, -1);
    return r < 0 ? r : write_flood(request, NULL);
}

static int tail(rtn_request *request, void *instance)
{
    (void) instance;
    atomic_store(&released, false);
    int r = rtn_reply_begin(request, 200, (int64_t) sizeof(much) + 1);
    if (r == 0)
        r = rtn_reply_write(request, much, sizeof(much));
    while (r == 0 && !atomic_load(&released) && !rtn_stopping()) {
        atomic_fetch_add(&flushes, 1);
        r = rtn_reply_flush(request);
        rtn_suspend(5);
    }
    if (r == 0)
        r = rtn_reply_write(request, "!", 1);
    return r < 0 ? r : rtn_reply_end(request);
}

static int release(rtn_request *request, void *instance)
{
    (void) instance;
    atomic_store(&released, true);
    return rtn_reply_status(request, 204);
}

/* Does not look at what a write returns. */
static int careless(rtn_request *request, void *instance)
{
    (void) instance;
    static const char piece[65536];
    int r = rtn_reply_begin(request, 200, -1);
    while (r == 0)
        r = rtn_reply_write(request, piece, sizeof(piece));
    return r == -EAGAIN ? RTN_DONE : r;
}

static int to_worker(rtn_request *request, void *instance)
{
    (void) request;
    (void) instance;
    return RTN_WORKER;
}

static int short_end(rtn_request *request, void *instance)
{
    (void) instance;
    int r = rtn_reply_begin(request, 200, 10);
    if (r == 0)
        r = rtn_reply_write(request, "abc", 3);
    return r < 0 ? r : rtn_reply_end(request);
}

static int too_much(rtn_request *request, void *instance)
{
    (void) instance;
    int r = rtn_reply_begin(request, 200, 2);
    return r < 0 ? r : rtn_reply_write(request, "abc", 3);
}

static int bad_redirect(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_redirect(request, 200, "/");
}

static int stats(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_format(request, 200, "flushes=%d drains=%d\n", flushes, drains);
}

#define VIEWS .begin = views_begin, .body = views_body, .handle = views_handle

static const struct rtn_http_handler http_handlers[] = {
    { .name = "views-loop", VIEWS },
    { .name = "views-parallel", VIEWS, .threads = RTN_THREADS_PARALLEL },
    { .name = "whole-loop", .handle = whole },
    { .name = "whole-parallel", .handle = whole, .threads = RTN_THREADS_PARALLEL },
    { .name = "pass", .begin = pass_begin, .body = views_body, .handle = whole },
    { .name = "drain", .begin = drain_begin, .body = views_body, .handle = drain_handle },
    { .name = "flood", .handle = flood },
    { .name = "tail", .handle = tail, .threads = RTN_THREADS_PARALLEL },
    { .name = "release", .handle = release },
    { .name = "stats", .handle = stats },
    { .name = "careless", .handle = careless },
    { .name = "to-worker", .handle = to_worker },
    { .name = "short-end", .handle = short_end },
    { .name = "too-much", .handle = too_much },
    { .name = "bad-redirect", .handle = bad_redirect },
    { 0 },
};

static const struct rtn_module module = {
    .name = "edges",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
