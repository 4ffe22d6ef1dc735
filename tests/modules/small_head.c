/*
 * As if compiled against an older header: each struct ends before its last members, and what follows it in memory
 * must not be taken for them.
 */
#include <retinue/module.h>

struct old_option {
    const char *name;
    enum rtn_option_kind kind;
    size_t offset;
    const char *fallback;
};

struct old_http_handler {
    const char *name;
    const char *summary;
    int (*handle)(rtn_request *request, void *instance);
};

struct old_module {
    const char *name;
    const char *version;
    const char *summary;
    enum rtn_threads threads;
    unsigned required_level;
    size_t instance_size;
    const struct old_option *options;
    const struct old_http_handler *http;
};

struct small_head {
    int64_t first;
    int64_t second;
};

static int handle(rtn_request *request, void *instance)
{
    const struct small_head *self = instance;
    return rtn_reply_format(request, 200, "%d %d\n", (int) self->first, (int) self->second);
}

static const struct old_option options[] = {
    { .name = "first", .kind = RTN_OPTION_INT, .offset = offsetof(struct small_head, first), .fallback = "1" },
    { .name = "second", .kind = RTN_OPTION_INT, .offset = offsetof(struct small_head, second), .fallback = "2" },
    { 0 },
};

static const struct old_http_handler http_handlers[] = {
    { .name = "one", .handle = handle },
    { .name = "two", .handle = handle },
    { 0 },
};

static const struct {
    struct old_module module;
    void *trap[16];
} small = {
    .module = {
        .name = "small_head",
        .threads = RTN_THREADS_LOOP,
        .instance_size = sizeof(struct small_head),
        .options = options,
        .http = http_handlers,
    },
    .trap = { (void *) 1, (void *) 1, (void *) 1, (void *) 1, (void *) 1, (void *) 1, (void *) 1, (void *) 1,
              (void *) 1, (void *) 1, (void *) 1, (void *) 1, (void *) 1, (void *) 1, (void *) 1, (void *) 1 },
};

RTN_EXPORT const struct rtn_module_head *rtn_module_entry_v1(void);
const struct rtn_module_head *rtn_module_entry_v1(void)
{
    static const struct rtn_module_head head = {
        .magic = RTN_MODULE_MAGIC,
        .head_size = offsetof(struct rtn_module_head, ws_handler_size),
        .api_level = 1,
        .module_size = sizeof(struct old_module),
        .option_size = sizeof(struct old_option),
        .http_handler_size = sizeof(struct old_http_handler),
        .module = (const struct rtn_module *) (const void *) &small.module,
        .built_with = "an older compiler",
        .ws_handler_size = 1,
    };
    return &head;
}
