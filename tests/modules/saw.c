/* Takes bodies in pieces and answers with all that it saw of a request: head, body, trailers. Not how it was cut. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <retinue/module.h>

struct seen {
    char *body;
    size_t length;
};

static void forget(void *data)
{
    struct seen *seen = data;
    free(seen->body);
    free(seen);
}

static int begin(rtn_request *request, void *instance)
{
    (void) instance;
    struct seen *seen = calloc(1, sizeof(*seen));
    if (seen == NULL)
        return -ENOMEM;
    rtn_request_set_data(request, seen, forget);
    return RTN_DONE;
}

static int take(rtn_request *request, const void *data, size_t length, void *instance)
{
    (void) instance;
    struct seen *seen = rtn_request_data(request);
    char *grown = realloc(seen->body, seen->length + length);
    if (grown == NULL)
        return -ENOMEM;
    memcpy(grown + seen->length, data, length);
    seen->body = grown;
    seen->length += length;
    return RTN_DONE;
}

static void print_trailer(FILE *out, const rtn_request *request, const char *name)
{
    rtn_str value = rtn_request_trailer(request, name);
    if (value.data != NULL)
        fprintf(out, "trailer %s=[%.*s]\n", name, RTN_STR_ARG(value));
}

static void print(FILE *out, rtn_request *request, const struct seen *seen)
{
    rtn_str name;
    rtn_str value;
    fprintf(out, "%.*s %.*s\n", RTN_STR_ARG(rtn_request_method_name(request)),
            RTN_STR_ARG(rtn_request_target(request)));
    for (size_t i = 0; rtn_request_header_at(request, i, &name, &value); i++)
        fprintf(out, "%.*s=[%.*s]\n", RTN_STR_ARG(name), RTN_STR_ARG(value));
    fprintf(out, "body %zu [%.*s]\n", seen->length, (int) seen->length, seen->length > 0 ? seen->body : "");
    print_trailer(out, request, "X-Sum");
    print_trailer(out, request, "x-last");
    print_trailer(out, request, "host");
}

static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return -ENOMEM;
    print(out, request, rtn_request_data(request));
    if (fclose(out) != 0) {
        free(text);
        return -ENOMEM;
    }
    return rtn_reply_release(request, 200, text, length, free, text);
}

/* The same for routes that read no body. */
static int handle_none(rtn_request *request, void *instance)
{
    int r = begin(request, instance);
    return r < 0 ? r : handle(request, instance);
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "loop-none", .handle = handle_none },
    { .name = "worker-none", .handle = handle_none, .threads = RTN_THREADS_PARALLEL },
    { .name = "loop", .begin = begin, .body = take, .handle = handle },
    { .name = "worker", .begin = begin, .body = take, .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "saw",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
