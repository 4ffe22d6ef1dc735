/* hello: answers every request with a text. The smallest useful module. */
#include <retinue/module.h>

struct hello {
    const char *text;
};

static int greet(rtn_request *request, void *instance)
{
    const struct hello *hello = instance;
    return rtn_reply_text(request, 200, hello->text);
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct hello, text, .name = "text", .fallback = "hello world\n", .help = "What to answer."),
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = {
    { .name = "hello", .summary = "Answers with the text.", .handle = greet, .methods = RTN_METHOD_GET },
    { 0 },
};

static const struct rtn_module module = {
    .name = "hello",
    .version = "1.0",
    .summary = "Answers every request with a greeting.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct hello),
    .options = options,
    .http = http_handlers,
};
RTN_REGISTER_MODULE(module)
