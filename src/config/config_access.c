/*
 * Takes the pattern of an access log apart: what stands between braces is looked up in the table of fields, all else
 * is literal text, gathered until the next field comes. A "}" without its brace is literal.
 */
#include "config/config_access.h"

#include <ctype.h>

#include "config/memory.h"
#include "config/schema.h"

static const struct {
    const char *name;
    enum rtn_access_field field;
} fields[] = {
    { "client", RTN_ACCESS_CLIENT },
    { "host", RTN_ACCESS_HOST },
    { "method", RTN_ACCESS_METHOD },
    { "target", RTN_ACCESS_TARGET },
    { "path", RTN_ACCESS_PATH },
    { "query", RTN_ACCESS_QUERY },
    { "version", RTN_ACCESS_VERSION },
    { "status", RTN_ACCESS_STATUS },
    { "bytes", RTN_ACCESS_BYTES },
    { "duration_us", RTN_ACCESS_DURATION_US },
    { "duration_ms", RTN_ACCESS_DURATION_MS },
    { "time", RTN_ACCESS_TIME },
    { "time_iso", RTN_ACCESS_TIME_ISO },
    { "request_id", RTN_ACCESS_REQUEST_ID },
    { "server", RTN_ACCESS_SERVER },
    { "route", RTN_ACCESS_ROUTE },
    { "referer", RTN_ACCESS_REFERER },
    { "user_agent", RTN_ACCESS_USER_AGENT },
    { "connection", RTN_ACCESS_CONNECTION },
    { "header", RTN_ACCESS_HEADER },
};

struct parser {
    struct rtn_arena *arena;
    struct rtn_str rest;
    struct rtn_buf text; /* literal, not yet a part */
    struct rtn_access_pattern pattern;
};

static void add_part(struct parser *parser, enum rtn_access_field field, struct rtn_str text)
{
    struct rtn_access_part *part = &parser->pattern.parts[parser->pattern.count++];

    part->field = field;
    if (text.length > 0)
        part->text = (struct rtn_str){ rtn_config_strdup(parser->arena, text), text.length };
}

static void flush_text(struct parser *parser)
{
    if (parser->text.length > 0)
        add_part(parser, RTN_ACCESS_TEXT, rtn_buf_str(&parser->text));
    rtn_buf_clear(&parser->text);
}

static const char *unknown_name(struct rtn_str name, struct rtn_arena *arena)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf all = { 0 };
    const char *names[RTN_ARRAY_LENGTH(fields)];

    for (size_t i = 0; i < RTN_ARRAY_LENGTH(fields); i++) {
        names[i] = fields[i].name;
        rtn_buf_printf(&all, "%s%s%s", i > 0 ? ", " : "", names[i],
                       fields[i].field == RTN_ACCESS_HEADER ? ":NAME" : "");
    }
    const char *near = rtn_schema_suggest(name, names, RTN_ARRAY_LENGTH(names), arena);
    if (near[0] == '\0')
        near = rtn_config_printf(arena, "; the names are %s", all.data);
    return rtn_config_printf(arena, "%s is no name of a value%s", rtn_node_quote(name, arena), near);
}

/* Of the request; kept in lower case. */
static const char *add_header(struct parser *parser, struct rtn_str name)
{
    if (!rtn_is_token(name))
        return rtn_config_printf(parser->arena, "%s is no name of a header field; write {header:NAME}",
                                 rtn_node_quote(name, parser->arena));
    add_part(parser, RTN_ACCESS_HEADER, rtn_str_of(rtn_config_lower(parser->arena, name)));
    return NULL;
}

/* The text between two braces. */
static const char *add_field(struct parser *parser, struct rtn_str text)
{
    const char *colon = memchr(text.data, ':', text.length);
    struct rtn_str name = { text.data, colon != NULL ? (size_t) (colon - text.data) : text.length };
    struct rtn_str argument = { NULL, 0 };
    size_t i = 0;

    if (colon != NULL)
        argument = (struct rtn_str){ colon + 1, text.length - name.length - 1 };
    while (i < RTN_ARRAY_LENGTH(fields) && !rtn_str_equal(name, rtn_str_of(fields[i].name)))
        i++;
    if (i == RTN_ARRAY_LENGTH(fields))
        return unknown_name(name, parser->arena);
    if (fields[i].field == RTN_ACCESS_HEADER)
        return add_header(parser, argument);
    if (colon != NULL)
        return rtn_config_printf(parser->arena, "{%s} takes no name of its own after a colon", fields[i].name);
    add_part(parser, fields[i].field, argument);
    return NULL;
}

static void advance(struct parser *parser, size_t length)
{
    parser->rest.data += length;
    parser->rest.length -= length;
}

static const char *next_part(struct parser *parser)
{
    struct rtn_str rest = parser->rest;
    bool brace = rest.data[0] == '{';
    const char *end;

    if (!brace || rtn_str_starts_with(rest, RTN_STR("{{"))) {
        rtn_buf_append_char(&parser->text, rest.data[0]);
        advance(parser, brace ? 2 : 1);
        return NULL;
    }
    end = memchr(rest.data, '}', rest.length);
    if (end == NULL)
        return "a { has no }; write {{ for a brace";
    flush_text(parser);
    advance(parser, (size_t) (end - rest.data) + 1);
    return add_field(parser, (struct rtn_str){ rest.data + 1, (size_t) (end - rest.data) - 1 });
}

static const char *character_problem(struct rtn_str text)
{
    for (size_t i = 0; i < text.length; i++) {
        if (iscntrl((unsigned char) text.data[i]) && text.data[i] != '\t')
            return "a line break or another control character would break the lines of the log";
    }
    return text.length == 0 ? "there is nothing in it" : NULL;
}

const char *rtn_access_pattern_parse(struct rtn_str text, struct rtn_arena *arena, struct rtn_access_pattern *ret)
{
    struct parser parser = { .arena = arena, .rest = text };
    const char *problem = character_problem(text);

    /* No part is shorter than a character. */
    parser.pattern.parts = rtn_config_alloc(arena, (text.length + 1) * sizeof(*parser.pattern.parts));
    while (problem == NULL && parser.rest.length > 0)
        problem = next_part(&parser);
    flush_text(&parser);
    rtn_buf_done(&parser.text);
    if (problem == NULL)
        *ret = parser.pattern;
    return problem;
}
