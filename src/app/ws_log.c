/*
 * Lines about WebSockets. A row of outgoing connections may be a thousand that all fail together: the first failure is
 * told to the operator, the others only to who debugs, until one of them opens again.
 */
#include "app/ws_log.h"

#include <retinue/module.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "app/dispatch.h"
#include "app/session_call.h"
#include "proto/http1_internal.h"
#include "proto/ws_client.h"
#include "proto/ws_handshake.h"

#define VALUE_MOST 200 /* bytes of what a peer sent; unprintable ones are escaped by the log */
#define WHO_SIZE 1024 /* a place and an address; what is longer is cut */
#define OWN_CODES 3000 /* from here on codes have the meaning that applications give them (RFC 6455, 7.4.2) */

static int shown_length(struct rtn_str s)
{
    return (int) RTN_MIN(s.length, (size_t) VALUE_MOST);
}

static const char *cut_mark(struct rtn_str s)
{
    return s.length > VALUE_MOST ? "..." : "";
}

struct rtn_str rtn_ws_log_url(const char *url)
{
    return (struct rtn_str){ url, strcspn(url, "?") };
}

/* Refused handshakes */

static const char *peer_of(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    return connection->trusted ? rtn_client_text(request) : rtn_connection_peer_text(connection);
}

void rtn_ws_log_refused(struct rtn_request *request, int status, const char *why)
{
    const struct rtn_instance *instance = rtn_call_of(request)->match.route->instance;
    if (rtn_log_enabled(RTN_LOG_INFO))
        rtn_log(RTN_LOG_INFO, "%s: %s: WebSocket refused: %d: %s", instance->place.text, peer_of(request), status, why);
}

static bool compares_hosts(const struct rtn_schema_strings *origins)
{
    for (size_t i = 0; i < origins->count; i++) {
        if (strcmp(origins->items[i], "same") == 0)
            return true;
    }
    return false;
}

void rtn_ws_log_origin(struct rtn_request *request)
{
    const struct rtn_call *call = rtn_call_of(request);
    bool same = compares_hosts(&call->match.route->ws_policy.origins);
    struct rtn_str origin = rtn_ws_fields(request, "origin");
    struct rtn_str host = same ? call->authority : (struct rtn_str){ 0 };
    char why[3 * VALUE_MOST];
    snprintf(why, sizeof(why), "the origin \"%.*s%s\" is not welcome%s%.*s%s%s (origins)", shown_length(origin),
             origin.data != NULL ? origin.data : "", cut_mark(origin), same ? " at \"" : "", shown_length(host),
             host.data != NULL ? host.data : "", cut_mark(host), same ? "\"" : "");
    rtn_ws_log_refused(request, 403, why);
}

/* Outgoing connections */

void rtn_ws_log_open(struct rtn_connection *connection)
{
    const struct rtn_ws *ws = rtn_ws_of(connection->session);
    if (ws->client == NULL)
        return;
    atomic_uint *counter = &rtn_session_instance(connection)->ws_failures;
    struct rtn_str url = rtn_ws_log_url(ws->client->spec.url);
    rtn_log(RTN_LOG_DEBUG, "client \"%.*s\": open: WebSocket %" PRIu64, RTN_STR_ARG(url), connection->id);
    unsigned failures = atomic_load(counter) != 0 ? atomic_exchange(counter, 0) : 0;
    if (failures > 0)
        rtn_log(RTN_LOG_INFO, "client \"%.*s\": open again after %u failure%s", RTN_STR_ARG(url), failures,
                failures > 1 ? "s" : "");
}

static bool tries_again(const struct rtn_ws_client *client)
{
    return client->spec.reconnect > 0 && !client->stopped && rtn_http1_may_keep_alive(client->http);
}

/* Somebody wanted it, and nothing is wrong. */
static bool is_orderly(const struct rtn_connection *connection)
{
    int code = rtn_ws_of(connection->session)->code;
    if (connection->cause == RTN_CLOSE_NORMAL || connection->cause == RTN_CLOSE_SHUTDOWN)
        return true;
    return connection->cause == RTN_CLOSE_CLIENT &&
           (code == RTN_WS_NORMAL || code == RTN_WS_GOING_AWAY || code == RTN_WS_NO_CODE || code >= OWN_CODES);
}

static enum rtn_log_level count_failure(const struct rtn_connection *connection)
{
    bool first = atomic_fetch_add(&rtn_session_instance(connection)->ws_failures, 1) == 0;
    return first ? RTN_LOG_WARN : RTN_LOG_DEBUG;
}

/* Ends */

#define TAIL_SIZE (RTN_WS_REASON_MOST + 100)

/* '; WebSocket 7, code 1000 "bye", open for 2.345s'. Code and reason are those of the peer's close frame. */
static void print_tail(const struct rtn_ws *ws, char out[TAIL_SIZE])
{
    bool words = ws->reason_length > 0;
    int length = snprintf(out, TAIL_SIZE, "; WebSocket %" PRIu64 ", code %d%s%.*s%s", ws->session.connection->id,
                          ws->code, words ? " \"" : "", (int) ws->reason_length, ws->reason, words ? "\"" : "");
    int64_t ms = rtn_http1_now_ms(ws->session.connection->http) - ws->session.opened_at;
    snprintf(out + length, TAIL_SIZE - (size_t) length, ", open for %" PRId64 ".%03ds", ms / 1000, (int) (ms % 1000));
}

static void log_end(const struct rtn_connection *connection, const char *who, enum rtn_log_level level,
                    const char *then)
{
    char tail[TAIL_SIZE] = "";
    if (connection->session->opened)
        print_tail(rtn_ws_of(connection->session), tail);
    rtn_log(level, "%s closed (%s)%s%s%s%s", who, rtn_close_cause_name(connection->cause),
            connection->detail != NULL ? ": " : "", connection->detail != NULL ? connection->detail : "", tail, then);
}

static void log_accepted(struct rtn_connection *connection, enum rtn_log_level level)
{
    char who[WHO_SIZE];
    level = RTN_MAX(level, RTN_LOG_DEBUG);
    if (!rtn_log_enabled(level))
        return;
    snprintf(who, sizeof(who), "%s: %s", rtn_session_instance(connection)->place.text,
             rtn_connection_peer_text(connection));
    log_end(connection, who, level, "");
}

static void log_outgoing(const struct rtn_connection *connection)
{
    const struct rtn_ws_client *client = rtn_ws_of(connection->session)->client;
    struct rtn_str url = rtn_ws_log_url(client->spec.url);
    bool failed = !is_orderly(connection);
    enum rtn_log_level level = failed ? count_failure(connection) : RTN_LOG_DEBUG;
    const char *then = tries_again(client) ? "; tries again" : "";
    char who[WHO_SIZE];
    if (!rtn_log_enabled(level))
        return;
    snprintf(who, sizeof(who), "client \"%.*s\"", RTN_STR_ARG(url));
    if (failed && !connection->session->opened && connection->detail != NULL)
        rtn_log(level, "%s: %s%s", who, connection->detail, then);
    else
        log_end(connection, who, level, then);
}

void rtn_ws_log_closed(struct rtn_connection *connection, enum rtn_log_level level)
{
    if (connection->outgoing)
        log_outgoing(connection);
    else
        log_accepted(connection, level);
}
