/* One sound module with every part replaceable: meson.build makes each broken module by replacing one. */
#include <retinue/module.h>

#ifndef NAME
#define NAME "broken"
#endif
#ifndef THREADS
#define THREADS RTN_THREADS_PARALLEL
#endif
#ifndef REQUIRED_LEVEL
#define REQUIRED_LEVEL 0
#endif
#ifndef HANDLERS
#define HANDLERS                         \
    { .name = "one", .handle = handle }, \
    {                                    \
        0                                \
    }
#endif
#ifndef WS_HANDLERS
#define WS_HANDLERS \
    {               \
        0           \
    }
#endif
#ifndef WS_SIZE
#define WS_SIZE sizeof(struct rtn_ws_handler)
#endif
#ifndef OPTION
#define OPTION
#endif
#ifndef OFFSET
#define OFFSET offsetof(struct broken, number)
#endif
#ifndef MAGIC
#define MAGIC RTN_MODULE_MAGIC
#endif
#ifndef LEVEL
#define LEVEL RTN_API_LEVEL
#endif
#ifndef MODULE_SIZE
#define MODULE_SIZE sizeof(struct rtn_module)
#endif

struct broken {
    int64_t number;
};

static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_status(request, 204);
}

static int take(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, void *instance)
{
    (void) connection;
    (void) type;
    (void) data;
    (void) length;
    (void) instance;
    return 0;
}

static int take_piece(rtn_connection *connection, enum rtn_ws_type type, const void *data, size_t length, bool last,
                      void *instance)
{
    (void) last;
    return take(connection, type, data, length, instance);
}

static const struct rtn_option options[] = {
    { .name = "number", .kind = RTN_OPTION_INT, .offset = OFFSET, OPTION },
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = { HANDLERS };

static const struct rtn_ws_handler ws_handlers[] = { WS_HANDLERS };

static const struct rtn_module module = {
    .name = NAME,
    .threads = THREADS,
    .required_level = REQUIRED_LEVEL,
    .instance_size = sizeof(struct broken),
    .options = options,
    .http = http_handlers,
    .websocket = ws_handlers,
};

RTN_EXPORT const struct rtn_module_head *rtn_module_entry_v1(void);
const struct rtn_module_head *rtn_module_entry_v1(void)
{
    static const struct rtn_module_head head = {
        .magic = MAGIC,
        .head_size = sizeof(struct rtn_module_head),
        .api_level = LEVEL,
        .module_size = MODULE_SIZE,
        .option_size = sizeof(struct rtn_option),
        .http_handler_size = sizeof(struct rtn_http_handler),
        .module = &module,
        .built_with = RTN_BUILT_WITH,
        .ws_handler_size = WS_SIZE,
    };
    return &head;
}
