/* daemon.log: where lines go and how they look. */
#include "config/config_tables.h"
#include "config/memory.h"

const struct rtn_schema_choice rtn_config_levels[] = {
    { "trace", RTN_LOG_TRACE },   { "debug", RTN_LOG_DEBUG }, { "info", RTN_LOG_INFO },
    { "notice", RTN_LOG_NOTICE }, { "warn", RTN_LOG_WARN },   { "error", RTN_LOG_ERROR },
    { "fatal", RTN_LOG_FATAL },   { "none", RTN_LOG_NONE },   { NULL, 0 },
};

static const struct rtn_schema_choice formats[] = {
    { "text", RTN_LOG_TEXT },
    { "json", RTN_LOG_JSON },
    { NULL, 0 },
};

static const struct rtn_schema_key keys[] = {
    { .name = "to",
      .type = RTN_SCHEMA_STRING,
      .offset = offsetof(struct rtn_config_log, target),
      .fallback = "auto",
      .pattern = "^(auto|stderr|journal|syslog|file:.+)$",
      .help =
          "Where log lines go: stderr, journal (the systemd journal), syslog, or file:PATH. With auto they go to the "
          "journal when standard error is connected to it, else to standard error.",
      .example = "file:/var/log/retinue.log" },
    { .name = "format",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_log, format),
      .fallback = "text",
      .choices = formats,
      .help = "One line of plain text per entry, or one JSON object per line.",
      .example = "json" },
    { .name = "level",
      .type = RTN_SCHEMA_ENUM,
      .offset = offsetof(struct rtn_config_log, level),
      .fallback = "info",
      .choices = rtn_config_levels,
      .help = "The lowest level that is logged, by the daemon itself and by every server that sets no log_level.",
      .example = "notice" },
    { .name = NULL },
};

static void set_file(struct rtn_config_log *log, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    const char *path = log->target + strlen("file:");
    struct rtn_mark mark = rtn_schema_mark(node, "to");

    if (*path == '\0') {
        rtn_schema_error(context, mark, "\"to\" names no file; write file:/var/log/retinue.log");
        return;
    }
    path = rtn_schema_absolute(path, &mark, context->arena);
    if (path == NULL) {
        rtn_schema_error(context, mark, "\"to\" names a relative path, but the working folder cannot be read");
        return;
    }
    log->to = RTN_LOG_TO_FILE;
    log->path = path;
    log->target = rtn_config_printf(context->arena, "file:%s", path);
}

static void check(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    static const char *const names[] = { "auto", "stderr", "journal", "syslog" };
    static const enum rtn_log_to values[] = { RTN_LOG_TO_AUTO, RTN_LOG_TO_STDERR, RTN_LOG_TO_JOURNAL,
                                              RTN_LOG_TO_SYSLOG };
    struct rtn_config_log *log = object;

    if (log->target == NULL)
        return;
    if (strncmp(log->target, "file:", strlen("file:")) == 0) {
        set_file(log, node, context);
        return;
    }
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(names); i++) {
        if (strcmp(log->target, names[i]) == 0) {
            log->to = values[i];
            return;
        }
    }
    struct rtn_str given = rtn_str_of(log->target);
    const char *hint = log->target[0] == '/'
                           ? rtn_config_printf(context->arena, "; write file:%s", log->target)
                           : rtn_schema_suggest(given, names, RTN_ARRAY_LENGTH(names), context->arena);
    rtn_schema_error(context, rtn_schema_mark(node, "to"),
                     "\"to\" must be auto, stderr, journal, syslog or file:PATH, not %s%s",
                     rtn_node_quote(given, context->arena), hint);
}

const struct rtn_schema_table rtn_config_log_table = {
    .name = "log",
    .size = sizeof(struct rtn_config_log),
    .keys = keys,
    .node_offset = offsetof(struct rtn_config_log, node),
    .name_offset = SIZE_MAX,
    .check = check,
};
