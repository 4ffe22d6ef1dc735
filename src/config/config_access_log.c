/* `access_log` of a server: where the line of each request goes, and how it looks. */
#include "config/config_access.h"
#include "config/config_tables.h"

static const struct rtn_schema_choice formats[] = {
    { "common", RTN_ACCESS_COMMON },
    { "combined", RTN_ACCESS_COMBINED },
    { "json", RTN_ACCESS_JSON },
    { "custom", RTN_ACCESS_CUSTOM },
    { NULL, 0 },
};

static bool check_pattern(void *value, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_access_pattern pattern;
    const char *problem = rtn_access_pattern_parse(rtn_str_of(*(const char **) value), context->arena, &pattern);

    return problem == NULL || rtn_schema_error(context, node->mark, "\"pattern\": %s", problem);
}

/* The defaults of the table below, as values. */
#define DEFAULT_FORMAT RTN_ACCESS_COMBINED
#define DEFAULT_BUFFER 65536
#define DEFAULT_FLUSH 1000

static const struct rtn_schema_key keys[] = {
    { .name = "to",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_access_log, target),
      .fallback = "log",
      .pattern = "^(log|none|file:.+)$",
      .help =
          "Where the lines go: log, among the other lines of the daemon; file:PATH; or none. A file is opened again "
          "on SIGUSR1.",
      .example = "file:/var/log/retinue/access.log" },
    { .name = "format",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_access_log, format),
      .fallback = "combined",
      .choices = formats,
      .help =
          "How the lines of a file look; for files only, as are pattern, buffer and flush. With common they are: "
          "client - - [time] \"request line\" status bytes. "
          "With combined these are followed by \"referer\" \"user agent\". With json each is one object. With custom "
          "they follow pattern.",
      .example = "json" },
    { .name = "pattern",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_access_log, pattern),
      .check = check_pattern,
      .help =
          "The lines of format custom: text with the names of values in braces. The names are client, host, method, "
          "target, path, query, version, status, bytes, duration_us, duration_ms, time, time_iso, request_id, server, "
          "route, referer, user_agent, connection, and header:NAME for a field of the request. A {{ stands for one "
          "brace.",
      .example = "\"{client} {method} {path} {status} {duration_ms}ms {header:X-Tenant}\"" },
    { .name = "buffer",
      .type = RTN_SCHEMA_SIZE,
      .offset = offsetof(struct rtn_config_access_log, buffer),
      .fallback = "64KiB",
      .min = 4096,
      .max = INT64_C(64) << 20,
      .help = "How much of a file may wait in memory for the disk. Lines that find no room are dropped and counted, so "
              "that a slow disk slows nobody.",
      .example = "1MiB" },
    { .name = "flush",
      .type = RTN_SCHEMA_DURATION,
      .offset = offsetof(struct rtn_config_access_log, flush),
      .fallback = "1s",
      .min = 10,
      .max = 60000,
      .help = "The longest that a line waits in memory before it is written to its file.",
      .example = "100ms" },
    { .name = "level",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_access_log, level),
      .fallback = "debug",
      .choices = rtn_config_levels,
      .help = "The level of the lines that go to the log. They show when log_level is this low; none writes no such "
              "line.",
      .example = "info" },
    { .name = NULL },
};

static void set_target(struct rtn_config_access_log *log, const struct rtn_node *node,
                       const struct rtn_schema_context *context)
{
    static const char *const names[] = { "log", "none" };
    static const enum rtn_config_access_to values[] = { RTN_ACCESS_TO_LOG, RTN_ACCESS_TO_NONE };

    if (rtn_config_is_file(log->target)) {
        log->path = rtn_config_log_file(&log->target, node, context);
        log->to = RTN_ACCESS_TO_FILE;
        return;
    }
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(names); i++) {
        if (strcmp(log->target, names[i]) == 0) {
            log->to = (int) values[i];
            return;
        }
    }
    rtn_config_log_unknown(log->target, names, RTN_ARRAY_LENGTH(names), node, context);
}

/* What only a file has. Defaults say nothing: a dump holds them, too. */
static void check_no_file(const struct rtn_config_access_log *log, const struct rtn_node *node,
                          const struct rtn_schema_context *context)
{
    const struct {
        const char *name;
        bool changed;
    } settings[] = {
        { "format", log->format != DEFAULT_FORMAT },
        { "pattern", log->pattern != NULL },
        { "buffer", log->buffer != DEFAULT_BUFFER },
        { "flush", log->flush != DEFAULT_FLUSH },
    };

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(settings); i++) {
        if (settings[i].changed)
            rtn_schema_error(context, rtn_node_pair(node, settings[i].name)->name_mark,
                             "\"%s\" has no effect with \"to: %s\"; it is for file:PATH", settings[i].name,
                             log->target);
    }
}

static void check(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    struct rtn_config_access_log *log = object;
    const struct rtn_node_pair *pattern = rtn_node_pair(node, "pattern");

    if (log->target != NULL)
        set_target(log, node, context);
    if (!context->sound)
        return;
    if (log->to != RTN_ACCESS_TO_FILE) {
        check_no_file(log, node, context);
        return;
    }
    if (log->format == RTN_ACCESS_CUSTOM && pattern == NULL)
        rtn_schema_error(context, rtn_schema_mark(node, "format"), "\"format: custom\" needs a \"pattern\"");
    if (log->format != RTN_ACCESS_CUSTOM && pattern != NULL)
        rtn_schema_error(context, pattern->name_mark, "\"pattern\" is only for \"format: custom\"");
}

const struct rtn_schema_table rtn_config_access_log_table = {
    .name = "access_log",
    .size = sizeof(struct rtn_config_access_log),
    .keys = keys,
    .node_offset = offsetof(struct rtn_config_access_log, node),
    .name_offset = SIZE_MAX,
    .check = check,
};
