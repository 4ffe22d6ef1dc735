/* Who a request is from: the fields that trusted proxies add (forwarded.h), put together with the connection's peer. */
#include "app/client.h"

#include <stdio.h>

#include "app/dispatch.h"
#include "app/forwarded.h"
#include "proto/response.h"

/* What the trusted peer says. */
static struct rtn_str read_forwarded(struct rtn_request *request, struct rtn_client *client)
{
    const struct rtn_terms *terms = request->terms;
    struct rtn_forwarded said;
    client->problem = rtn_forwarded_read(request->headers, request->header_count,
                                         (enum rtn_config_proxy_header) terms->config->proxy_header, terms->trusted,
                                         terms->trusted_count, &said);
    if (client->problem != NULL)
        return request->host;
    if (said.has_client) {
        client->has_ip = true;
        client->ip = said.client;
    }
    if (said.scheme != NULL)
        client->scheme = said.scheme;
    return said.host.data != NULL ? said.host : request->host;
}

struct rtn_str rtn_client_read(struct rtn_request *request)
{
    struct rtn_connection *connection = request->connection;
    struct rtn_http1 *http = request->http;
    struct rtn_client *client = &rtn_call_of(request)->client;
    struct rtn_str host = request->host;
    *client = (struct rtn_client){ .scheme = "http" };
    client->has_ip = rtn_ip_of(&connection->peer.any, &client->ip);
    if (connection->trusted)
        host = read_forwarded(request, client);
    if (client->problem != NULL) /* who it is is not known: the proxy does not pay for it */
        return host;
    if (http->clients != NULL && client->has_ip)
        client->retry_after = rtn_clients_request(http->clients, &client->ip, http->loop->now_ms);
    return host;
}

const char *rtn_client_text(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_client peer = { 0 };
    struct rtn_client *client = call != NULL ? &call->client : &peer;
    if (call == NULL)
        peer.has_ip = rtn_ip_of(&request->connection->peer.any, &peer.ip);
    if (!client->has_ip)
        return "unix:";
    if (client->text != NULL)
        return client->text;
    char *text = rtn_arena_alloc(&request->arena, RTN_IP_TEXT_SIZE);
    if (text == NULL)
        return "";
    rtn_ip_format(&client->ip, text);
    client->text = text;
    return text;
}

static void refuse_rate(struct rtn_request *request, int64_t ms)
{
    char seconds[24];
    int length = snprintf(seconds, sizeof(seconds), "%lld", (long long) (ms + 999) / 1000);
    (void) rtn_response_field(request, RTN_STR("Retry-After"), (struct rtn_str){ seconds, (size_t) length });
    rtn_stats_count(RTN_STATS_REFUSED_REQUESTS, 1);
    rtn_dispatch_error(request, 429, "there are too many requests from this address");
}

bool rtn_client_refuse(struct rtn_request *request)
{
    const struct rtn_client *client = &rtn_call_of(request)->client;
    if (client->problem != NULL)
        rtn_dispatch_error(request, 400, client->problem);
    else if (client->retry_after > 0)
        refuse_rate(request, client->retry_after);
    return rtn_client_is_refused(client);
}
