/* The callbacks of line handlers, one function for each: what they get. Their connections have no access log. */
#include "app/line_call.h"

#include <retinue/module.h>

#include <inttypes.h>

#include "app/session_events.h"
#include "proto/http1_internal.h"

static const struct rtn_line_handler *handler_of(const struct rtn_connection *connection)
{
    return rtn_session_instance(connection)->line;
}

static int call_open(struct rtn_connection *connection)
{
    const struct rtn_line_handler *handler = handler_of(connection);
    return handler->open != NULL ? handler->open(connection, rtn_session_instance(connection)->data) : 0;
}

static int call_line(struct rtn_connection *connection, enum rtn_ws_opcode type, const unsigned char *data,
                     size_t length, bool last)
{
    (void) type;
    (void) last;
    return handler_of(connection)
        ->line(connection, (const char *) data, length, rtn_session_instance(connection)->data);
}

static void call_drain(struct rtn_connection *connection)
{
    const struct rtn_line_handler *handler = handler_of(connection);
    if (handler->drain != NULL)
        handler->drain(connection, rtn_session_instance(connection)->data);
}

static void call_close(struct rtn_connection *connection)
{
    const struct rtn_line_handler *handler = handler_of(connection);
    const struct rtn_line_closed how = { .struct_size = sizeof(how),
                                         .cause = connection->cause,
                                         .detail = connection->detail };
    if (handler->close != NULL)
        handler->close(connection, &how, rtn_session_instance(connection)->data);
}

static bool has_drain(const struct rtn_connection *connection)
{
    return handler_of(connection)->drain != NULL;
}

static const char *name_of(const struct rtn_connection *connection)
{
    return handler_of(connection)->name;
}

static void log_open(struct rtn_connection *connection)
{
    if (rtn_log_enabled(RTN_LOG_DEBUG))
        rtn_log(RTN_LOG_DEBUG, "%s: %s: open: line connection %" PRIu64, rtn_session_instance(connection)->place.text,
                rtn_connection_peer_text(connection), connection->id);
}

static void log_closed(struct rtn_connection *connection, enum rtn_log_level level)
{
    int64_t ms = rtn_http1_now_ms(connection->http) - connection->session->opened_at;
    level = RTN_MAX(level, RTN_LOG_DEBUG);
    if (rtn_log_enabled(level))
        rtn_log(level, "%s: %s closed (%s)%s%s; line connection %" PRIu64 ", open for %" PRId64 ".%03ds",
                rtn_session_instance(connection)->place.text, rtn_connection_peer_text(connection),
                rtn_close_cause_name(connection->cause), connection->detail != NULL ? ": " : "",
                connection->detail != NULL ? connection->detail : "", connection->id, ms / 1000, (int) (ms % 1000));
}

const struct rtn_session_calls rtn_line_calls = {
    .open = call_open,
    .message = call_line,
    .drain = call_drain,
    .close = call_close,
    .has_drain = has_drain,
    .name = name_of,
    .log_open = log_open,
    .log_closed = log_closed,
};

static int on_made(struct rtn_line *line)
{
    return rtn_session_prepare(&line->session);
}

const struct rtn_line_events rtn_line_upward_events = { .made = on_made };
