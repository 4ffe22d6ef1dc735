/* Who a request is from: the fields that trusted proxies add (forwarded.h), put together with the connection's peer. */
#include "app/client.h"

#include <stdio.h>

#include "app/dispatch.h"
#include "app/forwarded.h"
#include "proto/response.h"

/* False: on a unix socket, and nobody says more. */
static bool ip_of(const struct rtn_request *request, const struct rtn_client *client, struct rtn_ip *ret)
{
    if (client == NULL || !client->is_named)
        return rtn_ip_of(&request->connection->peer.any, ret);
    *ret = client->ip;
    return true;
}

/* What the trusted peer says. */
RTN_COLD static struct rtn_str read_forwarded(struct rtn_request *request, struct rtn_client *client)
{
    const struct rtn_terms *terms = request->terms;
    struct rtn_forwarded said;
    client->problem = rtn_forwarded_read(request->headers, request->header_count,
                                         (enum rtn_config_proxy_header) terms->config->proxy_header, terms->trusted,
                                         terms->trusted_count, &said);
    if (client->problem != NULL)
        return request->host;
    if (said.has_client) {
        client->is_named = true;
        client->ip = said.client;
    }
    if (said.scheme != NULL)
        client->scheme = said.scheme;
    return said.host.data != NULL ? said.host : request->host;
}

static int64_t take_token(const struct rtn_request *request, const struct rtn_client *client)
{
    struct rtn_ip ip;
    if (!rtn_clients_limit_requests(request->http->clients))
        return 0;
    if (client->problem != NULL) /* who it is is not known: the proxy does not pay for it */
        return 0;
    if (!ip_of(request, client, &ip))
        return 0;
    return rtn_clients_request(request->http->clients, &ip, request->http->loop->now_ms);
}

struct rtn_str rtn_client_read(struct rtn_request *request)
{
    struct rtn_client *client = &rtn_call_of(request)->client;
    struct rtn_str host = request->host;
    client->scheme = "http";
    if (request->connection->trusted)
        host = read_forwarded(request, client);
    if (request->http->clients != NULL)
        client->retry_after = take_token(request, client);
    return host;
}

const char *rtn_client_text(struct rtn_request *request)
{
    struct rtn_call *call = rtn_call_of(request);
    struct rtn_client *client = call != NULL ? &call->client : NULL;
    struct rtn_ip ip;
    if (client != NULL && client->text != NULL)
        return client->text;
    if (!ip_of(request, client, &ip))
        return "unix:";
    char *text = rtn_arena_alloc(&request->arena, RTN_IP_TEXT_SIZE);
    if (text == NULL)
        return "";
    rtn_ip_format(&ip, text);
    if (client != NULL)
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
