/*
 * WebSocket on servers, routes and clients: permessage-deflate, what becomes of connections whose backlog is full, and
 * from which pages browsers may connect.
 */
#include "config/config_address.h"
#include "config/config_tables.h"
#include "config/memory.h"

const struct rtn_schema_choice rtn_config_backlogs[] = {
    { "close", RTN_BACKLOG_CLOSE },
    { "drop", RTN_BACKLOG_DROP },
    { NULL, 0 },
};

#define WINDOW_BITS(member)                                                                                   \
    .name = #member, .type = RTN_SCHEMA_INT, .offset = offsetof(struct rtn_config_deflate, member), .min = 9, \
    .max = 15, .fallback = "15"

#define NO_TAKEOVER(member)                                                                          \
    .name = #member, .type = RTN_SCHEMA_BOOL, .offset = offsetof(struct rtn_config_deflate, member), \
    .fallback = "false", .example = "true"

static const struct rtn_schema_key deflate_keys[] = {
    { .name = "effort",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_deflate, effort),
      .fallback = "default",
      .choices = rtn_config_efforts,
      .help = "How much time goes into making messages smaller.",
      .example = "fast" },
    { .name = "min_size",
      .type = RTN_SCHEMA_SIZE,
      .offset = offsetof(struct rtn_config_deflate, min_size),
      .fallback = "64B",
      .min = 0,
      .max = INT64_C(1) << 30,
      .help = "A message smaller than this is sent as it is.",
      .example = "1KiB" },
    { WINDOW_BITS(server_max_window_bits),
      .help =
          "The largest window of the server's side, as a power of two: 15 is 32KiB. A smaller one takes less memory "
          "and compresses less.",
      .example = "12" },
    { WINDOW_BITS(client_max_window_bits),
      .help = "The largest window of the client's side. A client that does not let itself be told keeps its 15.",
      .example = "12" },
    { NO_TAKEOVER(server_no_context_takeover),
      .help =
          "The server's side begins anew with each message: it takes no memory between messages, and small ones are "
          "compressed hardly at all." },
    { NO_TAKEOVER(client_no_context_takeover),
      .help = "The client's side begins anew with each message: nothing is kept of what it has sent, which takes less "
              "memory here, and small messages are compressed hardly at all." },
    { .name = "memory_level",
      .type = RTN_SCHEMA_INT,
      .offset = offsetof(struct rtn_config_deflate, memory_level),
      .fallback = "8",
      .min = 1,
      .max = 9,
      .help =
          "How much memory compressing takes beside the window: 2 to the power of this and 9, in bytes; 8 is 128KiB.",
      .example = "6" },
    { .name = NULL },
};

/* Where the key is left out there is no node. */
static void check_deflate(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_config_deflate *deflate = object;

    (void) context;
    deflate->on = node != NULL;
}

const struct rtn_schema_table rtn_config_deflate_table = {
    .name = "deflate",
    .size = sizeof(struct rtn_config_deflate),
    .keys = deflate_keys,
    .node_offset = SIZE_MAX,
    .name_offset = SIZE_MAX,
    .check = check_deflate,
};

static bool is_word(struct rtn_str text)
{
    return rtn_str_equal(text, RTN_STR("all")) || rtn_str_equal(text, RTN_STR("same"));
}

/* RFC 3986, 3.1 */
static bool is_scheme(struct rtn_str text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        bool inner = rtn_is_digit(c) || c == '+' || c == '-' || c == '.';
        if (!rtn_is_alnum(c) && !inner)
            return false;
    }
    return text.length > 0 && !rtn_is_digit(text.data[0]) && rtn_is_alnum(text.data[0]);
}

/* "scheme://host[:port]", *ret in lower case, or why `text` cannot be one. */
static const char *read_origin(struct rtn_str text, struct rtn_arena *arena, const char **ret)
{
    const char *colon = memmem(text.data, text.length, "://", 3);
    struct rtn_str scheme = { text.data, colon != NULL ? (size_t) (colon - text.data) : 0 };
    const char *authority = NULL;

    if (rtn_str_equal_nocase(text, RTN_STR("null")))
        return "it stands for all pages that hide their origin, and cannot be listed";
    if (colon == NULL || !is_scheme(scheme))
        return "write an origin such as https://example.org, or same, or all";
    if (rtn_str_equal_nocase(scheme, RTN_STR("ws")) || rtn_str_equal_nocase(scheme, RTN_STR("wss")))
        return "an origin is that of a page; it begins with http:// or https://";
    struct rtn_str rest = { colon + 3, text.length - scheme.length - 3 };
    size_t length = strcspn(rest.data, "/?#");
    if (length < rest.length && length > 0)
        return rtn_config_printf(arena, "an origin has no path; write %.*s", (int) (text.length - rest.length + length),
                                 text.data);
    rest.length = length;
    const char *problem = rtn_config_authority_read(rest, arena, &authority);
    if (problem == NULL)
        *ret = rtn_config_printf(arena, "%s://%s", rtn_config_lower(arena, scheme), authority);
    return problem;
}

bool rtn_config_check_origins(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_schema_strings *origins = value;
    bool ok = true;

    (void) node;
    for (size_t i = 0; i < origins->count; i++) {
        struct rtn_str text = rtn_str_of(origins->items[i]);
        struct rtn_mark mark = origins->nodes[i]->mark;
        const char *problem = is_word(text) ? NULL : read_origin(text, context->arena, &origins->items[i]);
        if (problem != NULL)
            ok = rtn_schema_error(context, mark, "\"origins\": %s: %s", rtn_node_quote(text, context->arena), problem);
        if (origins->count > 1 && rtn_str_equal(text, RTN_STR("all")))
            ok = rtn_schema_error(context, mark, "\"origins\" is either all, or a list without all");
    }
    return ok;
}

void rtn_config_default_origins(struct rtn_schema_strings *origins, struct rtn_arena *arena)
{
    origins->items = rtn_config_alloc(arena, sizeof(*origins->items));
    origins->nodes = rtn_config_alloc(arena, sizeof(*origins->nodes));
    origins->items[0] = "same";
    origins->count = 1;
}
