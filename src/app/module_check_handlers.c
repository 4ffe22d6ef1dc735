/*
 * Checks the rows of a module's tables of handlers, one for each kind, after they were copied into our sizes.
 */
#include <errno.h>

#include "app/module_check.h"

_Static_assert(offsetof(struct rtn_http_handler, name) == 0 && offsetof(struct rtn_ws_handler, name) == 0 &&
                   offsetof(struct rtn_line_handler, name) == 0 && offsetof(struct rtn_loaded_messages, handler) == 0 &&
                   offsetof(struct rtn_message_handler, name) == 0,
               "rows of handlers begin with their name");

/* True when a row before number `at` has that name. */
static bool is_taken(const void *rows, size_t size, size_t at, const char *name)
{
    for (size_t i = 0; i < at; i++) {
        const char *other;
        memcpy(&other, (const char *) rows + i * size, sizeof(other)); /* the first member */
        if (strcmp(other, name) == 0)
            return true;
    }
    return false;
}

/* What all kinds of handlers have. */
struct row {
    const char *kind; /* "", "WebSocket " */
    const void *rows;
    size_t size;
    size_t at;
    const char *name;
    enum rtn_threads threads;
};

static int check_row(const struct rtn_loaded *loaded, const struct row *row, struct rtn_buf *problem)
{
    if (!rtn_module_is_name(row->name))
        return rtn_module_refuse(problem,
                                 "has no valid name for %shandler %zu: .name takes letters, digits, '-' and '_'",
                                 row->kind, row->at + 1);
    if (row->threads != 0 && !rtn_module_is_thread_model(row->threads))
        return rtn_module_refuse(problem, "has %shandler \"%s\" with thread model %d, which is none", row->kind,
                                 row->name, (int) row->threads);
    if (row->threads > loaded->module.threads)
        return rtn_module_refuse(problem, "has %shandler \"%s\", which promises more about threads than the module",
                                 row->kind, row->name);
    if (is_taken(row->rows, row->size, row->at, row->name))
        return rtn_module_refuse(problem, "has two %shandlers called \"%s\"", row->kind, row->name);
    return 0;
}

static int check_http(const struct rtn_loaded *loaded, size_t at, struct rtn_buf *problem)
{
    const struct rtn_http_handler *handler = &loaded->http[at];
    const struct row row = { "", loaded->http, sizeof(*handler), at, handler->name, handler->threads };
    if (check_row(loaded, &row, problem) < 0)
        return -EINVAL;
    if (handler->handle == NULL)
        return rtn_module_refuse(problem, "has handler \"%s\" without a function: .handle is mandatory", handler->name);
    if (handler->methods != 0 && (handler->methods & RTN_METHOD_ALL) == 0)
        return rtn_module_refuse(problem, "has handler \"%s\" for methods this daemon does not know", handler->name);
    return 0;
}

static int check_protocols(const struct rtn_ws_handler *handler, struct rtn_buf *problem)
{
    for (size_t i = 0; handler->protocols != NULL && handler->protocols[i] != NULL; i++) {
        if (i >= RTN_MODULE_TABLE_MAX)
            return rtn_module_refuse(problem, "has WebSocket handler \"%s\" with .protocols that do not end with NULL",
                                     handler->name);
        if (!rtn_is_token(rtn_str_of(handler->protocols[i])))
            return rtn_module_refuse(problem, "has WebSocket handler \"%s\" with subprotocol \"%s\", which is no token",
                                     handler->name, handler->protocols[i]);
    }
    return 0;
}

static int check_ws(const struct rtn_loaded *loaded, size_t at, struct rtn_buf *problem)
{
    const struct rtn_ws_handler *handler = &loaded->ws[at];
    const struct row row = { "WebSocket ", loaded->ws, sizeof(*handler), at, handler->name, handler->threads };
    if (check_row(loaded, &row, problem) < 0)
        return -EINVAL;
    if (handler->message != NULL && handler->fragment != NULL)
        return rtn_module_refuse(problem, "has WebSocket handler \"%s\" with both .message and .fragment",
                                 handler->name);
    return check_protocols(handler, problem);
}

static int check_line(const struct rtn_loaded *loaded, size_t at, struct rtn_buf *problem)
{
    const struct rtn_line_handler *handler = &loaded->line[at];
    const struct row row = { "line ", loaded->line, sizeof(*handler), at, handler->name, handler->threads };
    if (check_row(loaded, &row, problem) < 0)
        return -EINVAL;
    if (handler->line == NULL)
        return rtn_module_refuse(problem, "has line handler \"%s\" without a function: .line is mandatory",
                                 handler->name);
    return 0;
}

static int check_messages(const struct rtn_loaded *loaded, size_t at, struct rtn_buf *problem)
{
    const struct rtn_loaded_messages *messages = &loaded->messages[at];
    const struct rtn_message_handler *handler = &messages->handler;
    const struct row row = { "message ", loaded->messages, sizeof(*messages), at, handler->name, handler->threads };
    if (check_row(loaded, &row, problem) < 0)
        return -EINVAL;
    if (messages->row_count == 0)
        return rtn_module_refuse(problem, "has message handler \"%s\" that takes nothing: .on is missing or empty",
                                 handler->name);
    return 0;
}

/* A module without handlers works by what its start hook begins. */
static int check_any(const struct rtn_loaded *loaded, struct rtn_buf *problem)
{
    size_t count = loaded->http_count + loaded->ws_count + loaded->line_count + loaded->message_count;
    if (count > 0 || loaded->module.start != NULL)
        return 0;
    return rtn_module_refuse(problem,
                             "has no handlers: .http, .websocket, .line and .messages are missing or empty, and there "
                             "is no .start");
}

int rtn_module_check_handlers(const struct rtn_loaded *loaded, struct rtn_buf *problem)
{
    const struct {
        int (*check)(const struct rtn_loaded *loaded, size_t at, struct rtn_buf *problem);
        size_t count;
    } kinds[] = {
        { check_http, loaded->http_count },
        { check_ws, loaded->ws_count },
        { check_line, loaded->line_count },
        { check_messages, loaded->message_count },
    };
    for (size_t kind = 0; kind < RTN_ARRAY_LENGTH(kinds); kind++) {
        for (size_t i = 0; i < kinds[kind].count; i++) {
            if (kinds[kind].check(loaded, i, problem) < 0)
                return -EINVAL;
        }
    }
    return check_any(loaded, problem);
}
