/*
 * Checks the rows of a module's two tables of handlers, HTTP and WebSocket, after they were copied into our sizes.
 */
#include <errno.h>

#include "app/module_check.h"

#define PROTOCOLS_MAX 1024

_Static_assert(offsetof(struct rtn_http_handler, name) == 0 && offsetof(struct rtn_ws_handler, name) == 0,
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

/* What both kinds of handlers have; `kind` is "" or "WebSocket ". */
static int check_row(const struct rtn_loaded *loaded, const char *kind, const char *name, enum rtn_threads threads,
                     struct rtn_buf *problem)
{
    if (threads != 0 && !rtn_module_is_thread_model(threads))
        return rtn_module_refuse(problem, "has %shandler \"%s\" with thread model %d, which is none", kind, name,
                                 (int) threads);
    if (threads > loaded->module.threads)
        return rtn_module_refuse(problem, "has %shandler \"%s\", which promises more about threads than the module",
                                 kind, name);
    return 0;
}

static int check_http(const struct rtn_loaded *loaded, size_t at, struct rtn_buf *problem)
{
    const struct rtn_http_handler *handler = &loaded->http[at];
    if (!rtn_module_is_name(handler->name))
        return rtn_module_refuse(problem, "has no valid name for handler %zu: .name takes letters, digits, '-' and '_'",
                                 at + 1);
    if (handler->handle == NULL)
        return rtn_module_refuse(problem, "has handler \"%s\" without a function: .handle is mandatory", handler->name);
    if (check_row(loaded, "", handler->name, handler->threads, problem) < 0)
        return -EINVAL;
    if (handler->methods != 0 && (handler->methods & RTN_METHOD_ALL) == 0)
        return rtn_module_refuse(problem, "has handler \"%s\" for methods this daemon does not know", handler->name);
    if (is_taken(loaded->http, sizeof(*handler), at, handler->name))
        return rtn_module_refuse(problem, "has two handlers called \"%s\"", handler->name);
    return 0;
}

static int check_protocols(const struct rtn_ws_handler *handler, struct rtn_buf *problem)
{
    for (size_t i = 0; handler->protocols != NULL && handler->protocols[i] != NULL; i++) {
        if (i >= PROTOCOLS_MAX)
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
    if (!rtn_module_is_name(handler->name))
        return rtn_module_refuse(
            problem, "has no valid name for WebSocket handler %zu: .name takes letters, digits, '-' and '_'", at + 1);
    if (check_row(loaded, "WebSocket ", handler->name, handler->threads, problem) < 0)
        return -EINVAL;
    if (handler->message != NULL && handler->fragment != NULL)
        return rtn_module_refuse(problem, "has WebSocket handler \"%s\" with both .message and .fragment",
                                 handler->name);
    if (is_taken(loaded->ws, sizeof(*handler), at, handler->name))
        return rtn_module_refuse(problem, "has two WebSocket handlers called \"%s\"", handler->name);
    return check_protocols(handler, problem);
}

int rtn_module_check_handlers(const struct rtn_loaded *loaded, struct rtn_buf *problem)
{
    if (loaded->http_count == 0 && loaded->ws_count == 0)
        return rtn_module_refuse(problem, "has no handlers: .http and .websocket are missing or empty");
    for (size_t i = 0; i < loaded->http_count; i++) {
        if (check_http(loaded, i, problem) < 0)
            return -EINVAL;
    }
    for (size_t i = 0; i < loaded->ws_count; i++) {
        if (check_ws(loaded, i, problem) < 0)
            return -EINVAL;
    }
    return 0;
}
