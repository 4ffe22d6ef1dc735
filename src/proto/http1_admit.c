/*
 * Who may have a connection: each client address as many as limits.connections_per_client says. Trusted proxies are no
 * clients and may have as many as they like; who is behind them on a connection is seldom one client only.
 */
#include "proto/http1_internal.h"
#include "proto/response.h"

bool rtn_http1_is_trusted(const struct rtn_connection *connection)
{
    const struct rtn_terms *terms = connection->http->terms;
    struct rtn_ip ip;
    if (rtn_ip_of(&connection->peer.any, &ip))
        return rtn_cidr_any_contains(terms->trusted, terms->trusted_count, &ip);
    return terms->trust_unix;
}

/* The answer comes before the request, which is thrown away when it comes. */
static void refuse(struct rtn_connection *connection)
{
    struct rtn_request *request = rtn_http1_own_request(connection);
    if (request == NULL) {
        rtn_http1_close(connection, RTN_CLOSE_NETWORK, "memory is out");
        return;
    }
    request->sink = connection->http->sink;
    request->stage = RTN_REQUEST_BROKEN;
    request->error_status = 429;
    request->error_text = RTN_HTTP1_TOO_MANY;
    (void) rtn_response_field(request, RTN_STR("Retry-After"), RTN_STR("1"));
    rtn_http1_reply_broken(connection, RTN_CLOSE_NORMAL);
}

bool rtn_http1_is_admitted(struct rtn_connection *connection)
{
    struct rtn_http1 *http = connection->http;
    struct rtn_ip ip;
    if (http->clients == NULL || connection->trusted || !rtn_ip_of(&connection->peer.any, &ip))
        return true;
    bool counts = rtn_clients_counts(http->clients);
    bool admitted = rtn_clients_open(http->clients, &ip, rtn_http1_now_ms(http));
    connection->counted = admitted && counts;
    return admitted;
}

bool rtn_http1_admit(struct rtn_connection *connection)
{
    bool admitted = rtn_http1_is_admitted(connection);
    if (admitted)
        return true;
    rtn_stats_count(RTN_STATS_REFUSED_CONNECTIONS, 1);
    refuse(connection);
    return false;
}

void rtn_http1_dismiss(struct rtn_connection *connection)
{
    struct rtn_ip ip;
    if (!connection->counted || !rtn_ip_of(&connection->peer.any, &ip))
        return;
    connection->counted = false;
    rtn_clients_close(connection->http->clients, &ip, rtn_http1_now_ms(connection->http));
}

bool rtn_http1_is_last_request(const struct rtn_connection *connection)
{
    int64_t limit = connection->request->terms->config->limits.requests_per_connection;
    return connection->outdated || (limit > 0 && connection->request_count >= limit);
}
