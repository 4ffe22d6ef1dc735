/* The callbacks of WebSocket handlers, one function for each: what they get, and what becomes of a failure. */
#include "app/ws_call.h"

#include <string.h>

#include "app/ws_log.h"

void rtn_ws_call_close(struct rtn_connection *connection)
{
    const struct rtn_instance *instance = rtn_ws_instance(connection);
    const struct rtn_ws *ws = connection->ws;
    const struct rtn_ws_closed how = { .struct_size = sizeof(how),
                                       .cause = connection->cause,
                                       .code = ws->code,
                                       .reason = { ws->reason, ws->reason_length },
                                       .detail = connection->detail,
                                       .opened = ws->opened };
    if (ws->handler->close != NULL)
        ws->handler->close(connection, &how, instance->data);
}

int rtn_ws_call_message(struct rtn_connection *connection, enum rtn_ws_type type, const unsigned char *data,
                        size_t length, bool last)
{
    const struct rtn_instance *instance = rtn_ws_instance(connection);
    const struct rtn_ws_handler *handler = connection->ws->handler;
    if (handler->fragment != NULL)
        return handler->fragment(connection, type, data, length, last, instance->data);
    return handler->message != NULL ? handler->message(connection, type, data, length, instance->data) : 0;
}

int rtn_ws_call_open(struct rtn_connection *connection)
{
    const struct rtn_instance *instance = rtn_ws_instance(connection);
    const struct rtn_ws_handler *handler = connection->ws->handler;
    return handler->open != NULL ? handler->open(connection, instance->data) : 0;
}

void rtn_ws_call_drain(struct rtn_connection *connection)
{
    const struct rtn_instance *instance = rtn_ws_instance(connection);
    const struct rtn_ws_handler *handler = connection->ws->handler;
    if (handler->drain != NULL)
        handler->drain(connection, instance->data);
}

void rtn_ws_log_failure(const struct rtn_ws *ws, int error)
{
    const struct rtn_instance *instance = ws->owner;
    rtn_log(RTN_LOG_ERROR, "%s: module %s: handler %s failed: %s", instance->place.text, instance->loaded->module.name,
            ws->handler->name, strerror(-error));
}

void rtn_ws_close_failed(struct rtn_ws *ws)
{
    rtn_ws_begin_close(ws, RTN_CLOSE_HANDLER, RTN_WS_INTERNAL_ERROR, RTN_STR("the handler failed"),
                       "the handler failed");
}
