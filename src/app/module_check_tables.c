/*
 * Copies the tables of a module into our sizes. They are walked with the module's own stride; each row is copied as
 * far as both sides know it, into a zeroed one. The smallest sizes taken are those that hold what nobody can do
 * without.
 */
#include <errno.h>
#include <sys/types.h>

#include "app/module_check.h"
#include "config/memory.h"
#include "proto/ws_crypto.h"

/* One kind of table. */
struct table {
    const char *what; /* for messages */
    size_t minimum; /* what the module's rows have at least */
    size_t own_size;
    bool (*is_end)(const void *row); /* reads no more than the minimum */
};

static bool is_last_option(const void *row)
{
    const struct rtn_option *option = row;
    return option->name == NULL && option->kind == 0;
}

static bool is_last_http(const void *row)
{
    const struct rtn_http_handler *handler = row;
    return handler->name == NULL && handler->handle == NULL;
}

static bool is_last_ws(const void *row)
{
    const struct rtn_ws_handler *handler = row;
    return handler->name == NULL && handler->upgrade == NULL && handler->open == NULL && handler->message == NULL &&
           handler->fragment == NULL && handler->drain == NULL && handler->close == NULL;
}

static bool is_last_line(const void *row)
{
    const struct rtn_line_handler *handler = row;
    return handler->name == NULL && handler->open == NULL && handler->line == NULL && handler->drain == NULL &&
           handler->close == NULL;
}

static bool is_last_messages(const void *row)
{
    const struct rtn_message_handler *handler = row;
    return handler->name == NULL && handler->on == NULL;
}

static bool is_last_row(const void *row)
{
    const struct rtn_message_row *message = row;
    return message->type == NULL && message->call == NULL && message->handle == NULL;
}

static const struct table option_table = { "options", RTN_SIZE_UP_TO(struct rtn_option, offset),
                                           sizeof(struct rtn_option), is_last_option };
static const struct table http_table = { "handlers", RTN_SIZE_UP_TO(struct rtn_http_handler, handle),
                                         sizeof(struct rtn_http_handler), is_last_http };
static const struct table ws_table = { "handlers", RTN_SIZE_UP_TO(struct rtn_ws_handler, close),
                                       sizeof(struct rtn_ws_handler), is_last_ws };
static const struct table line_table = { "handlers", RTN_SIZE_UP_TO(struct rtn_line_handler, close),
                                         sizeof(struct rtn_line_handler), is_last_line };
static const struct table message_table = { "handlers", RTN_SIZE_UP_TO(struct rtn_message_handler, sends),
                                            sizeof(struct rtn_message_handler), is_last_messages };
static const struct table row_table = { "messages", RTN_SIZE_UP_TO(struct rtn_message_row, handle),
                                        sizeof(struct rtn_message_row), is_last_row };

/* Sizes of the compiling side; 0 where it is older than the table. */
struct sizes {
    size_t ws_handler;
    size_t line_handler;
    size_t message_handler;
    size_t message_row;
};

/* The last three came together, the first of them into what had been padding. */
static struct sizes sizes_of(const struct rtn_module_head *head)
{
    struct sizes sizes = { 0 };
    if (head->head_size >= RTN_SIZE_UP_TO(struct rtn_module_head, ws_handler_size))
        sizes.ws_handler = head->ws_handler_size;
    if (head->head_size < RTN_SIZE_UP_TO(struct rtn_module_head, message_row_size))
        return sizes;
    sizes.line_handler = head->line_handler_size;
    sizes.message_handler = head->message_handler_size;
    sizes.message_row = head->message_row_size;
    return sizes;
}

/* Number of rows before the last, which is all zero in what counts; -1 when there is no end. */
static ssize_t count_rows(const struct table *table, const void *rows, size_t stride)
{
    for (ssize_t count = 0; count <= RTN_MODULE_TABLE_MAX; count++) {
        if (table->is_end((const char *) rows + (size_t) count * stride))
            return count;
    }
    return -1;
}

/* What `rows` (NULL: none) holds, in our size, with a zeroed row behind the last. */
static int widen(const struct table *table, const void *rows, size_t stride, struct rtn_arena *arena, void **ret,
                 size_t *count, struct rtn_buf *problem)
{
    ssize_t found = 0;
    if (rows != NULL && !rtn_module_is_size(stride, table->minimum))
        return rtn_module_refuse(problem, RTN_MODULE_BAD_SIZES);
    if (rows != NULL)
        found = count_rows(table, rows, stride);
    if (found < 0)
        return rtn_module_refuse(problem, "has a table of %s that does not end with {0}", table->what);
    char *copy = rtn_config_alloc(arena, (size_t) (found + 1) * table->own_size);
    for (size_t i = 0; i < (size_t) found; i++)
        memcpy(copy + i * table->own_size, (const char *) rows + i * stride, RTN_MIN(stride, table->own_size));
    *ret = copy;
    *count = (size_t) found;
    return 0;
}

static int copy_options(struct rtn_loaded *loaded, const struct rtn_module_head *head, struct rtn_arena *arena,
                        struct rtn_buf *problem)
{
    void *rows = NULL;
    int r =
        widen(&option_table, loaded->module.options, head->option_size, arena, &rows, &loaded->option_count, problem);
    loaded->module.options = loaded->options = rows;
    return r;
}

static int copy_http(struct rtn_loaded *loaded, const struct rtn_module_head *head, struct rtn_arena *arena,
                     struct rtn_buf *problem)
{
    void *rows = NULL;
    int r =
        widen(&http_table, loaded->module.http, head->http_handler_size, arena, &rows, &loaded->http_count, problem);
    loaded->module.http = loaded->http = rows;
    return r;
}

static int copy_ws(struct rtn_loaded *loaded, const struct sizes *sizes, struct rtn_arena *arena,
                   struct rtn_buf *problem)
{
    void *rows = NULL;
    const char *wrong;
    int r = widen(&ws_table, loaded->module.websocket, sizes->ws_handler, arena, &rows, &loaded->ws_count, problem);
    loaded->module.websocket = loaded->ws = rows;
    if (r == 0 && loaded->ws_count > 0 && rtn_ws_crypto_load(&wrong) == NULL)
        return rtn_module_refuse(problem, "has WebSocket handlers, which need OpenSSL: %s", wrong);
    return r;
}

static int copy_line(struct rtn_loaded *loaded, const struct sizes *sizes, struct rtn_arena *arena,
                     struct rtn_buf *problem)
{
    void *rows = NULL;
    int r = widen(&line_table, loaded->module.line, sizes->line_handler, arena, &rows, &loaded->line_count, problem);
    loaded->module.line = loaded->line = rows;
    return r;
}

/* Messages: tables in a table, and lists */

static int count_sends(struct rtn_message_type *const *sends, size_t *count, struct rtn_buf *problem)
{
    size_t found = 0;
    while (sends != NULL && sends[found] != NULL) {
        if (++found > RTN_MODULE_TABLE_MAX)
            return rtn_module_refuse(problem, "has a list .sends that does not end with NULL");
    }
    *count = found;
    return 0;
}

static int copy_handler(struct rtn_loaded_messages *messages, const struct sizes *sizes, struct rtn_arena *arena,
                        struct rtn_buf *problem)
{
    void *rows = NULL;
    struct rtn_message_handler *handler = &messages->handler;
    if (widen(&row_table, handler->on, sizes->message_row, arena, &rows, &messages->row_count, problem) < 0)
        return -EINVAL;
    handler->on = messages->rows = rows;
    return count_sends(handler->sends, &messages->send_count, problem);
}

static int copy_messages(struct rtn_loaded *loaded, const struct sizes *sizes, struct rtn_arena *arena,
                         struct rtn_buf *problem)
{
    void *rows = NULL;
    if (widen(&message_table, loaded->module.messages, sizes->message_handler, arena, &rows, &loaded->message_count,
              problem) < 0)
        return -EINVAL;
    const struct rtn_message_handler *handlers = rows;
    loaded->module.messages = NULL;
    loaded->messages = rtn_config_alloc(arena, (loaded->message_count + 1) * sizeof(*loaded->messages));
    for (size_t i = 0; handlers != NULL && i < loaded->message_count; i++) {
        loaded->messages[i].handler = handlers[i];
        if (copy_handler(&loaded->messages[i], sizes, arena, problem) < 0)
            return -EINVAL;
    }
    return count_sends(loaded->module.sends, &loaded->send_count, problem);
}

int rtn_module_check_tables(struct rtn_loaded *loaded, const struct rtn_module_head *head, struct rtn_arena *arena,
                            struct rtn_buf *problem)
{
    const struct sizes sizes = sizes_of(head);
    if (copy_options(loaded, head, arena, problem) < 0 || copy_http(loaded, head, arena, problem) < 0 ||
        copy_ws(loaded, &sizes, arena, problem) < 0 || copy_line(loaded, &sizes, arena, problem) < 0)
        return -EINVAL;
    return copy_messages(loaded, &sizes, arena, problem);
}
