/* One sound module with every part replaceable: meson.build makes each broken module by replacing one. */
#include "ws_ignore.h"

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
#ifndef LINE_HANDLERS
#define LINE_HANDLERS \
    {                 \
        0             \
    }
#endif
#ifndef LINE_SIZE
#define LINE_SIZE sizeof(struct rtn_line_handler)
#endif
#ifndef MESSAGE_HANDLERS
#define MESSAGE_HANDLERS           \
    { .name = "one", .on = rows }, \
    {                              \
        0                          \
    }
#endif
#ifndef MESSAGE_SIZE
#define MESSAGE_SIZE sizeof(struct rtn_message_handler)
#endif
#ifndef ROWS
#define ROWS               \
    RTN_ON(job, take_job), \
    {                      \
        0                  \
    }
#endif
#ifndef ROW_SIZE
#define ROW_SIZE sizeof(struct rtn_message_row)
#endif
#ifndef TYPE
#define TYPE
#endif
#ifndef SENDS
#define SENDS &type, NULL
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

RTN_MESSAGE(job, struct broken)

static struct rtn_message_type type = {
    .struct_size = sizeof(struct rtn_message_type), .name = "other", .version = 1, .size = 1, TYPE
};

static int handle(rtn_request *request, void *instance)
{
    (void) instance;
    return rtn_reply_status(request, 204);
}

static int take_line(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    (void) connection;
    (void) line;
    (void) length;
    (void) instance;
    return 0;
}

static int take_job(rtn_message *message, const struct broken *payload, void *instance)
{
    (void) message;
    (void) payload;
    (void) instance;
    return RTN_DONE;
}

static const struct rtn_option options[] = {
    { .name = "number", .kind = RTN_OPTION_INT, .offset = OFFSET, OPTION },
    { 0 },
};

static const struct rtn_http_handler http_handlers[] = { HANDLERS };

static const struct rtn_ws_handler ws_handlers[] = { WS_HANDLERS };

static const struct rtn_line_handler line_handlers[] = { LINE_HANDLERS };

static const struct rtn_message_row rows[] = { ROWS };

static const struct rtn_message_handler message_handlers[] = { MESSAGE_HANDLERS };

static struct rtn_message_type *const sends[] = { SENDS };

static const struct rtn_module module = {
    .name = NAME,
    .threads = THREADS,
    .required_level = REQUIRED_LEVEL,
    .instance_size = sizeof(struct broken),
    .options = options,
    .http = http_handlers,
    .websocket = ws_handlers,
    .line = line_handlers,
    .messages = message_handlers,
    .sends = sends,
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
        .line_handler_size = LINE_SIZE,
        .message_handler_size = MESSAGE_SIZE,
        .message_row_size = ROW_SIZE,
    };
    return &head;
}
