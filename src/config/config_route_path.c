/*
 * The path of a route: segments between slashes, each literal text, or {name} for any one segment, or
 * * at the end for everything left. The checks refuse what no request could ever match, since such
 * targets are refused or normalised before routing.
 */
#include <ctype.h>

#include "config/config_tables.h"
#include "config/memory.h"

static bool is_identifier(struct rtn_str name)
{
    for (size_t i = 0; i < name.length; i++) {
        unsigned char c = (unsigned char) name.data[i];
        if (!isalpha(c) && c != '_' && (i == 0 || !isdigit(c)))
            return false;
    }
    return name.length > 0;
}

/* The text between the braces when the segment is {...}, else an absent view. */
static struct rtn_str parameter(struct rtn_str segment)
{
    if (segment.length < 2 || segment.data[0] != '{' || segment.data[segment.length - 1] != '}')
        return (struct rtn_str){ NULL, 0 };
    return (struct rtn_str){ segment.data + 1, segment.length - 2 };
}

static const char *literal_problem(struct rtn_str segment, struct rtn_arena *arena)
{
    for (size_t i = 0; i < segment.length; i++) {
        char c = segment.data[i];
        if (c == '{' || c == '}')
            return rtn_config_printf(arena, "a {name} must be a whole segment, not a part as in %s",
                                     rtn_node_quote(segment, arena));
        if (c == '*')
            return "a * must be a whole segment, and the last one, as in \"/files/*\"";
        if (c == '%' && (i + 2 >= segment.length || !isxdigit((unsigned char) segment.data[i + 1]) ||
                         !isxdigit((unsigned char) segment.data[i + 2])))
            return "a % needs two hexadecimal digits behind it; write %25 for a percent sign";
    }
    return NULL;
}

static const char *parameter_problem(struct rtn_str name, struct rtn_str before, struct rtn_arena *arena)
{
    struct rtn_str segment;

    if (!is_identifier(name))
        return rtn_config_printf(arena, "{%.*s} needs a name of letters, digits and _, the first no digit",
                                 RTN_STR_ARG(name));
    while (rtn_str_next(&before, '/', &segment)) {
        struct rtn_str other = parameter(segment);
        if (other.data != NULL && rtn_str_equal(other, name))
            return rtn_config_printf(arena, "{%.*s} stands twice in the path", RTN_STR_ARG(name));
    }
    return NULL;
}

/* One segment; `before` is the path in front of it, `last` tells that no slash follows. */
static const char *segment_problem(struct rtn_str segment, struct rtn_str before, bool last, struct rtn_arena *arena)
{
    struct rtn_str name = parameter(segment);

    if (segment.length == 0)
        return last ? NULL : "the path holds //; a request for it would never arrive";
    if (rtn_str_equal(segment, RTN_STR(".")) || rtn_str_equal(segment, RTN_STR("..")))
        return rtn_config_printf(arena, "the path holds a segment %.*s; write the path it leads to",
                                 RTN_STR_ARG(segment));
    if (last && rtn_str_equal(segment, RTN_STR("*")))
        return NULL;
    if (name.data != NULL)
        return parameter_problem(name, before, arena);
    return literal_problem(segment, arena);
}

static const char *character_problem(const char *path)
{
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '?')
            return "a path has no query; leave out the ? and what follows";
        if (*c == '#')
            return "a path has no fragment; leave out the # and what follows";
        if (*c == ' ' || iscntrl((unsigned char) *c))
            return "a path holds no spaces or control characters; write them as %XX";
    }
    return NULL;
}

const char *rtn_config_path_problem(const char *path, struct rtn_arena *arena)
{
    const char *problem = path[0] == '/' ? character_problem(path) : "a path starts with /";

    for (const char *at = path; problem == NULL && *at == '/';) {
        const char *start = at + 1;
        size_t length = strcspn(start, "/");
        struct rtn_str before = { path, (size_t) (at - path) };
        at = start + length;
        problem = segment_problem((struct rtn_str){ start, length }, before, *at == '\0', arena);
    }
    return problem;
}

const char *rtn_config_path_shape(const char *path, struct rtn_arena *arena)
{
    char *shape = rtn_config_strdup(arena, rtn_str_of(path));
    char *to = shape;

    for (const char *from = path; *from != '\0'; from++) {
        *to++ = *from;
        if (*from == '{')
            from += strcspn(from, "}") - 1;
    }
    *to = '\0';
    return shape;
}
