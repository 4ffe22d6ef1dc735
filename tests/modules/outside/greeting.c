/* A module built outside of the source tree: only the installed header and pkg-config are needed. */
#include <retinue/module.h>

struct greeting {
    const char *to;
    int64_t times;
};

static int configure(void *instance, rtn_setup *setup)
{
    const struct greeting *self = instance;
    return self->to[0] != '\0' ? 0 : rtn_setup_error(setup, "to", "somebody must be greeted");
}

static int greet(rtn_request *request, void *instance)
{
    const struct greeting *self = instance;
    return rtn_reply_format(request, 200, "%d times hello to %s\n", (int) self->times, self->to);
}

static const struct rtn_option options[] = {
    RTN_OPTION(STRING, struct greeting, to, .name = "to", .fallback = "everybody", .help = "Who is greeted."),
    RTN_OPTION(INT, struct greeting, times, .name = "times", .fallback = "1", .min = 1, .max = 1000,
               .help = "How often."),
    { 0 },
};

static const struct rtn_http_handler handlers[] = { { .name = "greet", .handle = greet }, { 0 } };

static const struct rtn_module module = {
    .name = "greeting",
    .version = "0.1",
    .summary = "Greets somebody.",
    .threads = RTN_THREADS_LOOP,
    .instance_size = sizeof(struct greeting),
    .options = options,
    .http = handlers,
    .configure = configure,
};
RTN_REGISTER_MODULE(module)
