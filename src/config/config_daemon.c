/* The top level of a file, and `daemon`: what concerns the process as a whole. */
#include "config/config_tables.h"

#ifndef RTN_MODULE_DIR
#error "RTN_MODULE_DIR names the folder that modules are installed in"
#endif

static bool check_include(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const struct rtn_schema_strings *patterns = value;
    bool ok = true;

    (void) node;
    for (size_t i = 0; i < patterns->count; i++) {
        if (patterns->items[i][0] == '\0')
            ok = rtn_schema_error(context, patterns->nodes[i]->mark, "\"include\" must not hold an empty pattern");
    }
    return ok;
}

static const struct rtn_schema_key daemon_keys[] = {
    { .name = "include",
      .type = RTN_SCHEMA_STRINGS,
      .offset = offsetof(struct rtn_config_daemon, include),
      .fallback_help = "none",
      .consumed = true,
      .check = check_include,
      .help = "Files to read as well, named by patterns with *, ? and [...], relative to the folder of the file that "
              "holds them. They are read in alphabetical order and may hold only servers.",
      .example = "[conf.d/*.yaml]" },
    { .name = "modules",
      .type = RTN_SCHEMA_PATHS,
      .offset = offsetof(struct rtn_config_daemon, modules),
      .fallback = RTN_MODULE_DIR,
      .min = 1,
      .max = 100,
      .help = "Folders in which NAME.so is looked for when a route names module NAME. The first match wins.",
      .example = "[/usr/local/lib/my-modules, " RTN_MODULE_DIR "]" },
    { .name = "log",
      .type = RTN_SCHEMA_MAP,
      .offset = offsetof(struct rtn_config_daemon, log),
      .table = &rtn_config_log_table,
      .help = "Where log lines go, how they look, and which are written." },
    { .name = "media_types",
      .type = RTN_SCHEMA_FREE,
      .offset = offsetof(struct rtn_config_daemon, media_types),
      .check = rtn_config_check_media_types,
      .pattern = "^[^/;*]+/[^/*]+$",
      .fallback_help = "those that are built in",
      .help = "Media types of files by the extension of their name, without the dot and in any case. They come before "
              "those that are built in.",
      .example = "{md: text/markdown, heic: image/heic}" },
    { .name = "shutdown_timeout",
      .type = RTN_SCHEMA_DURATION,
      .offset = offsetof(struct rtn_config_daemon, shutdown_timeout),
      .fallback = "10s",
      .min = 0,
      .max = 3600000,
      .help = "How long stopping waits for running handlers and replies before connections are cut.",
      .example = "30s" },
    { .name = "generations",
      .type = RTN_SCHEMA_INT,
      .offset = offsetof(struct rtn_config_daemon, generations),
      .fallback = "8",
      .min = 1,
      .max = 1000,
      .help = "How many older configurations may live on, with their modules, because sessions that began under them "
              "are still open. When there are more, the sessions of the oldest are closed, WebSockets with 1012.",
      .example = "2" },
    { .name = "generation_timeout",
      .type = RTN_SCHEMA_DURATION,
      .offset = offsetof(struct rtn_config_daemon, generation_timeout),
      .fallback = "0",
      .min = 0,
      .max = INT64_C(30) * 24 * 3600 * 1000,
      .help = "How long after a reload sessions of an older configuration may stay open; then they are closed, "
              "WebSockets with 1012. 0: for ever.",
      .example = "1h" },
    { .name = "watch",
      .type = RTN_SCHEMA_BOOL,
      .offset = offsetof(struct rtn_config_daemon, watch),
      .fallback = "false",
      .help = "Whether the configuration is loaded again when its files, those that it includes, or the files of its "
              "modules change. For development.",
      .example = "true" },
    { .name = "control",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_daemon, control),
      .fallback_help = RTN_CONFIG_CONTROL ", where that folder is there and may be written to; else none",
      .check = rtn_config_check_control,
      .help = "The unix socket that retinuectl talks to, a path; none: there is no socket. Its file has the mode 0600, "
              "and only root and the user of the daemon may give orders.",
      .example = "/run/retinue/control.sock" },
    { .name = NULL },
};

const struct rtn_schema_table rtn_config_daemon_table = {
    .name = "daemon",
    .size = sizeof(struct rtn_config_daemon),
    .keys = daemon_keys,
    .node_offset = offsetof(struct rtn_config_daemon, node),
    .name_offset = SIZE_MAX,
};

static bool is_server_name(struct rtn_str name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        bool letter = rtn_is_alnum(c) && !rtn_is_digit(c);
        if (!letter && (i == 0 || !(rtn_is_digit(c) || c == '-' || c == '_')))
            return false;
    }
    return name.length > 0 && name.length <= 32;
}

static bool check_server_names(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    bool ok = true;

    (void) value;
    for (size_t i = 0; i < node->count; i++) {
        if (!is_server_name(node->pairs[i].name))
            ok = rtn_schema_error(context, node->pairs[i].name_mark,
                                  "%s is no name for a server: up to 32 letters, digits, - and _, the first a letter",
                                  rtn_node_quote(node->pairs[i].name, context->arena));
    }
    return ok;
}

static const struct rtn_schema_key root_keys[] = {
    { .name = "daemon",
      .type = RTN_SCHEMA_MAP,
      .offset = offsetof(struct rtn_config, daemon),
      .table = &rtn_config_daemon_table,
      .help = "What concerns the process as a whole." },
    { .name = "servers",
      .type = RTN_SCHEMA_NAMED,
      .offset = offsetof(struct rtn_config, servers),
      .table = &rtn_config_server_table,
      .check = check_server_names,
      .pattern = "^[A-Za-z][A-Za-z0-9_-]{0,31}$",
      .help =
          "The servers by name. A name has up to 32 letters, digits, - and _, and starts with a letter. It stands in "
          "log lines and in the names of threads. At least one server is needed, here or in an included file." },
    { .name = NULL },
};

const struct rtn_schema_table rtn_config_root_table = {
    .name = "file",
    .size = sizeof(struct rtn_config),
    .keys = root_keys,
    .topics = rtn_config_topics,
    .when_changed = rtn_config_when_changed,
    .node_offset = offsetof(struct rtn_config, root),
    .name_offset = SIZE_MAX,
};
