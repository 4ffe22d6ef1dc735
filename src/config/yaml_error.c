/*
 * What libyaml's messages mean, in plain words. It speaks of tokens and collections; people made a
 * slip with indentation, a quote or a bracket. A row without a context fits any context.
 */
#include "base/utf8.h"
#include "config/yaml_internal.h"

static const struct {
    const char *problem;
    const char *context;
    const char *words;
} explanations[] = {
    { "mapping values are not allowed in this context", NULL, "a key cannot stand here; check the indentation" },
    { "mapping keys are not allowed in this context", NULL, "a key cannot stand here; check the indentation" },
    { "block sequence entries are not allowed in this context", NULL,
      "a list entry (\"- \") cannot stand here; start the list on a line of its own" },
    { "did not find expected key", "while parsing a block mapping",
      "this line does not fit the map above it; check the indentation, and quotes and brackets before it" },
    { "did not find expected '-' indicator", NULL,
      "this line does not fit the list above it; check the indentation, or start it with \"- \"" },
    { "could not find expected ':'", NULL, "this line has no \": \" after its key" },
    { "did not find expected ',' or ']'", NULL, "the list that starts with [ lacks a comma or its closing ]" },
    { "did not find expected ',' or '}'", NULL, "the map that starts with { lacks a comma or its closing }" },
    { "found unexpected end of stream", "while scanning a quoted scalar", "the closing quote of this text is missing" },
    { "found unexpected document indicator", "while scanning a quoted scalar",
      "the closing quote of this text is missing" },
    { "found unknown escape character", NULL,
      "this escape is unknown; write \\\\ for a backslash, or use single quotes" },
    { "did not find expected hexdecimal number", NULL, "this escape needs hexadecimal digits" },
    { "found invalid Unicode character escape code", NULL, "this escape is no Unicode character" },
    { "found unexpected ':'", NULL, "a colon cannot stand here; put the text in quotes" },
    { "did not find expected node content", NULL, "a value is missing here; is a comma too many?" },
    { "did not find expected alphabetic or numeric character", "while scanning an alias",
      "a * starts an alias and needs a name of letters and digits; put text that starts with * in quotes" },
    { "did not find expected alphabetic or numeric character", "while scanning an anchor",
      "a & starts an anchor and needs a name of letters and digits; put text that starts with & in quotes" },
    { "found a tab character that violates indentation", NULL, "a tab cannot indent; use spaces" },
    { "found a tab character where an indentation space is expected", NULL, "a tab cannot indent; use spaces" },
    { "did not find expected <document start>", NULL,
      "nothing may follow the document; is the first line of the file indented, or a bracket closed twice?" },
    { "found incompatible YAML document", NULL, "this version of YAML is not supported; leave out the %YAML line" },
    { "found undefined tag handle", NULL, "tags are not supported; put text that starts with ! in quotes" },
    { "did not find expected comment or line break", NULL, "nothing may follow | or > on its line" },
};

static const char *explain(const yaml_parser_t *parser)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(explanations); i++) {
        if (strcmp(parser->problem, explanations[i].problem) != 0)
            continue;
        if (explanations[i].context == NULL ||
            (parser->context != NULL && strcmp(parser->context, explanations[i].context) == 0))
            return explanations[i].words;
    }
    return parser->problem;
}

static struct rtn_str line_at(struct rtn_str text, size_t number)
{
    const char *end = NULL;

    for (;; number--) {
        end = text.length > 0 ? memchr(text.data, '\n', text.length) : NULL;
        if (number == 0 || end == NULL)
            break;
        text.length -= (size_t) (end - text.data) + 1;
        text.data = end + 1;
    }
    if (number > 0)
        return RTN_STR("");
    return (struct rtn_str){ text.data, end != NULL ? (size_t) (end - text.data) : text.length };
}

/* Column of a tab before the first visible character, or 0. */
static unsigned indenting_tab(struct rtn_str line)
{
    for (size_t i = 0; i < line.length && (line.data[i] == ' ' || line.data[i] == '\t'); i++) {
        if (line.data[i] == '\t')
            return (unsigned) i + 1;
    }
    return 0;
}

/* Column of a value like [::1]:80, which YAML takes for a list, or 0. */
static unsigned bare_ipv6(struct rtn_str line)
{
    for (size_t i = 0; i + 1 < line.length; i++) {
        if (line.data[i] != '[' || (i > 0 && line.data[i - 1] != ' '))
            continue;
        size_t end = i + 1 + strspn(line.data + i + 1, "0123456789abcdefABCDEF:.");
        if (end > i + 2 && end + 1 < line.length && line.data[end] == ']' && line.data[end + 1] == ':')
            return (unsigned) rtn_utf8_count((struct rtn_str){ line.data, i }) + 1;
    }
    return 0;
}

/* The usual suspects, which libyaml reports in a roundabout way or a line late. */
static bool report_suspect(const struct rtn_yaml_reader *reader, size_t number)
{
    struct rtn_str line = line_at(reader->source->text, number);
    unsigned tab = indenting_tab(line);
    unsigned ipv6 = bare_ipv6(line);
    struct rtn_mark mark = { .source = reader->source, .line = (unsigned) number + 1, .length = 1 };

    mark.column = tab > 0 ? tab : ipv6;
    if (mark.column == 0)
        return false;
    rtn_diags_error(reader->diags, mark, "%s",
                    tab > 0 ? "a tab cannot indent; use spaces" : "an address that starts with [ needs quotes");
    return true;
}

/* A character that YAML keeps for itself at the start of a value. */
static bool report_reserved(const struct rtn_yaml_reader *reader, const yaml_mark_t *place)
{
    struct rtn_str line = line_at(reader->source->text, place->line);
    struct rtn_mark mark = rtn_yaml_mark(reader, place, place);

    if (strcmp(reader->parser.problem, "found character that cannot start any token") != 0)
        return false;
    for (size_t i = 0; i < place->column && line.length > 0; i++) {
        unsigned length = rtn_utf8_next(line);
        line.data += RTN_MAX(length, 1U);
        line.length -= RTN_MAX(length, 1U);
    }
    if (line.length > 0 && *line.data == '\t')
        rtn_diags_error(reader->diags, mark, "a tab cannot stand here; use spaces");
    else
        rtn_diags_error(reader->diags, mark, "a value cannot start with %c; put it in quotes",
                        line.length > 0 ? *line.data : '?');
    return true;
}

static struct rtn_str first_chars(struct rtn_str text, size_t count)
{
    size_t length = 0;

    while (count-- > 0 && length < text.length)
        length += RTN_MAX(rtn_utf8_next((struct rtn_str){ text.data + length, text.length - length }), 1U);
    return (struct rtn_str){ text.data, length };
}

static size_t indentation(struct rtn_str line)
{
    size_t length = 0;

    while (length < line.length && line.data[length] == ' ')
        length++;
    return length;
}

static bool is_text(struct rtn_str line)
{
    size_t start = indentation(line);

    return start < line.length && line.data[start] != '#' && line.data[start] != '\r';
}

/* The nearest line above with text in it, counted from 1; 0 when there is none. */
static size_t text_above(struct rtn_str text, size_t number)
{
    while (number > 0 && !is_text(line_at(text, number - 1)))
        number--;
    return number;
}

/* The line above lacks its colon, or this one is too far to the right: libyaml took it for more text. */
static bool report_continued(const struct rtn_yaml_reader *reader, size_t number)
{
    struct rtn_str line = line_at(reader->source->text, number);
    size_t above = text_above(reader->source->text, number);
    struct rtn_str before = above > 0 ? line_at(reader->source->text, above - 1) : line;
    bool has_value = memmem(before.data, before.length, ": ", 2) != NULL;
    struct rtn_mark mark = { .source = reader->source, .length = 1 };

    if (above == 0 || (has_value && indentation(line) <= indentation(before)))
        return false;
    mark.line = (unsigned) (has_value ? number + 1 : above);
    mark.column = (unsigned) indentation(has_value ? line : before) + 1;
    if (has_value)
        rtn_diags_error(reader->diags, mark,
                        "this line is indented deeper than the one above, which has its value already");
    else if (memchr(before.data, ':', before.length) != NULL)
        rtn_diags_error(reader->diags, mark, "this line needs a space after the colon of its key");
    else
        rtn_diags_error(reader->diags, mark, "this line has no \": \" after its key");
    return true;
}

/* A colon where no key can be. */
static bool report_colon(const struct rtn_yaml_reader *reader, const yaml_mark_t *place)
{
    struct rtn_str front = first_chars(line_at(reader->source->text, place->line), place->column);

    if (strcmp(reader->parser.problem, "mapping values are not allowed in this context") != 0)
        return false;
    if (front.length == 0 || memmem(front.data, front.length, ": ", 2) == NULL)
        return report_continued(reader, place->line);
    rtn_diags_error(reader->diags, rtn_yaml_mark(reader, place, place), "a value that holds \": \" needs quotes");
    return true;
}

/* A { or } inside a word, as in /greet/{name}: within brackets it ends the word. */
static bool is_brace_in_text(const struct rtn_yaml_reader *reader, const yaml_mark_t *place)
{
    struct rtn_str line = line_at(reader->source->text, place->line);
    struct rtn_str front = first_chars(line, place->column);

    if (front.length == 0 || front.length == line.length || strchr("{}", line.data[front.length]) == NULL)
        return false;
    return strchr(" ,:[]{}\"'", front.data[front.length - 1]) == NULL;
}

/* A quote or bracket that is never closed is noticed late, often at the end of the file. */
static bool report_open(const struct rtn_yaml_reader *reader, const yaml_mark_t *place)
{
    const yaml_parser_t *parser = &reader->parser;
    const yaml_mark_t *start = &parser->context_mark;
    bool quote = strcmp(parser->problem, "found unexpected end of stream") == 0 ||
                 strcmp(parser->problem, "found unexpected document indicator") == 0;
    bool bracket =
        strncmp(parser->problem, "did not find expected ',' or", strlen("did not find expected ',' or")) == 0;

    if (parser->context == NULL || (!quote && !bracket))
        return false;
    if (bracket && is_brace_in_text(reader, place)) {
        rtn_diags_error(reader->diags, rtn_yaml_mark(reader, start, start),
                        "%s; a text with { } in it needs quotes here", explain(parser));
        rtn_diags_note(reader->diags, rtn_yaml_mark(reader, place, place), "without quotes the text ends before this");
        return true;
    }
    rtn_diags_error(reader->diags, rtn_yaml_mark(reader, start, start), "%s", explain(parser));
    if (bracket && is_text(line_at(reader->source->text, place->line)))
        rtn_diags_note(reader->diags, rtn_yaml_mark(reader, place, place), "it is missing before this");
    return true;
}

void rtn_yaml_report(const struct rtn_yaml_reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    const yaml_mark_t *place = &parser->problem_mark;

    if (parser->error == YAML_MEMORY_ERROR || parser->problem == NULL)
        abort();
    if (report_suspect(reader, place->line) || (place->line > 0 && report_suspect(reader, place->line - 1)))
        return;
    if (report_reserved(reader, place) || report_colon(reader, place) || report_open(reader, place))
        return;
    rtn_diags_error(reader->diags, rtn_yaml_mark(reader, place, place), "%s", explain(parser));
}
