/* `listen` of a server: addresses and the mode of socket files, and that no two listeners take the same address. */
#include "base/map.h"
#include "config/config_address.h"
#include "config/config_tables.h"
#include "config/memory.h"

bool rtn_config_is_stdio(const char *address)
{
    return strcmp(address, "stdio") == 0;
}

/* Also standard input and output, of which there is one: it is claimed like any other address. */
static const char *read_address(const char *text, struct rtn_arena *arena, struct rtn_config_address *ret)
{
    if (rtn_config_is_stdio(text)) {
        *ret = (struct rtn_config_address){ .claims = { "stdio" } };
        return NULL;
    }
    return strcasecmp(text, "stdio") == 0 ? "stdio is written in small letters"
                                          : rtn_config_address_read(text, arena, ret);
}

static bool check_address(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_config_address address;
    const char *problem = read_address(*(const char **) value, context->arena, &address);

    return problem == NULL || rtn_schema_error(context, node->mark, "%s", problem);
}

static bool check_mode(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const char *mode = *(const char **) value;
    size_t digits = strspn(mode, "01234567");
    size_t zeros = strspn(mode, "0");

    if (digits > 0 && mode[digits] == '\0' && digits - zeros <= 3)
        return true;
    return rtn_schema_error(context, node->mark, "\"mode\" must be octal digits, 0 to 0777, not %s",
                            rtn_node_quote(node->text, context->arena));
}

static const struct rtn_schema_key keys[] = {
    { .name = "address",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_listen, address),
      .required = true,
      .check = check_address,
      .help =
          "PORT, on all addresses; HOST:PORT; \"[IPV6]:PORT\", in quotes; unix:PATH, or unix:@NAME for an abstract "
          "socket; systemd:NAME for a socket that the service manager passes under this name. With port 0 the kernel "
          "picks a free one. With protocol: line also stdio, which is one client on standard input and output; one "
          "server can have it, and only once.",
      .example = "unix:/run/retinue/get.sock" },
    { .name = "mode",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_listen, mode),
      .fallback_help = "0777 less the umask",
      .check = check_mode,
      .pattern = "^0*[0-7]{1,3}$",
      .help = "Who may connect to the file of a unix socket, in octal digits.",
      .example = "0660" },
    { .name = "proxy_protocol",
      .type = RTN_SCHEMA_BOOL,
      .offset = offsetof(struct rtn_config_listen, proxy_protocol),
      .fallback = "false",
      .help =
          "The trusted_proxies of the server begin their connections with a header of the PROXY protocol, version 1 "
          "or 2, that names the client. Others are ordinary clients, without the header. Of protocol: http.",
      .example = "true" },
    { .name = NULL },
};

static void check(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const struct rtn_config_listen *listen = object;
    struct rtn_config_address address = { 0 };

    if (listen->mode == NULL || listen->address == NULL ||
        read_address(listen->address, context->arena, &address) != NULL)
        return;
    if (!address.is_unix || address.is_abstract)
        rtn_schema_error(context, rtn_schema_mark(node, "mode"), "\"mode\" is only for unix:PATH, which has a file");
}

const struct rtn_schema_table rtn_config_listen_table = {
    .name = "listen",
    .size = sizeof(struct rtn_config_listen),
    .keys = keys,
    .shorthand = "address",
    .label = "address",
    .node_offset = offsetof(struct rtn_config_listen, node),
    .name_offset = SIZE_MAX,
    .check = check,
};

/* A listener and its server, as they stand in the map of claims. */
struct claimant {
    const struct rtn_config_server *server;
    const struct rtn_config_listen *listen;
};

static void report_clash(const struct claimant *mine, const struct claimant *other, struct rtn_diags *diags)
{
    struct rtn_mark mark = rtn_schema_mark(mine->listen->node, "address");

    if (mine->server == other->server)
        rtn_diags_error(diags, mark, "server \"%s\": listen \"%s\": the address is listed twice", mine->server->name,
                        mine->listen->address);
    else
        rtn_diags_error(diags, mark, "server \"%s\": listen \"%s\": server \"%s\" listens there too",
                        mine->server->name, mine->listen->address, other->server->name);
    rtn_diags_note(diags, rtn_schema_mark(other->listen->node, "address"), "the other listener is here");
}

static void claim_address(struct rtn_map *claims, struct claimant *mine, struct rtn_arena *arena,
                          struct rtn_diags *diags)
{
    struct rtn_config_address address = { 0 };

    if (mine->listen->address == NULL || read_address(mine->listen->address, arena, &address) != NULL)
        return;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(address.claims) && address.claims[i] != NULL; i++) {
        struct claimant *other = rtn_map_get(claims, rtn_str_of(address.claims[i]));
        if (other != NULL && other->listen != mine->listen) {
            report_clash(mine, other, diags);
            return;
        }
        if (other == NULL && rtn_map_add(claims, rtn_str_of(address.claims[i]), mine) != 0)
            abort();
    }
}

void rtn_config_check_listeners(const struct rtn_config *config, struct rtn_diags *diags)
{
    RTN_CLEANUP(rtn_map_done) struct rtn_map claims = { 0 };
    struct rtn_arena arena;

    rtn_arena_init(&arena, NULL, 0);
    for (size_t i = 0; i < config->servers.count; i++) {
        const struct rtn_config_server *server = (const struct rtn_config_server *) config->servers.items + i;
        bool listens = rtn_config_key_is_for(&rtn_config_server_table, RTN_STR("listen"), server->protocol);
        for (size_t j = 0; listens && j < server->listen.count; j++) {
            struct claimant *mine = rtn_config_alloc(&arena, sizeof(*mine));
            mine->server = server;
            mine->listen = (const struct rtn_config_listen *) server->listen.items + j;
            claim_address(&claims, mine, &arena, diags);
        }
    }
    rtn_arena_done(&arena);
}
