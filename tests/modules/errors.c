/*
 * Does what a handler should not, as the {what} of the path says, and sends big bodies of {size} bytes without
 * copying: /errors/eio, /errors/static/1000000.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

#define BLOCK_SIZE ((size_t) 16 << 20)

static char block[BLOCK_SIZE];

static void fill(char *to, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (char) ('a' + i % 26);
}

static int ready(void *instance, rtn_setup *setup)
{
    (void) instance;
    (void) setup;
    if (block[0] == 0)
        fill(block, sizeof(block));
    return 0;
}

static int fail(rtn_request *request, size_t size)
{
    (void) request;
    (void) size;
    return -EIO;
}

static int stay_silent(rtn_request *request, size_t size)
{
    (void) request;
    (void) size;
    return RTN_DONE;
}

static int reply_twice(rtn_request *request, size_t size)
{
    (void) size;
    int first = rtn_reply_text(request, 200, "first\n");
    int second = rtn_reply_text(request, 200, "second\n");
    rtn_log(RTN_LOG_NOTICE, "errors: first reply %d, second %d", first, second);
    return first;
}

static int reply_then_fail(rtn_request *request, size_t size)
{
    (void) size;
    (void) rtn_reply_text(request, 200, "replied\n");
    return -EIO;
}

static int reply_then_next(rtn_request *request, size_t size)
{
    (void) size;
    (void) rtn_reply_text(request, 200, "replied\n");
    return RTN_NEXT;
}

static int bad_headers(rtn_request *request, size_t size)
{
    static const char *const fields[][2] = {
        { "X-Split", "a\r\nX-Evil: 1" },
        { "X Space", "a" },
        { "", "a" },
        { "Content-Length", "5" },
        { "connection", "close" },
        { "Transfer-Encoding", "chunked" },
        { "Date", "today" },
        { "X-Good", "fine" },
    };
    char results[256];
    size_t length = 0;
    (void) size;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *result = rtn_reply_header(request, fields[i][0], fields[i][1]) == 0 ? "taken " : "refused ";
        length += (size_t) snprintf(results + length, sizeof(results) - length, "%s", result);
    }
    return rtn_reply_format(request, 200, "%s\n", results);
}

static int bad_status(rtn_request *request, size_t size)
{
    int code = rtn_reply_text(request, (int) size, "never\n");
    return code < 0 ? rtn_reply_format(request, 200, "refused %d\n", code) : code;
}

static int reply_static(rtn_request *request, size_t size)
{
    return rtn_reply_static(request, 200, block, size < BLOCK_SIZE ? size : BLOCK_SIZE);
}

static void release(void *data)
{
    rtn_log(RTN_LOG_NOTICE, "errors: body released");
    free(data);
}

static int reply_release(rtn_request *request, size_t size)
{
    char *body = malloc(size + 1);
    if (body == NULL)
        return -ENOMEM;
    fill(body, size);
    return rtn_reply_release(request, 200, body, size, release, body);
}

static int release_twice(rtn_request *request, size_t size)
{
    int first = reply_release(request, size);
    (void) reply_release(request, size);
    return first;
}

static int no_content(rtn_request *request, size_t size)
{
    return rtn_reply_static(request, 204, block, size < BLOCK_SIZE ? size : BLOCK_SIZE);
}

static const struct {
    const char *name;
    int (*act)(rtn_request *request, size_t size);
} acts[] = {
    { "eio", fail },
    { "silent", stay_silent },
    { "twice", reply_twice },
    { "then-eio", reply_then_fail },
    { "then-next", reply_then_next },
    { "headers", bad_headers },
    { "status", bad_status },
    { "static", reply_static },
    { "release", reply_release },
    { "release-twice", release_twice },
    { "204", no_content },
};

static size_t size_param(const rtn_request *request)
{
    rtn_str size = rtn_request_param(request, "size");
    size_t number = 0;
    for (size_t i = 0; i < size.length && i < 9 && size.data[i] >= '0' && size.data[i] <= '9'; i++)
        number = number * 10 + (size_t) (size.data[i] - '0');
    return number;
}

static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    rtn_str what = rtn_request_param(request, "what");
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (what.length == strlen(acts[i].name) && memcmp(what.data, acts[i].name, what.length) == 0)
            return acts[i].act(request, size_param(request));
    }
    return rtn_reply_status(request, 404);
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "loop", .handle = handle },
    { .name = "worker", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "errors",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
    .ready = ready,
};
RTN_REGISTER_MODULE(module)
