/* Who a request is from: the fields that trusted proxies add (forwarded.h), put together with the connection's peer. */
#include "app/client.h"

#include "app/dispatch.h"
#include "app/forwarded.h"

/* The fields that are looked at, in their order, whether or not handlers see them. */
static size_t gather(struct rtn_request *request, struct rtn_header **ret)
{
    size_t count = 0;
    struct rtn_header *fields = NULL;
    const struct rtn_header *field;
    for (unsigned i = 0; (field = rtn_request_any_field(request, i)) != NULL; i++) {
        if (!rtn_forwarded_is_field(field->name))
            continue;
        if (fields == NULL)
            fields = rtn_arena_alloc(&request->arena, (request->field_count - i) * sizeof(*fields));
        if (fields == NULL)
            return 0;
        fields[count++] = *field;
    }
    *ret = fields;
    return count;
}

/* What the trusted peer says. */
static struct rtn_str read_forwarded(struct rtn_request *request, struct rtn_client *client)
{
    const struct rtn_http1 *http = request->http;
    struct rtn_header *fields = NULL;
    size_t count = gather(request, &fields);
    struct rtn_forwarded said;
    rtn_forwarded_read(fields, count, (enum rtn_config_proxy_header) http->config->proxy_header, http->trusted,
                       http->trusted_count, &said);
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
    if (http->clients != NULL && client->has_ip)
        client->retry_after = rtn_clients_request(http->clients, &client->ip, http->loop->now_ms);
    return host;
}

const char *rtn_client_text(struct rtn_request *request)
{
    struct rtn_client *client = &rtn_call_of(request)->client;
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
