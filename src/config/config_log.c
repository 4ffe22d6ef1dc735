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

bool rtn_config_is_file(const char *target)
{
    return rtn_str_starts_with(rtn_str_of(target), RTN_STR("file:"));
}

const char *rtn_config_log_file(const char **target, const struct rtn_node *node,
                                const struct rtn_schema_context *context)
{
    const char *path = *target + strlen("file:");
    struct rtn_mark mark = rtn_schema_mark(node, "to");

    if (*path == '\0') {
        rtn_schema_error(context, mark, "\"to\" names no file; write file:/var/log/retinue.log");
        return NULL;
    }
    path = rtn_schema_absolute(path, &mark, context->arena);
    if (path == NULL)
        rtn_schema_error(context, mark, "\"to\" names a relative path, but the working folder cannot be read");
    else
        *target = rtn_config_printf(context->arena, "file:%s", path);
    return path;
}

void rtn_config_log_unknown(const char *target, const char *const *names, size_t count, const struct rtn_node *node,
                            const struct rtn_schema_context *context)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    struct rtn_str given = rtn_str_of(target);
    const char *hint = target[0] == '/' ? rtn_config_printf(context->arena, "; write file:%s", target)
                                        : rtn_schema_suggest(given, names, count, context->arena);

    for (size_t i = 0; i < count; i++)
        rtn_buf_printf(&all, "%s%s", i > 0 ? ", " : "", names[i]);
    rtn_schema_error(context, rtn_schema_mark(node, "to"), "\"to\" must be %s or file:PATH, not %s%s",
                     rtn_buf_str(&all).data, rtn_node_quote(given, context->arena), hint);
}

static void check(void *object, const struct rtn_node *node, const struct rtn_schema_context *context)
{
    static const char *const names[] = { "auto", "stderr", "journal", "syslog" };
    static const enum rtn_log_to values[] = { RTN_LOG_TO_AUTO, RTN_LOG_TO_STDERR, RTN_LOG_TO_JOURNAL,
                                              RTN_LOG_TO_SYSLOG };
    struct rtn_config_log *log = object;

    if (log->target == NULL)
        return;
    if (rtn_config_is_file(log->target)) {
        log->path = rtn_config_log_file(&log->target, node, context);
        log->to = RTN_LOG_TO_FILE;
        return;
    }
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(names); i++) {
        if (strcmp(log->target, names[i]) == 0) {
            log->to = values[i];
            return;
        }
    }
    rtn_config_log_unknown(log->target, names, RTN_ARRAY_LENGTH(names), node, context);
}

const struct rtn_schema_table rtn_config_log_table = {
    .name = "log",
    .size = sizeof(struct rtn_config_log),
    .keys = keys,
    .node_offset = offsetof(struct rtn_config_log, node),
    .name_offset = SIZE_MAX,
    .check = check,
};
