/*
 * ${NAME} and ${NAME:-default} in scalar values; $$ is a dollar sign, any other $ stands for itself.
 * The default holds when the variable is unset or empty, as in a shell, and is taken as it is.
 *
 * Places of errors: libyaml gives the place of a whole scalar only, so the dollar sign is counted off
 * in the text of the file. Escapes (\x24) may hide one; the whole scalar is marked then.
 */
#include <stdlib.h>

#include "base/utf8.h"
#include "config/yaml_internal.h"

struct expansion {
    struct rtn_yaml_reader *reader;
    struct rtn_str text; /* of the scalar */
    size_t at; /* of the dollar sign being replaced */
    size_t end; /* behind the closing brace */
    struct rtn_buf out;
};

/* Start of the n-th dollar sign (from 0) of the current scalar in the file, or SIZE_MAX. */
static size_t find_dollar(struct rtn_yaml_reader *reader, size_t n)
{
    struct rtn_str text = reader->source->text;
    size_t end = rtn_yaml_find(reader, &reader->event.end_mark);

    for (size_t i = rtn_yaml_find(reader, &reader->event.start_mark); i < end; i++) {
        if (text.data[i] == '$' && n-- == 0)
            return i;
    }
    return SIZE_MAX;
}

static size_t count_dollars(struct rtn_str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.length; i++)
        count += text.data[i] == '$';
    return count;
}

/* The place of ${...}, whose text has `length` bytes. */
static struct rtn_mark mark_of(const struct expansion *expansion, size_t length)
{
    struct rtn_yaml_reader *reader = expansion->reader;
    struct rtn_str text = reader->source->text;
    struct rtn_mark mark = rtn_yaml_mark(reader, &reader->event.start_mark, &reader->event.end_mark);
    size_t start = rtn_yaml_find(reader, &reader->event.start_mark);
    size_t at = find_dollar(reader, count_dollars((struct rtn_str){ expansion->text.data, expansion->at }));

    if (at == SIZE_MAX)
        return mark;
    for (const char *end; (end = memchr(text.data + start, '\n', at - start)) != NULL;) {
        start = (size_t) (end - text.data) + 1;
        mark.line++;
        mark.column = 1;
    }
    mark.column += (unsigned) rtn_utf8_count((struct rtn_str){ text.data + start, at - start });
    mark.length = (unsigned) rtn_utf8_count((struct rtn_str){ expansion->text.data + expansion->at, length });
    return mark;
}

static bool fail(const struct expansion *expansion, size_t length, const char *problem, const char *detail)
{
    struct rtn_arena *arena = expansion->reader->arena;
    struct rtn_str shown = { expansion->text.data + expansion->at, length };

    rtn_diags_error(expansion->reader->diags, mark_of(expansion, length), "%s %s%s", rtn_node_quote(shown, arena),
                    problem, detail);
    return false;
}

static bool is_name(struct rtn_str name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.length > 0;
}

/* Values may be large and used often: what they bring in is bounded like the file itself. */
static bool append_value(struct expansion *expansion, struct rtn_str value)
{
    size_t length = expansion->end - expansion->at;

    expansion->reader->replaced += value.length;
    if (expansion->reader->replaced > RTN_YAML_SIZE_MAX)
        return fail(expansion, length, "makes the file larger than 1MiB", "");
    if (!rtn_utf8_valid(value))
        return fail(expansion, length, "has a value that is not UTF-8", "");
    rtn_buf_append_str(&expansion->out, value);
    return true;
}

/* `inside`: what stands between the braces. */
static bool replace(struct expansion *expansion, struct rtn_str inside)
{
    const char *colon = memmem(inside.data, inside.length, ":-", 2);
    struct rtn_str name = { inside.data, colon != NULL ? (size_t) (colon - inside.data) : inside.length };
    size_t length = expansion->end - expansion->at;

    if (!is_name(name))
        return fail(expansion, length, "is no variable: a name has letters, digits and _, the first no digit; ",
                    "$$ writes a plain $");
    const char *value = getenv(rtn_config_strdup(expansion->reader->arena, name));
    if (colon == NULL && value == NULL)
        return fail(expansion, length, "is not set in the environment; give a default with ",
                    rtn_config_printf(expansion->reader->arena, "${%.*s:-value}", RTN_STR_ARG(name)));
    if (value != NULL && (*value != '\0' || colon == NULL))
        return append_value(expansion, rtn_str_of(value));
    struct rtn_str fallback = { colon + 2, inside.length - name.length - 2 };
    if (memmem(fallback.data, fallback.length, "${", 2) != NULL)
        return fail(expansion, length, "has another ${ in its default; only plain text can stand there", "");
    return append_value(expansion, fallback);
}

/* At a dollar sign. */
static bool expand_one(struct expansion *expansion)
{
    struct rtn_str rest = { expansion->text.data + expansion->at, expansion->text.length - expansion->at };
    char second = rest.length > 1 ? rest.data[1] : '\0';

    if (second != '{') {
        rtn_buf_append_char(&expansion->out, '$');
        expansion->end = expansion->at + (second == '$' ? 2 : 1);
        return true;
    }
    const char *brace = memchr(rest.data, '}', rest.length);
    if (brace == NULL)
        return fail(expansion, rest.length, "has no closing }; $$ writes a plain $", "");
    expansion->end = (size_t) (brace - expansion->text.data) + 1;
    return replace(expansion, (struct rtn_str){ rest.data + 2, (size_t) (brace - rest.data) - 2 });
}

static bool expand(struct expansion *expansion)
{
    const char *data = expansion->text.data;
    const char *end = data + expansion->text.length;

    while (data < end) {
        const char *dollar = memchr(data, '$', (size_t) (end - data));
        rtn_buf_append(&expansion->out, data, (size_t) ((dollar != NULL ? dollar : end) - data));
        if (dollar == NULL)
            return true;
        expansion->at = (size_t) (dollar - expansion->text.data);
        if (!expand_one(expansion))
            return false;
        data = expansion->text.data + expansion->end;
    }
    return true;
}

static bool has_nul(struct rtn_yaml_reader *reader, struct rtn_str text)
{
    if (memchr(text.data, '\0', text.length) == NULL)
        return false;
    rtn_diags_error(reader->diags, rtn_yaml_mark(reader, &reader->event.start_mark, &reader->event.end_mark),
                    "a value holds a NUL character");
    return true;
}

bool rtn_yaml_expand(struct rtn_yaml_reader *reader, struct rtn_str *ret)
{
    const yaml_event_t *event = &reader->event;
    struct expansion expansion = {
        .reader = reader,
        .text = { (const char *) event->data.scalar.value, event->data.scalar.length },
    };

    bool ok = expand(&expansion) && !has_nul(reader, rtn_buf_str(&expansion.out));
    if (ok) {
        ret->data = rtn_config_strdup(reader->arena, rtn_buf_str(&expansion.out));
        ret->length = expansion.out.length;
    }
    rtn_buf_done(&expansion.out);
    return ok;
}
