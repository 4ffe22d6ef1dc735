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

struct new_line_handler {
    struct rtn_line_handler known;
    void *more[2];
};

struct new_message_handler {
    struct rtn_message_handler known;
    void *more;
};

struct new_message_row {
    struct rtn_message_row known;
    void *more[2];
};

struct new_message_type {
    struct rtn_message_type known;
    void *more;
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

static int take_line(rtn_connection *connection, const char *line, size_t length, void *instance)
{
    (void) connection;
    (void) line;
    (void) length;
    (void) instance;
    return 0;
}

static int take(rtn_function function, rtn_message *message, const void *payload, size_t length, void *instance)
{
    (void) function;
    (void) message;
    (void) payload;
    (void) length;
    (void) instance;
    return RTN_DONE;
}

static void nothing(void)
{
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

static const struct new_line_handler line_handlers[] = {
    { { .name = "five", .line = take_line }, { NULL } },
    { { .name = "six", .line = take_line, .threads = RTN_THREADS_SERIAL }, { NULL } },
    { .known = { 0 } },
};

#define TYPE(name_, size_)                                                          \
    {                                                                               \
        { sizeof(struct new_message_type), name_, 1, (size_), 0, NULL }, (void *) 1 \
    }
static struct new_message_type first = TYPE("large_first", 1);
static struct new_message_type second = TYPE("large_second", 2);

static const struct new_message_row rows[] = {
    { { &first.known, take, nothing }, { (void *) 1, NULL } },
    { { &second.known, take, nothing }, { (void *) 1, NULL } },
    { .known = { 0 } },
};

static struct rtn_message_type *const sends[] = { &first.known, &second.known, NULL };

static const struct new_message_handler message_handlers[] = {
    { { .name = "seven", .on = &rows[1].known }, (void *) 1 },
    { { .name = "eight", .on = &rows[0].known, .sends = sends }, (void *) 1 },
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
        .line = &line_handlers[0].known,
        .messages = &message_handlers[0].known,
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
            .line_handler_size = sizeof(struct new_line_handler),
            .message_handler_size = sizeof(struct new_message_handler),
            .message_row_size = sizeof(struct new_message_row),
        },
    };
    return &head.known;
}
