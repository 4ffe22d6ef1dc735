/* The grammar of a host with an optional port, one for the Host field and for URLs. */
#include "proto/authority.h"

#include <limits.h>

#include "base/macros.h"

/* Letters, digits and the marks a host can hold (RFC 3986, 3.2.2), but no comma. */
static bool is_host_char(char c)
{
    static const bool table[UCHAR_MAX + 1] = {
        ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['-'] = true, ['.'] = true,  ['_'] = true,
        ['~'] = true,         ['!'] = true,         ['$'] = true,         ['&'] = true, ['\''] = true, ['('] = true,
        [')'] = true,         ['*'] = true,         ['+'] = true,         [';'] = true, ['='] = true,
    };
    return table[(unsigned char) c];
}

/* Offset behind the name or IPv4 address that `s` begins with. */
static size_t host_name_end(struct rtn_str s)
{
    size_t at = 0;
    for (;;) {
        while (at < s.length && is_host_char(s.data[at]))
            at++;
        if (at == s.length || s.data[at] != '%' || rtn_percent_byte(s, at) < 0)
            return at;
        at += 3;
    }
}

/* Offset behind the "[::1]" that `s` begins with; 0 when it is none. */
static size_t ip_literal_end(struct rtn_str s)
{
    size_t at = 1;
    while (at < s.length && (is_host_char(s.data[at]) || s.data[at] == ':'))
        at++;
    return at > 1 && at < s.length && s.data[at] == ']' ? at + 1 : 0;
}

bool rtn_authority_valid(struct rtn_str s)
{
    bool literal = s.length > 0 && s.data[0] == '[';
    size_t at = literal ? ip_literal_end(s) : host_name_end(s);
    if (literal && at == 0)
        return false;
    if (at < s.length && s.data[at++] != ':')
        return false;
    while (at < s.length && rtn_is_digit(s.data[at]))
        at++;
    return at == s.length;
}

struct rtn_str rtn_authority_of(struct rtn_str target)
{
    static const struct rtn_str schemes[] = { { "http://", 7 }, { "https://", 8 } };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(schemes); i++) {
        size_t start = schemes[i].length;
        if (!rtn_str_starts_with_nocase(target, schemes[i]))
            continue;
        size_t end = start;
        while (end < target.length && target.data[end] != '/' && target.data[end] != '?')
            end++;
        return (struct rtn_str){ target.data + start, end - start };
    }
    return (struct rtn_str){ 0 };
}

struct rtn_str rtn_authority_host(struct rtn_str authority)
{
    for (size_t i = authority.length; i > 0; i--) {
        char c = authority.data[i - 1];
        if (c == ':')
            return (struct rtn_str){ authority.data, i - 1 };
        if (c < '0' || c > '9')
            break;
    }
    return authority;
}
