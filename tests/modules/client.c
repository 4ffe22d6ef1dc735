/* Answers with who the client is, a line each: as the connection says, and as the request says. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <retinue/module.h>

static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        return -ENOMEM;
    rtn_str host = rtn_request_host(request);
    fprintf(out, "client=%s\n", rtn_request_client(request));
    fprintf(out, "scheme=%s\n", rtn_request_scheme(request));
    fprintf(out, "host=%.*s\n", RTN_STR_ARG(host));
    fprintf(out, "peer=%s\n", rtn_connection_peer(rtn_request_connection(request)));
    fprintf(out, "forwarded=%s\n", rtn_request_header(request, "forwarded").data != NULL ? "seen" : "hidden");
    fprintf(out, "body=%zu\n", rtn_request_body(request).length);
    if (fclose(out) != 0) {
        free(text);
        return -ENOMEM;
    }
    return rtn_reply_release(request, 200, text, length, free, text);
}

static const struct rtn_http_handler http_handlers[] = {
    { .name = "loop", .handle = handle },
    { .name = "worker", .handle = handle, .threads = RTN_THREADS_PARALLEL },
    { 0 },
};

static const struct rtn_module module = {
    .name = "client",
    .version = "1.0",
    .summary = "Says who the client is.",
    .threads = RTN_THREADS_LOOP,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
