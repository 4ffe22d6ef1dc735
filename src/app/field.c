/* Splitting field values. Nothing is copied or unescaped: what a backslash means differs from field to field. */
#include "app/field.h"

#include "base/macros.h"

/* Where the quoted string at the start of s is closed; the length of s when it is not. */
static size_t closing_quote(struct rtn_str s)
{
    for (size_t i = 1; i < s.length; i++) {
        if (s.data[i] == '"')
            return i;
        if (s.data[i] == '\\')
            i++;
    }
    return s.length;
}

static bool is_quoted(struct rtn_str s)
{
    return s.length >= 2 && s.data[0] == '"' && closing_quote(s) == s.length - 1;
}

static size_t element_length(struct rtn_str s, char separator)
{
    size_t at = 0;
    for (; at < s.length && s.data[at] != separator; at++) {
        if (s.data[at] == '"')
            at += closing_quote((struct rtn_str){ s.data + at, s.length - at });
    }
    return RTN_MIN(at, s.length);
}

bool rtn_field_next(struct rtn_str *rest, char separator, struct rtn_str *ret)
{
    if (rest->data == NULL)
        return false;
    size_t length = element_length(*rest, separator);
    *ret = rtn_str_trim((struct rtn_str){ rest->data, length });
    if (length == rest->length)
        *rest = (struct rtn_str){ NULL, 0 };
    else
        *rest = (struct rtn_str){ rest->data + length + 1, rest->length - length - 1 };
    return true;
}

bool rtn_field_parameter(struct rtn_str text, struct rtn_parameter *ret)
{
    const char *equals = text.length > 0 ? memchr(text.data, '=', text.length) : NULL;
    if (equals == NULL)
        return false;
    struct rtn_str name = { text.data, (size_t) (equals - text.data) };
    struct rtn_str value = { equals + 1, text.length - name.length - 1 };
    bool quoted = is_quoted(value);
    if (!rtn_is_token(name) || (!quoted && !rtn_is_token(value)))
        return false;
    if (quoted)
        value = (struct rtn_str){ value.data + 1, value.length - 2 };
    *ret = (struct rtn_parameter){ .name = name, .value = value, .quoted = quoted };
    return true;
}
