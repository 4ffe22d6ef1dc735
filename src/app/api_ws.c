/* Bodies of the public functions about sending to WebSocket connections. Sending itself is in sessions.c. */
#include <retinue/module.h>

#include <errno.h>
#include <string.h>

#include "app/sessions.h"
#include "app/ws_content.h"

int rtn_ws_send(uint64_t connection, enum rtn_ws_type type, const void *data, size_t length)
{
    int r = rtn_ws_content_check(type, data, length);
    if (r < 0)
        return r;
    return rtn_sessions_send(RTN_SESSION_WS, connection, (enum rtn_ws_opcode) type, (struct rtn_str){ data, length });
}

int rtn_ws_send_text(uint64_t connection, const char *text)
{
    return text != NULL ? rtn_ws_send(connection, RTN_WS_TEXT, text, strlen(text)) : -EINVAL;
}

int64_t rtn_ws_send_many(const uint64_t *connections, size_t count, enum rtn_ws_type type, const void *data,
                         size_t length, uint64_t *failed)
{
    int r = connections != NULL || count == 0 ? rtn_ws_content_check(type, data, length) : -EINVAL;
    if (r < 0)
        return r;
    return rtn_sessions_send_many(RTN_SESSION_WS, connections, count, (enum rtn_ws_opcode) type,
                                  (struct rtn_str){ data, length }, failed);
}

int rtn_ws_ping(uint64_t connection, const void *data, size_t length)
{
    if (length > RTN_WS_CONTROL_MOST)
        return -EMSGSIZE;
    if (data == NULL && length > 0)
        return -EINVAL;
    return rtn_sessions_send(RTN_SESSION_WS, connection, RTN_WS_OP_PING, (struct rtn_str){ data, length });
}

int rtn_ws_close(uint64_t connection, int code, const char *reason)
{
    struct rtn_str words = rtn_str_of(reason != NULL ? reason : "");
    if ((code != 0 && !rtn_ws_code_is_valid(code)) || (code == 0 && words.length > 0) ||
        words.length > RTN_WS_REASON_MOST || !rtn_utf8_valid(words))
        return -EINVAL;
    return rtn_sessions_close(RTN_SESSION_WS, connection, code, words);
}

bool rtn_ws_is_open(uint64_t connection)
{
    return rtn_sessions_is_open(RTN_SESSION_WS, connection);
}

const char *rtn_ws_protocol(const rtn_connection *connection)
{
    const struct rtn_ws *ws = rtn_ws_on(connection);
    return ws != NULL && ws->protocol != NULL ? ws->protocol : "";
}
