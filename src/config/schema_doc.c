/*
 * Tables in words: --explain and the key chapter of the manual. Both walk the keys with their paths
 * and print the same facts of a row: type with bounds, default, when a change takes hold, help.
 */
#include "config/schema_doc.h"

#include <errno.h>
#include <stdlib.h>

#include "config/schema_internal.h"

/* Characters of a line that mandoc(1) finds short enough. */
#define MDOC_LINE_MAX 78

static void visit_table(const struct rtn_schema_table *table, const char *prefix, unsigned depth,
                        struct rtn_arena *arena, rtn_schema_visit_fn *visit, void *data)
{
    for (const struct rtn_schema_key *key = table->keys; key->name != NULL; key++) {
        const char *path = rtn_config_printf(arena, "%s%s%s", prefix, *prefix != '\0' ? "." : "", key->name);
        visit(key, path, depth, data);
        if (key->table == NULL)
            continue;
        if (key->type == RTN_SCHEMA_NAMED)
            path = rtn_config_printf(arena, "%s.NAME", path);
        visit_table(key->table, path, depth + 1, arena, visit, data);
    }
}

void rtn_schema_visit(const struct rtn_schema_table *table, rtn_schema_visit_fn *visit, void *data)
{
    struct rtn_arena arena;

    rtn_arena_init(&arena, NULL, 0);
    visit_table(table, "", 0, &arena, visit, data);
    rtn_arena_done(&arena);
}

static void append_choices(const struct rtn_schema_key *key, struct rtn_buf *out)
{
    for (const struct rtn_schema_choice *choice = key->choices; choice->name != NULL; choice++)
        rtn_buf_printf(out, "%s%s", choice == key->choices ? "" : ", ", choice->name);
}

void rtn_schema_describe_type(const struct rtn_schema_key *key, struct rtn_buf *out)
{
    static const char *const names[] = {
        [RTN_SCHEMA_BOOL] = "true or false",
        [RTN_SCHEMA_INT] = "whole number",
        [RTN_SCHEMA_SIZE] = "size",
        [RTN_SCHEMA_DURATION] = "duration",
        [RTN_SCHEMA_STRING] = "text",
        [RTN_SCHEMA_PATH] = "path",
        [RTN_SCHEMA_ENUM] = "",
        [RTN_SCHEMA_FLAGS] = "one or a list of ",
        [RTN_SCHEMA_STRINGS] = "text, or a list of texts",
        [RTN_SCHEMA_PATHS] = "path, or a list of paths",
        [RTN_SCHEMA_MAP] = "map",
        [RTN_SCHEMA_LIST] = "list of maps",
        [RTN_SCHEMA_NAMED] = "map of names to maps",
        [RTN_SCHEMA_FREE] = "map",
    };
    bool bounded = key->max > 0 && key->type >= RTN_SCHEMA_INT && key->type <= RTN_SCHEMA_DURATION;
    struct rtn_arena arena;

    rtn_arena_init(&arena, NULL, 0);
    if (key->type == RTN_SCHEMA_ENUM && key->choices[1].name != NULL)
        rtn_buf_append_text(out, "one of ");
    rtn_buf_append_text(out, names[key->type]);
    if (key->choices != NULL)
        append_choices(key, out);
    if (key->type == RTN_SCHEMA_LIST && key->table->shorthand != NULL)
        rtn_buf_printf(out, " or of %ses", key->table->shorthand);
    if (bounded)
        rtn_buf_printf(out, ", %s to %s", rtn_schema_number(key->type, key->min, &arena),
                       rtn_schema_number(key->type, key->max, &arena));
    rtn_arena_done(&arena);
}

void rtn_schema_describe_default(const struct rtn_schema_key *key, struct rtn_buf *out)
{
    const char *text = key->required                ? "none, it must be given"
                       : key->fallback_help != NULL ? key->fallback_help
                       : key->fallback != NULL      ? key->fallback
                       : key->table != NULL         ? "those of its keys"
                                                    : "none";

    rtn_buf_append_text(out, text);
}

static const char *when_changed(const struct rtn_schema_table *root, const char *path)
{
    return root->when_changed != NULL ? root->when_changed(path) : NULL;
}

/* servers.NAME.limits.body against limits.body or servers.get.limits.body: from the end, NAME is any word. */
static bool path_matches(struct rtn_str path, struct rtn_str wanted)
{
    for (;;) {
        const char *mine = memrchr(path.data, '.', path.length);
        const char *other = memrchr(wanted.data, '.', wanted.length);
        struct rtn_str last = { mine != NULL ? mine + 1 : path.data, 0 };
        struct rtn_str given = { other != NULL ? other + 1 : wanted.data, 0 };
        last.length = path.length - (size_t) (last.data - path.data);
        given.length = wanted.length - (size_t) (given.data - wanted.data);
        if (!rtn_str_equal(last, given) && !(rtn_str_equal(last, RTN_STR("NAME")) && given.length > 0))
            return false;
        if (other == NULL || mine == NULL)
            return other == NULL;
        path.length = (size_t) (mine - path.data);
        wanted.length = (size_t) (other - wanted.data);
    }
}

struct explanation {
    const struct rtn_schema_table *root;
    const char *wanted;
    struct rtn_buf *out;
    bool found;
    const char *names[256]; /* of all keys, for a suggestion */
    size_t count;
};

static void append_inner_keys(const struct rtn_schema_key *key, struct rtn_buf *out)
{
    rtn_buf_append_text(out, "  keys: ");
    for (const struct rtn_schema_key *inner = key->table->keys; inner->name != NULL; inner++)
        rtn_buf_printf(out, "%s%s", inner == key->table->keys ? "" : ", ", inner->name);
    rtn_buf_append_char(out, '\n');
}

static void explain_key(const struct rtn_schema_key *key, const char *path, unsigned depth, void *data)
{
    struct explanation *explanation = data;
    struct rtn_buf *out = explanation->out;

    (void) depth;
    if (explanation->count < RTN_ARRAY_LENGTH(explanation->names))
        explanation->names[explanation->count++] = key->name;
    if (!path_matches(rtn_str_of(path), rtn_str_of(explanation->wanted)))
        return;
    rtn_buf_printf(out, "%s%s\n  %s\n  type: ", explanation->found ? "\n" : "", path, key->help);
    rtn_schema_describe_type(key, out);
    rtn_buf_append_text(out, "\n  default: ");
    rtn_schema_describe_default(key, out);
    const char *when = when_changed(explanation->root, path);
    rtn_buf_printf(out, "%s%s\n", when != NULL ? "\n  a change takes hold: " : "", when != NULL ? when : "");
    if (key->table != NULL)
        append_inner_keys(key, out);
    if (key->example != NULL)
        rtn_buf_printf(out, "  example: %s: %s\n", key->name, key->example);
    explanation->found = true;
}

static void explain_topic(const struct rtn_schema_topic *topic, struct rtn_buf *out)
{
    rtn_buf_printf(out, "%s\n  %s\n  keys: ", topic->name, topic->help);
    for (size_t i = 0; topic->keys[i] != NULL; i++)
        rtn_buf_printf(out, "%s%s", i > 0 ? ", " : "", topic->keys[i]);
    rtn_buf_append_char(out, '\n');
}

int rtn_schema_explain(const struct rtn_schema_table *table, const char *wanted, struct rtn_buf *out)
{
    struct explanation explanation = { .root = table, .wanted = wanted, .out = out };
    const char *dot = strrchr(wanted, '.');
    struct rtn_str last = rtn_str_of(dot != NULL ? dot + 1 : wanted);
    const struct rtn_schema_topic *topic = rtn_schema_topic(table, rtn_str_of(wanted));
    struct rtn_arena arena;

    rtn_schema_visit(table, explain_key, &explanation);
    if (topic != NULL) {
        rtn_buf_append_text(out, explanation.found ? "\n" : "");
        explain_topic(topic, out);
    }
    if (explanation.found || topic != NULL)
        return 0;
    rtn_arena_init(&arena, NULL, 0);
    rtn_buf_printf(out, "there is no key %s%s\n", rtn_node_quote(rtn_str_of(wanted), &arena),
                   rtn_schema_suggest(last, explanation.names, explanation.count, &arena));
    rtn_arena_done(&arena);
    return -ENOENT;
}

/* One word of text for mdoc: it is not taken for a macro, and backslashes stay. */
static void append_word(struct rtn_str word, bool first, struct rtn_buf *out)
{
    if (first && word.length > 0 && (word.data[0] == '.' || word.data[0] == '\''))
        rtn_buf_append_text(out, "\\&");
    for (size_t i = 0; i < word.length; i++) {
        if (word.data[i] == '\\')
            rtn_buf_append_text(out, "\\e");
        else
            rtn_buf_append_char(out, word.data[i]);
    }
}

/* Text for mdoc: each sentence starts a line, and long lines are broken. */
static void append_mdoc(const char *text, struct rtn_buf *out)
{
    struct rtn_str rest = rtn_str_of(text), word;
    size_t column = 0;

    while (rtn_str_next(&rest, ' ', &word)) {
        bool sentence = out->length > 0 && out->data[out->length - 1] == '.';
        if (column > 0 && (sentence || column + 1 + word.length > MDOC_LINE_MAX)) {
            rtn_buf_append_char(out, '\n');
            column = 0;
        }
        if (column > 0)
            rtn_buf_append_char(out, ' ');
        append_word(word, column == 0, out);
        column += word.length + (column > 0);
    }
    rtn_buf_append_char(out, '\n');
}

/* On the line of a macro, quotes keep words together and keep them from being read as macros. */
static void append_argument(const char *text, struct rtn_buf *out)
{
    rtn_buf_append_text(out, " \"");
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"')
            rtn_buf_append_text(out, "\\(dq");
        else if (*c == '\\')
            rtn_buf_append_text(out, "\\e");
        else
            rtn_buf_append_char(out, *c);
    }
    rtn_buf_append_char(out, '"');
}

static void write_fact(const char *label, struct rtn_buf *fact, struct rtn_buf *out)
{
    rtn_buf_printf(out, ".It %s\n", label);
    append_mdoc(fact->data != NULL ? fact->data : "", out);
    rtn_buf_clear(fact);
}

struct manual {
    const struct rtn_schema_table *root;
    struct rtn_buf *out;
};

static void manual_key(const struct rtn_schema_key *key, const char *path, unsigned depth, void *data)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf fact = { 0 };
    const struct manual *manual = data;
    struct rtn_buf *out = manual->out;
    const char *when = when_changed(manual->root, path);

    (void) depth;
    rtn_buf_append_text(out, ".It Ic");
    append_argument(path, out);
    rtn_buf_append_char(out, '\n');
    append_mdoc(key->help, out);
    rtn_buf_append_text(out, ".Bl -tag -width example: -compact\n");
    rtn_schema_describe_type(key, &fact);
    write_fact("Type:", &fact, out);
    if (key->type != RTN_SCHEMA_MAP && key->type != RTN_SCHEMA_NAMED) {
        rtn_schema_describe_default(key, &fact);
        write_fact("Default:", &fact, out);
    }
    if (when != NULL) {
        rtn_buf_append_text(&fact, when);
        write_fact("Change:", &fact, out);
    }
    if (key->example != NULL) {
        rtn_buf_append_text(out, ".It Example:\n.Li");
        rtn_buf_printf(&fact, "%s: %s", key->name, key->example);
        append_argument(fact.data, out);
        rtn_buf_append_char(out, '\n');
    }
    rtn_buf_append_text(out, ".El\n");
}

void rtn_schema_manual(const struct rtn_schema_table *table, struct rtn_buf *out)
{
    rtn_buf_append_text(out, ".Bl -tag -width indent\n");
    struct manual manual = { .root = table, .out = out };
    rtn_schema_visit(table, manual_key, &manual);
    rtn_buf_append_text(out, ".El\n");
}
