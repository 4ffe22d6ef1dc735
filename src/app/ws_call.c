/* The callbacks of WebSocket handlers, one function for each: what they get. */
#include "app/session_call.h"

#include <retinue/module.h>

#include "app/ws_log.h"
#include "proto/ws_client.h"

/* Of an outgoing one, what its order names. */
static const struct rtn_ws_handler *handler_of(const struct rtn_connection *connection)
{
    const struct rtn_ws *ws = rtn_ws_of(connection->session);
    return ws->client != NULL ? ws->client->spec.handler : rtn_session_instance(connection)->ws;
}

static int call_open(struct rtn_connection *connection)
{
    const struct rtn_instance *instance = rtn_session_instance(connection);
    const struct rtn_ws_handler *handler = handler_of(connection);
    return handler->open != NULL ? handler->open(connection, instance->data) : 0;
}

static int call_message(struct rtn_connection *connection, enum rtn_ws_opcode type, const unsigned char *data,
                        size_t length, bool last)
{
    const struct rtn_instance *instance = rtn_session_instance(connection);
    const struct rtn_ws_handler *handler = handler_of(connection);
    if (handler->fragment != NULL)
        return handler->fragment(connection, (enum rtn_ws_type) type, data, length, last, instance->data);
    if (handler->message != NULL)
        return handler->message(connection, (enum rtn_ws_type) type, data, length, instance->data);
    return 0;
}

static void call_drain(struct rtn_connection *connection)
{
    const struct rtn_instance *instance = rtn_session_instance(connection);
    const struct rtn_ws_handler *handler = handler_of(connection);
    if (handler->drain != NULL)
        handler->drain(connection, instance->data);
}

static void call_close(struct rtn_connection *connection)
{
    const struct rtn_instance *instance = rtn_session_instance(connection);
    const struct rtn_ws_handler *handler = handler_of(connection);
    const struct rtn_ws *ws = rtn_ws_of(connection->session);
    const struct rtn_ws_closed how = { .struct_size = sizeof(how),
                                       .cause = connection->cause,
                                       .code = ws->code,
                                       .reason = { ws->reason, ws->reason_length },
                                       .detail = connection->detail,
                                       .opened = ws->session.opened };
    if (handler->close != NULL)
        handler->close(connection, &how, instance->data);
}

static bool has_drain(const struct rtn_connection *connection)
{
    return handler_of(connection)->drain != NULL;
}

static const char *name_of(const struct rtn_connection *connection)
{
    return handler_of(connection)->name;
}

const struct rtn_session_calls rtn_ws_calls = {
    .open = call_open,
    .message = call_message,
    .drain = call_drain,
    .close = call_close,
    .has_drain = has_drain,
    .name = name_of,
    .log_open = rtn_ws_log_open,
    .log_closed = rtn_ws_log_closed,
};
