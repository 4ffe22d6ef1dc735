/* Single values: one function per type, each reporting what is wrong with the words the user wrote. */
#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "config/schema_internal.h"

/* More choices than this are not listed when one of them is near. */
#define CHOICES_MAX 8

static bool scalar_needed(const struct rtn_schema_key *key, const char *what, const struct rtn_node *node,
                          const struct rtn_schema_context *context)
{
    if (node->kind == RTN_NODE_SCALAR && !rtn_node_is_null(node))
        return true;
    return rtn_schema_error(context, node->mark, "\"%s\" must be %s, not %s", key->name, what,
                            rtn_node_describe(node, context->arena));
}

const char *rtn_schema_number(enum rtn_schema_type type, int64_t number, struct rtn_arena *arena)
{
    char text[RTN_FORMAT_MAX];

    if (type == RTN_SCHEMA_SIZE)
        return rtn_config_strdup(arena, rtn_str_of(rtn_format_size(text, number)));
    if (type == RTN_SCHEMA_DURATION)
        return rtn_config_strdup(arena, rtn_str_of(rtn_format_duration(text, number)));
    return rtn_config_printf(arena, "%lld", (long long) number);
}

bool rtn_schema_in_bounds(const struct rtn_schema_key *key, int64_t number, const struct rtn_node *node,
                          const struct rtn_schema_context *context)
{
    if (key->max <= 0 || (number >= key->min && number <= key->max))
        return true;
    return rtn_schema_error(context, node->mark, "\"%s\" must be %s to %s, not %.*s", key->name,
                            rtn_schema_number(key->type, key->min, context->arena),
                            rtn_schema_number(key->type, key->max, context->arena), RTN_STR_ARG(node->text));
}

static bool parse_bool(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                       const struct rtn_schema_context *context)
{
    static const char *const yes[] = { "yes", "on", "y", "1", "true" };
    static const char *const no[] = { "no", "off", "n", "0", "false" };
    const char *hint = "";

    if (!node->quoted && rtn_parse_bool(node->text, value) == 0)
        return true;
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(yes); i++) {
        if (rtn_str_equal_nocase(node->text, rtn_str_of(yes[i])))
            hint = "; write true without quotes";
        if (rtn_str_equal_nocase(node->text, rtn_str_of(no[i])))
            hint = "; write false without quotes";
    }
    return rtn_schema_error(context, node->mark, "\"%s\" must be true or false, not %s%s", key->name,
                            rtn_node_quote(node->text, context->arena), hint);
}

static bool parse_int(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                      const struct rtn_schema_context *context)
{
    int64_t number;
    int code = rtn_parse_int(node->text, &number);

    if (code == -ERANGE)
        return rtn_schema_error(context, node->mark, "\"%s\" is far too large", key->name);
    if (code != 0)
        return rtn_schema_error(context, node->mark, "\"%s\" must be a whole number, not %s", key->name,
                                rtn_node_quote(node->text, context->arena));
    if (!rtn_schema_in_bounds(key, number, node, context))
        return false;
    *(int64_t *) value = number;
    return true;
}

static bool parse_unit(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                       const struct rtn_schema_context *context)
{
    int64_t number;
    int code =
        key->type == RTN_SCHEMA_SIZE ? rtn_parse_size(node->text, &number) : rtn_parse_duration(node->text, &number);

    if (code != 0)
        return rtn_schema_unit_error(key, code, node, context);
    if (!rtn_schema_in_bounds(key, number, node, context))
        return false;
    *(int64_t *) value = number;
    return true;
}

static bool parse_string(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                         const struct rtn_schema_context *context)
{
    (void) context;
    (void) key;
    *(const char **) value = node->text.data;
    return true;
}

const char *rtn_schema_absolute(const char *path, const struct rtn_mark *mark, struct rtn_arena *arena)
{
    const char *file = mark->source != NULL ? mark->source->path : "";
    const char *slash = strrchr(file, '/');
    int length = slash != NULL ? (int) (slash - file) : 0;
    char cwd[PATH_MAX];

    if (path[0] == '/')
        return path;
    if (strncmp(path, "./", 2) == 0)
        path += 2;
    if (file[0] == '/')
        return rtn_config_printf(arena, "%.*s/%s", length, file, path);
    if (getcwd(cwd, sizeof(cwd)) == NULL)
        return NULL;
    return rtn_config_printf(arena, "%s/%.*s%s%s", strcmp(cwd, "/") != 0 ? cwd : "", length, file,
                             length > 0 ? "/" : "", path);
}

static bool parse_path(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                       const struct rtn_schema_context *context)
{
    if (node->text.length == 0)
        return rtn_schema_error(context, node->mark, "\"%s\" must not be an empty path", key->name);
    const char *path = rtn_schema_absolute(node->text.data, &node->mark, context->arena);
    if (path == NULL)
        return rtn_schema_error(context, node->mark,
                                "\"%s\" is a relative path, but the working folder cannot be read; write it absolute",
                                key->name);
    *(const char **) value = path;
    return true;
}

/* Long lists are spared the reader who is told the word that was meant. */
static void report_choice(const struct rtn_schema_key *key, const struct rtn_node *node,
                          const struct rtn_schema_context *context)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    const char *near = rtn_schema_suggest_choice(key, node->text, context->arena);
    const char *given = rtn_node_quote(node->text, context->arena);
    size_t count = 0;

    for (; key->choices[count].name != NULL; count++)
        rtn_buf_printf(&all, "%s%s", count > 0 ? ", " : "", key->choices[count].name);
    if (count > CHOICES_MAX && near[0] != '\0')
        rtn_schema_error(context, node->mark, "\"%s\" knows no %s%s", key->name, given, near);
    else
        rtn_schema_error(context, node->mark, "\"%s\" must be %s%s, not %s%s", key->name, count > 1 ? "one of " : "",
                         rtn_buf_str(&all).data, given, near);
}

const struct rtn_schema_choice *rtn_schema_choose(const struct rtn_schema_key *key, const struct rtn_node *node,
                                                  const struct rtn_schema_context *context)
{
    for (const struct rtn_schema_choice *choice = key->choices; choice->name != NULL; choice++) {
        if (rtn_str_equal(node->text, rtn_str_of(choice->name)))
            return choice;
    }
    report_choice(key, node, context);
    return NULL;
}

static bool parse_enum(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                       const struct rtn_schema_context *context)
{
    const struct rtn_schema_choice *choice = rtn_schema_choose(key, node, context);

    if (choice == NULL)
        return false;
    *(int *) value = choice->value;
    return true;
}

bool rtn_schema_parse(const struct rtn_schema_key *key, const struct rtn_node *node, void *value,
                      const struct rtn_schema_context *context)
{
    static const struct {
        const char *what;
        bool (*parse)(const struct rtn_schema_key *, const struct rtn_node *, void *,
                      const struct rtn_schema_context *);
    } types[] = {
        [RTN_SCHEMA_BOOL] = { "true or false", parse_bool },
        [RTN_SCHEMA_INT] = { "a whole number", parse_int },
        [RTN_SCHEMA_SIZE] = { "a size such as 16KiB", parse_unit },
        [RTN_SCHEMA_DURATION] = { "a duration such as 10s", parse_unit },
        [RTN_SCHEMA_STRING] = { "text", parse_string },
        [RTN_SCHEMA_PATH] = { "a path", parse_path },
        [RTN_SCHEMA_ENUM] = { "a word", parse_enum },
    };

    if (!scalar_needed(key, types[key->type].what, node, context))
        return false;
    return types[key->type].parse(key, node, value, context);
}
