/* `compression` of a server: which replies are made smaller, and how. */
#include "config/config_tables.h"
#include "config/memory.h"

/* Lower case, without parameters; all of a kind as "text" and a star for the rest. */
static bool check_types(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_schema_strings *types = value;
    bool ok = true;

    for (size_t i = 0; i < types->count; i++) {
        struct rtn_str text = rtn_str_of(types->items[i]);
        struct rtn_str plain = text;
        struct rtn_mark mark = types->nodes[i] != NULL ? types->nodes[i]->mark : node->mark;
        if (rtn_str_ends_with(text, RTN_STR("/*")))
            plain.length--;
        char *copy =
            rtn_config_printf(context->arena, "%.*s%s", RTN_STR_ARG(plain), plain.length < text.length ? "x" : "");
        if (!rtn_config_is_media_type(rtn_str_of(copy)) || strchr(copy, ';') != NULL)
            ok = rtn_schema_error(context, mark,
                                  "%s is no media type; write one such as text/html, or text/* for all of a kind",
                                  rtn_node_quote(text, context->arena));
        types->items[i] = rtn_config_lower(context->arena, text);
    }
    return ok;
}

static const struct rtn_schema_choice encodings[] = {
    { "gzip", RTN_ENCODING_GZIP },
    { "br", RTN_ENCODING_BR },
    { "zstd", RTN_ENCODING_ZSTD },
    { NULL, 0 },
};

const struct rtn_schema_choice rtn_config_efforts[] = {
    { "fast", RTN_EFFORT_FAST },
    { "default", RTN_EFFORT_DEFAULT },
    { "best", RTN_EFFORT_BEST },
    { NULL, 0 },
};

static const struct rtn_schema_key keys[] = {
    { .name = "encodings",
      .type = RTN_SCHEMA_FLAGS,
      .offset = offsetof(struct rtn_config_compression, encodings),
      .choices = encodings,
      .fallback_help = "[], which is off",
      .help = "The encodings that replies may be compressed with. The client says which of them it takes, and which it "
              "likes best.",
      .example = "[zstd, br, gzip]" },
    { .name = "types",
      .type = RTN_SCHEMA_STRINGS,
      .offset = offsetof(struct rtn_config_compression, types),
      .fallback = "[text/*, application/javascript, application/json, application/manifest+json, application/rss+xml, "
                  "application/atom+xml, application/ld+json, application/problem+json, application/wasm, "
                  "application/xhtml+xml, application/xml, image/svg+xml]",
      .min = 1,
      .max = 1000,
      .check = check_types,
      .pattern = "^[^/;* ]+/([^/;* ]+|\\*)$",
      .help = "The media types of replies that are compressed; text/* stands for all of a kind.",
      .example = "[text/*, application/json]" },
    { .name = "min_size",
      .type = RTN_SCHEMA_SIZE,
      .offset = offsetof(struct rtn_config_compression, min_size),
      .fallback = "1KiB",
      .min = 0,
      .max = INT64_C(1) << 30,
      .help = "A reply whose length is known and smaller than this is sent as it is.",
      .example = "256B" },
    { .name = "effort",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_compression, effort),
      .fallback = "default",
      .choices = rtn_config_efforts,
      .help = "How much time goes into making replies smaller.",
      .example = "fast" },
    { .name = NULL },
};

const struct rtn_schema_table rtn_config_compression_table = {
    .name = "compression",
    .size = sizeof(struct rtn_config_compression),
    .keys = keys,
    .node_offset = SIZE_MAX,
    .name_offset = SIZE_MAX,
};
