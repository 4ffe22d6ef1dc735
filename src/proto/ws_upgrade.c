/* From a request to a WebSocket: what is agreed upon, and the answer 101 (RFC 6455, 4.2.2). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "proto/response_internal.h"
#include "proto/ws_handshake.h"
#include "proto/ws_internal.h"

/* Appends to the fields of the answer what was agreed upon. 0 or -ENOMEM. */
static int negotiate_compression(struct rtn_ws *ws, struct rtn_request *request)
{
    const struct rtn_config_deflate *config = rtn_ws_policy_of(ws)->deflate;
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf answer = { 0 };
    struct rtn_ws_deflate_terms terms;
    if (config == NULL || !config->on)
        return 0;
    struct rtn_str offers = rtn_ws_fields(request, "sec-websocket-extensions");
    if (!rtn_ws_deflate_accept(config, offers, &terms, &answer))
        return 0;
    int r = rtn_ws_set_compression(ws, &terms);
    return r < 0 ? r : rtn_response_add(request, RTN_STR("Sec-WebSocket-Extensions"), rtn_buf_str(&answer));
}

static int set_protocol(struct rtn_ws *ws, struct rtn_request *request, struct rtn_str protocol)
{
    if (protocol.length == 0)
        return 0;
    ws->protocol = rtn_str_dup(protocol);
    if (ws->protocol == NULL)
        return -ENOMEM;
    return rtn_response_add(request, RTN_STR("Sec-WebSocket-Protocol"), protocol);
}

static int add_fields(struct rtn_request *request)
{
    char accept[RTN_WS_ACCEPT_SIZE];
    rtn_ws_accept_of(rtn_ws_field(request, "sec-websocket-key"), accept);
    int r = rtn_response_add(request, RTN_STR("Upgrade"), RTN_STR("websocket"));
    if (r == 0)
        r = rtn_response_add(request, RTN_STR("Connection"), RTN_STR("Upgrade"));
    return r < 0 ? r : rtn_response_add(request, RTN_STR("Sec-WebSocket-Accept"), rtn_str_of(accept));
}

int rtn_ws_upgrade(struct rtn_request *request, const struct rtn_ws_policy *policy, void *owner,
                   struct rtn_str protocol)
{
    struct rtn_ws *ws = rtn_ws_new(request->connection, policy, owner);
    if (ws == NULL)
        return -ENOMEM;
    int r = add_fields(request);
    if (r == 0)
        r = set_protocol(ws, request, protocol);
    if (r == 0)
        r = negotiate_compression(ws, request);
    if (r < 0) {
        rtn_session_free(&ws->session);
        return r;
    }
    rtn_response_switch_protocols(request);
    rtn_ws_attach(ws, request->connection);
    rtn_session_take_terms(&ws->session, request->terms);
    return 0;
}

void rtn_ws_refuse(struct rtn_request *request, int status, const char *text)
{
    rtn_response_reset(request);
    if (status == 426) {
        (void) rtn_response_add(request, RTN_STR("Upgrade"), RTN_STR("websocket"));
        (void) rtn_response_add(request, RTN_STR("Connection"), RTN_STR("Upgrade"));
        (void) rtn_response_add(request, RTN_STR("Sec-WebSocket-Version"), RTN_STR("13"));
    }
    int r = rtn_response_error(request, status, text);
    if (r < 0)
        request->connection->broken = r;
}
