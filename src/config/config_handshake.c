/*
 * What outgoing WebSocket connections say when they begin: the URL, header fields and subprotocols. All that keeps a
 * connection from being made is told here; the layer that connects takes no more than this and tells nobody.
 */
#include "config/config_tables.h"
#include "config/memory.h"

/* sun_path without its NUL. */
#define SOCKET_PATH_MAX 107

static const struct rtn_str tcp_scheme = { "ws://", 5 }, unix_scheme = { "ws+unix:", 8 };

static bool has_prefix(struct rtn_str text, struct rtn_str prefix)
{
    return text.length >= prefix.length && rtn_str_equal_nocase((struct rtn_str){ text.data, prefix.length }, prefix);
}

static struct rtn_str behind(struct rtn_str text, struct rtn_str prefix)
{
    return (struct rtn_str){ text.data + prefix.length, text.length - prefix.length };
}

/* HOST[:PORT][/PATH][?QUERY] */
static const char *tcp_problem(struct rtn_str rest, struct rtn_arena *arena)
{
    const char *authority;

    rest.length = strcspn(rest.data, "/?");
    if (memchr(rest.data, '@', rest.length) != NULL)
        return "a user has no place here; headers can carry one";
    return rtn_config_authority_read(rest, arena, &authority);
}

/* /SOCKET[:/PATH] */
static const char *unix_problem(struct rtn_str rest)
{
    size_t length = strcspn(rest.data, ":");

    if (rest.data[0] != '/')
        return "the path of the socket must be absolute; write ws+unix:/run/NAME.sock:/path";
    if (rest.data[length - 1] == '/')
        return "the path names a folder, not a socket";
    if (length > SOCKET_PATH_MAX)
        return "the path of the socket is longer than the 107 bytes of a socket address";
    if (length < rest.length && rest.data[length + 1] != '/' && rest.data[length + 1] != '?')
        return "what follows the socket must begin with /; write ws+unix:/run/NAME.sock:/path";
    return NULL;
}

static const char *url_problem(struct rtn_str url, struct rtn_arena *arena)
{
    for (size_t i = 0; i < url.length; i++) {
        if (url.data[i] <= ' ' || url.data[i] >= 0x7f)
            return "a URL is ASCII without spaces; write others as %XX";
    }
    if (memchr(url.data, '#', url.length) != NULL)
        return "a # has no place here; write %23";
    if (has_prefix(url, tcp_scheme))
        return tcp_problem(behind(url, tcp_scheme), arena);
    if (has_prefix(url, unix_scheme))
        return unix_problem(behind(url, unix_scheme));
    if (has_prefix(url, RTN_STR("wss:")) || has_prefix(url, RTN_STR("wss+unix:")))
        return "there is no TLS yet; write ws:// or ws+unix:";
    return "the URL of a WebSocket begins with ws:// or ws+unix:";
}

bool rtn_config_check_url(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const char *problem = url_problem(rtn_str_of(*(const char **) value), context->arena);

    return problem == NULL || rtn_schema_error(context, node->mark, "\"url\": %s", problem);
}

/* Fields that the handshake writes, and those that would announce a body. */
static bool is_of_handshake(struct rtn_str name)
{
    static const char *const names[] = { "connection", "content-length",    "expect",
                                         "host",       "transfer-encoding", "upgrade" };

    if (has_prefix(name, RTN_STR("sec-websocket-")))
        return true;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(names); i++) {
        if (rtn_str_equal_nocase(name, rtn_str_of(names[i])))
            return true;
    }
    return false;
}

/* Tabs are good inside of a value (RFC 9110, 5.5). */
static bool has_control(struct rtn_str text)
{
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char) text.data[i];
        if ((c < ' ' && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static bool check_header(struct rtn_str text, struct rtn_mark mark, const struct rtn_schema_context *context)
{
    struct rtn_str value = text, name;
    bool colon = memchr(text.data, ':', text.length) != NULL;

    (void) rtn_str_next(&value, ':', &name);
    if (!colon || name.data != text.data || text.data[name.length] != ':' || !rtn_is_token(name))
        return rtn_schema_error(context, mark, "\"headers\": %s is no header field; write \"Name: value\"",
                                rtn_node_quote(text, context->arena));
    if (is_of_handshake(name))
        return rtn_schema_error(context, mark, "\"headers\": the field %.*s is the daemon's own", RTN_STR_ARG(name));
    if (has_control(value))
        return rtn_schema_error(context, mark, "\"headers\": the value of %.*s holds a control character",
                                RTN_STR_ARG(name));
    return true;
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
