/*
 * What outgoing WebSocket connections say when they begin: the URL, header fields and subprotocols. All that keeps a
 * connection from being made is told here, with what to write instead: base/ws_url.h and base/header.h say what can be
 * sent, and hosts are as strict as everywhere in the configuration.
 */
#include "base/header.h"
#include "base/ws_url.h"
#include "config/config_tables.h"
#include "config/memory.h"

/* With what to write instead. Faults of the host and the port have words of their own. */
static const char *url_advice(enum rtn_ws_url_fault fault)
{
    static const char *const advice[] = {
        [RTN_WS_URL_CHARACTER] = "a URL is ASCII without spaces; write others as %XX",
        [RTN_WS_URL_FRAGMENT] = "a # has no place here; write %23",
        [RTN_WS_URL_SCHEME] = "the URL of a WebSocket begins with ws:// or ws+unix:",
        [RTN_WS_URL_TLS] = "there is no TLS yet; write ws:// or ws+unix:",
        [RTN_WS_URL_USER] = "a user has no place here; headers can carry one",
        [RTN_WS_URL_SOCKET_RELATIVE] = "the path of the socket must be absolute; write ws+unix:/run/NAME.sock:/path",
        [RTN_WS_URL_SOCKET_LONG] = "the path of the socket is longer than the 107 bytes of a socket address",
        [RTN_WS_URL_SOCKET_TARGET] = "what follows the socket must begin with /; write ws+unix:/run/NAME.sock:/path",
    };
    return advice[fault];
}

/* Host and port have the stricter form of all addresses here, which is tried first since it tells more. */
static const char *url_problem(struct rtn_str text, struct rtn_arena *arena)
{
    struct rtn_ws_url url;
    const char *authority;
    enum rtn_ws_url_fault fault = rtn_ws_url_split(text, &url);

    if (fault != RTN_WS_URL_GOOD)
        return url_advice(fault);
    if (url.path.data != NULL)
        return rtn_str_ends_with(url.path, RTN_STR("/")) ? "the path names a folder, not a socket" : NULL;
    const char *problem = rtn_config_authority_read(url.authority, arena, &authority);
    return problem != NULL ? problem : rtn_ws_url_words(rtn_ws_url_read(text, &url));
}

bool rtn_config_check_url(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const char *problem = url_problem(rtn_str_of(*(const char **) value), context->arena);

    return problem == NULL || rtn_schema_error(context, node->mark, "\"url\": %s", problem);
}

static bool check_header(struct rtn_str text, struct rtn_mark mark, const struct rtn_schema_context *context)
{
    struct rtn_str name;

    switch (rtn_header_check(text, &name)) {
    case RTN_HEADER_GOOD:
        return true;
    case RTN_HEADER_OF_HANDSHAKE:
        return rtn_schema_error(context, mark, "\"headers\": the field %.*s is the daemon's own", RTN_STR_ARG(name));
    case RTN_HEADER_VALUE:
        return rtn_schema_error(context, mark, "\"headers\": the value of %.*s holds a control character",
                                RTN_STR_ARG(name));
    default:
        return rtn_schema_error(context, mark, "\"headers\": %s is no header field; write \"Name: value\"",
                                rtn_node_quote(text, context->arena));
    }
}

bool rtn_config_check_headers(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const struct rtn_schema_strings *headers = value;
    bool ok = true;

    (void) node;
    for (size_t i = 0; i < headers->count; i++)
        ok = check_header(rtn_str_of(headers->items[i]), headers->nodes[i]->mark, context) && ok;
    return ok;
}

/* Subprotocols are told apart with case (RFC 6455, 11.5). */
static bool is_earlier(const struct rtn_schema_strings *strings, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(strings->items[i], strings->items[index]) == 0)
            return true;
    }
    return false;
}

bool rtn_config_check_protocols(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const struct rtn_schema_strings *protocols = value;
    bool ok = true;

    (void) node;
    for (size_t i = 0; i < protocols->count; i++) {
        struct rtn_str name = rtn_str_of(protocols->items[i]);
        if (!rtn_is_token(name))
            ok = rtn_schema_error(context, protocols->nodes[i]->mark, "\"protocols\": %s is no name of a subprotocol",
                                  rtn_node_quote(name, context->arena));
        else if (is_earlier(protocols, i))
            ok = rtn_schema_error(context, protocols->nodes[i]->mark, "\"protocols\" holds %s twice", name.data);
    }
    return ok;
}
