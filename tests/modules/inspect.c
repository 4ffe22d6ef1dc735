/* Answers with all that the API says about a request, a line each. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <retinue/module.h>

static void print(FILE *out, const char *what, rtn_str value)
{
    if (value.data == NULL)
        fprintf(out, "%s absent\n", what);
    else
        fprintf(out, "%s [%.*s]\n", what, RTN_STR_ARG(value));
}

static void print_params(FILE *out, const rtn_request *request)
{
    static const char *const names[] = { "id", "name", "*" };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        rtn_str value = rtn_request_param(request, names[i]);
        if (value.data != NULL)
            fprintf(out, "param %s=[%.*s]\n", names[i], RTN_STR_ARG(value));
    }
}

typedef bool pair_at(rtn_request *request, size_t index, rtn_str *name, rtn_str *value);

static void print_pairs(FILE *out, const char *what, rtn_request *request, pair_at *at)
{
    rtn_str name;
    rtn_str value;
    for (size_t i = 0; at(request, i, &name, &value); i++)
        fprintf(out, "%s %zu [%.*s]=[%.*s]\n", what, i, RTN_STR_ARG(name), RTN_STR_ARG(value));
}

static bool header_at(rtn_request *request, size_t index, rtn_str *name, rtn_str *value)
{
    return rtn_request_header_at(request, index, name, value);
}

static void print_request(FILE *out, rtn_request *request)
{
    rtn_connection *connection = rtn_request_connection(request);
    fprintf(out, "method %#x %s\n", (unsigned) rtn_request_method(request),
            rtn_request_is_head(request) ? "head" : "not-head");
    print(out, "method_name", rtn_request_method_name(request));
    print(out, "target", rtn_request_target(request));
    print(out, "path", rtn_request_path(request));
    print(out, "query", rtn_request_query(request));
    fprintf(out, "version %d\n", rtn_request_version(request));
    print_params(out, request);
    print_pairs(out, "header", request, header_at);
    print(out, "first-x-test", rtn_request_header(request, "X-TEST"));
    rtn_str body = rtn_request_body(request);
    fprintf(out, body.data != NULL ? "body %zu\n" : "body absent %zu\n", body.length);
    print_pairs(out, "query", request, rtn_query_at);
    print_pairs(out, "form", request, rtn_form_at);
    print(out, "query-q-0", rtn_query_value(request, "q", 0));
    print(out, "query-q-1", rtn_query_value(request, "q", 1));
    print(out, "form-q-0", rtn_form_value(request, "q", 0));
    print(out, "form-q-1", rtn_form_value(request, "q", 1));
    fprintf(out, "peer %s\n", rtn_connection_peer(connection));
    fprintf(out, "connection %" PRIu64 "\n", rtn_connection_id(connection));
    fprintf(out, "server %s\n", rtn_server_name(rtn_request_server(request)));
    fprintf(out, "thread %s\n", rtn_thread_name());
    fprintf(out, "level %u\n", rtn_api_level());
}

static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return -ENOMEM;
    print_request(out, request);
    if (fclose(out) != 0) {
        free(text);
        return -ENOMEM;
    }
    return rtn_reply_release(request, 200, text, length, free, text);
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "loop", .handle = handle },
    { .name = "worker", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { .name = "all", .handle = handle, .methods = RTN_METHOD_ALL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "inspect",
    .version = "1.0",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
