/*
 * From the request to the accepted WebSocket: checks of the handshake and the origin, the handler's word, the choice of
 * a subprotocol.
 */
#include "app/upgrade.h"

#include <retinue/module.h>

#include <errno.h>

#include "app/session_events.h"
#include "app/ws_log.h"
#include "proto/ws_handshake.h"

static enum rtn_turn refuse(struct rtn_request *request, int status, const char *text)
{
    rtn_ws_log_refused(request, status, text);
    rtn_ws_refuse(request, status, text);
    return RTN_TURN_REPLIED;
}

static enum rtn_turn refuse_origin(struct rtn_request *request)
{
    rtn_ws_log_origin(request);
    rtn_ws_refuse(request, 403, "WebSocket connections from this origin are not welcome here");
    return RTN_TURN_REPLIED;
}

/* A plain request may be one that only the WebSocket handler of the route has brought here. */
static bool is_for_http(const struct rtn_request *request, const struct rtn_instance *instance)
{
    return (instance->http_methods & (unsigned) request->method) != 0;
}

enum rtn_turn rtn_upgrade_look(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    const struct rtn_instance *instance = rtn_step_instance(call);
    const char *text = NULL;
    if (instance->ws == NULL || call->upgrade_seen)
        return RTN_TURN_GO_ON;
    call->upgrade_seen = true;
    if (!rtn_ws_is_asked_for(request))
        return is_for_http(request, instance) ? RTN_TURN_GO_ON : refuse(request, 426, "this path speaks WebSocket");
    int status = rtn_ws_handshake_check(request, &text);
    if (status != 0)
        return refuse(request, status, text);
    if (!rtn_ws_origin_is_welcome(request, &call->match.route->ws_policy.origins, call->authority))
        return refuse_origin(request);
    call->upgrade = true;
    return RTN_TURN_GO_ON;
}

int rtn_upgrade_call(struct rtn_request *request)
{
    const struct rtn_instance *instance = rtn_step_instance(rtn_call_of(request));
    return instance->ws->upgrade != NULL ? instance->ws->upgrade(request, instance->data) : RTN_DONE;
}

static struct rtn_str offered_protocols(struct rtn_request *request)
{
    return rtn_ws_fields(request, "sec-websocket-protocol");
}

static struct rtn_str choose_protocol(struct rtn_request *request)
{
    const struct rtn_call *call = rtn_call_of(request);
    const char *const *protocols = rtn_step_instance(call)->ws->protocols;
    if (call->subprotocol.data != NULL || protocols == NULL)
        return call->subprotocol;
    struct rtn_str offered = offered_protocols(request);
    for (size_t i = 0; protocols[i] != NULL; i++) {
        if (rtn_ws_list_has(offered, rtn_str_of(protocols[i])))
            return rtn_str_of(protocols[i]);
    }
    return (struct rtn_str){ 0 };
}

static int upgrade(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    struct rtn_instance *instance = rtn_step_instance(rtn_call_of(request));
    const struct rtn_ws_policy *policy = &rtn_call_of(request)->match.route->ws_policy;
    int r = rtn_ws_upgrade(request, policy, instance, choose_protocol(request));
    if (r < 0)
        return r;
    if (rtn_session_prepare(connection->session) < 0)
        connection->broken = -ENOMEM; /* the answer is written: it is cut off instead */
    return 0;
}

enum rtn_outcome rtn_upgrade_finish(struct rtn_request *request)
{
    int r = upgrade(request);
    rtn_step_end_call(rtn_call_of(request), false); /* what came for it after it had accepted is dropped */
    if (r == 0)
        return RTN_OUTCOME_UPGRADED;
    request->keep_alive = false;
    rtn_ws_refuse(request, 503, "memory is out");
    return RTN_OUTCOME_REPLIED;
}

int rtn_ws_choose_protocol(rtn_request *request, const char *protocol)
{
    struct rtn_call *call = rtn_call_of(request);
    if (protocol == NULL || !call->upgrade || !rtn_ws_list_has(offered_protocols(request), rtn_str_of(protocol)))
        return -EINVAL;
    const char *copy = rtn_arena_strdup(&request->arena, rtn_str_of(protocol));
    if (copy == NULL)
        return -ENOMEM;
    call->subprotocol = rtn_str_of(copy);
    return 0;
}
