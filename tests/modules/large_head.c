/*
 * As if compiled against a newer header: head and structs have more members at their ends, and the module says that
 * it can do without them.
 */
#include <retinue/module.h>

struct new_option {
    struct rtn_option known;
    const char *unit;
};

struct new_http_handler {
    struct rtn_http_handler known;
    void (*cancel)(void *);
    void *more;
};

struct new_ws_handler {
    struct rtn_ws_handler known;
    void *more[3];
};

struct new_module {
    struct rtn_module known;
    void (*reload)(void *);
    void *more[4];
};

struct new_head {
    struct rtn_module_head known;
    void *more;
};

struct large_head {
    int64_t first;
    int64_t second;
};

static int handle(rtn_request *request, void *instance)
{
    const struct large_head *self = instance;
    return rtn_reply_format(request, 200, "%d %d\n", (int) self->first, (int) self->second);
}

static void later(void *instance)
{
    (void) instance;
}

static const struct new_option options[] = {
    { RTN_OPTION(INT, struct large_head, first, .name = "first", .fallback = "1"), "apples" },
    { RTN_OPTION(INT, struct large_head, second, .name = "second", .fallback = "2"), "pears" },
    { .known = { 0 } },
};

static const struct new_http_handler http_handlers[] = {
    { { .name = "one", .handle = handle }, later, NULL },
    { { .name = "two", .handle = handle, .threads = RTN_THREADS_PARALLEL }, later, NULL },
    { .known = { 0 } },
};

static const struct new_ws_handler ws_handlers[] = {
    { { .name = "three", .threads = RTN_THREADS_SERIAL }, { NULL } },
    { { .name = "four" }, { NULL } },
    { .known = { 0 } },
};

static const struct new_module module = {
    .known = {
        .name = "large_head",
        .threads = RTN_THREADS_LOOP,
        .required_level = 1,
        .instance_size = sizeof(struct large_head),
        .options = &options[0].known,
        .http = &http_handlers[0].known,
        .websocket = &ws_handlers[0].known,
    },
    .reload = later,
};

RTN_EXPORT const struct rtn_module_head *rtn_module_entry_v1(void);
const struct rtn_module_head *rtn_module_entry_v1(void)
{
    static const struct new_head head = {
        .known = {
            .magic = RTN_MODULE_MAGIC,
            .head_size = sizeof(struct new_head),
            .api_level = RTN_API_LEVEL + 1,
            .module_size = sizeof(struct new_module),
            .option_size = sizeof(struct new_option),
            .http_handler_size = sizeof(struct new_http_handler),
            .module = &module.known,
            .built_with = "a newer compiler",
            .ws_handler_size = sizeof(struct new_ws_handler),
        },
    };
    return &head.known;
}
