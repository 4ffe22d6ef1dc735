/*
 * Replies that can be compressed, told by the query: size, type, random (content that cannot be made smaller), status,
 * h (a field, "Name: value", repeated). `pieces` writes `piece` bytes at a time, with flush after each when asked, and
 * with `length` announces their sum (short: more than there is). `wait` replies by and by: what /push?text= says, until
 * /push says end; with `events` as server-sent events.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

static _Atomic rtn_later held;

static char *text_of(rtn_request *request, const char *name, size_t index)
{
    rtn_str value = rtn_query_value(request, name, index);
    return value.data != NULL ? strndup(value.data, value.length) : NULL;
}

static bool is_set(rtn_request *request, const char *name)
{
    return rtn_query_value(request, name, 0).data != NULL;
}

static size_t number_of(rtn_request *request, const char *name, size_t fallback)
{
    char *text = text_of(request, name, 0);
    size_t number = text != NULL ? strtoul(text, NULL, 10) : fallback;
    free(text);
    return number;
}

static int add_fields(rtn_request *request)
{
    char *type = text_of(request, "type", 0);
    int r = type == NULL ? rtn_reply_header(request, "Content-Type", "text/plain")
            : *type != 0 ? rtn_reply_header(request, "Content-Type", type)
                         : 0;
    free(type);
    char *field;
    for (size_t i = 0; r == 0 && (field = text_of(request, "h", i)) != NULL; i++) {
        char *colon = strstr(field, ": ");
        *colon = '\0';
        r = rtn_reply_header(request, field, colon + 2);
        free(field);
    }
    return r;
}

/* "line 0\nline 1\n" ..., or bytes of a simple generator; the same for every reply. */
static char *make_content(size_t size, bool random)
{
    char *content = malloc(size + 32);
    unsigned state = 1;
    size_t at = 0;
    if (content == NULL)
        return NULL;
    for (unsigned i = 0; at < size && !random; i++)
        at += (size_t) snprintf(content + at, 32, "line %u\n", i);
    for (; at < size; at++) {
        state = state * 1103515245 + 12345;
        content[at] = (char) (state >> 23);
    }
    return content;
}

static int handle_whole(rtn_request *request, void *instance)
{
    (void) instance;
    size_t size = number_of(request, "size", 5000);
    char *content = make_content(size, is_set(request, "random"));
    int r = content != NULL ? add_fields(request) : -1;
    if (r == 0)
        return rtn_reply_release(request, (int) number_of(request, "status", 200), content, size, free, content);
    free(content);
    return r;
}

static int write_pieces(rtn_request *request, const char *content, size_t size)
{
    size_t piece = number_of(request, "piece", 1000);
    bool flush = is_set(request, "flush");
    int r = 0;
    for (size_t at = 0; r == 0 && at < size; at += piece) {
        r = rtn_reply_write(request, content + at, size - at < piece ? size - at : piece);
        if (r == 0 && flush)
            r = rtn_reply_flush(request);
    }
    return r;
}

static int handle_pieces(rtn_request *request, void *instance)
{
    (void) instance;
    size_t size = number_of(request, "size", 5000);
    int64_t length = !is_set(request, "length") ? -1 : (int64_t) size + is_set(request, "short");
    char *content = make_content(size, is_set(request, "random"));
    int r = content != NULL ? add_fields(request) : -1;
    if (r == 0)
        r = rtn_reply_begin(request, (int) number_of(request, "status", 200), length);
    if (r == 0)
        r = write_pieces(request, content, size);
    free(content);
    return r < 0 ? r : RTN_DONE;
}

static int handle_wait(rtn_request *request, void *instance)
{
    (void) instance;
    int r = is_set(request, "events") ? rtn_reply_events(request) : add_fields(request);
    if (r == 0 && !is_set(request, "events"))
        r = rtn_reply_begin(request, 200, -1);
    if (r < 0)
        return r;
    atomic_store(&held, rtn_request_later(request, NULL, NULL));
    return RTN_LATER;
}

/* What was pushed; in replies that are no events nothing is flushed: the wait that follows has to see to it. */
static int reply_more(rtn_request *request, void *data)
{
    char *text = data;
    bool end = strcmp(text, "end") == 0;
    int r = 0;
    if (!end && is_set(request, "events"))
        r = rtn_reply_event(request, NULL, NULL, text);
    else if (!end)
        r = rtn_reply_write(request, text, strlen(text));
    free(text);
    return r < 0 ? r : end ? RTN_DONE : RTN_LATER;
}

static int handle_push(rtn_request *request, void *instance)
{
    (void) instance;
    char *text = text_of(request, "text", 0);
    return rtn_reply_format(request, 200, "%d\n", rtn_resume(atomic_load(&held), reply_more, free, text));
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "whole", .summary = "A reply in one.", .handle = handle_whole },
    { .name = "whole_worker", .summary = "The same.", .handle = handle_whole, .threads = RTN_THREADS_PARALLEL },
    { .name = "pieces", .summary = "A reply in pieces.", .handle = handle_pieces },
    { .name = "pieces_worker", .summary = "The same.", .handle = handle_pieces, .threads = RTN_THREADS_PARALLEL },
    { .name = "wait", .summary = "By and by.", .handle = handle_wait },
    { .name = "wait_worker", .summary = "The same.", .handle = handle_wait, .threads = RTN_THREADS_PARALLEL },
    { .name = "push", .summary = "What comes next there.", .handle = handle_push },
    { 0 },
};

static const struct rtn_module module = {
    .name = "compressible",
    .version = "1.0",
    .summary = "Replies to be compressed.",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
