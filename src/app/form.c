/*
 * Percent-decoding: one decoder for queries and urlencoded forms ('+' is a space, broken escapes stay), one for
 * paths ('+' stays, broken escapes are refused).
 *
 * Nothing is copied while nothing changes: both look for a reason to copy first. Pairs are compared while
 * decoding, so looking for a name allocates only for the value that is found. Dot segments are removed after
 * decoding, because "%2e%2e" and "..%2f" climb just as well as "../" once a handler opens files.
 */
#include "app/form.h"

#include <errno.h>
#include <limits.h>
#include <sys/types.h>

/* Takes one character of a form off the input. */
static char form_char(struct rtn_str encoded, size_t *at)
{
    char c = encoded.data[*at];
    int byte = rtn_percent_byte(encoded, *at);
    *at += byte >= 0 ? 3 : 1;
    if (byte >= 0)
        return (char) byte;
    return c == '+' ? ' ' : c;
}

bool rtn_form_next(struct rtn_str *rest, struct rtn_str *name, struct rtn_str *value)
{
    while (rest->length > 0 && rest->data[0] == '&') {
        rest->data++;
        rest->length--;
    }
    if (rest->length == 0)
        return false;
    const char *separator = memchr(rest->data, '&', rest->length);
    size_t length = separator != NULL ? (size_t) (separator - rest->data) : rest->length;
    const char *equals = memchr(rest->data, '=', length);
    size_t name_length = equals != NULL ? (size_t) (equals - rest->data) : length;
    size_t value_start = equals != NULL ? name_length + 1 : length;

    *name = (struct rtn_str){ rest->data, name_length };
    *value = (struct rtn_str){ rest->data + value_start, length - value_start };
    rest->data += length;
    rest->length -= length;
    return true;
}

struct rtn_str rtn_form_decode(struct rtn_str encoded, struct rtn_arena *arena)
{
    if (encoded.length == 0)
        return RTN_STR("");
    if (memchr(encoded.data, '%', encoded.length) == NULL && memchr(encoded.data, '+', encoded.length) == NULL)
        return encoded;
    char *decoded = rtn_arena_alloc(arena, encoded.length);
    if (decoded == NULL)
        return (struct rtn_str){ NULL, 0 };
    size_t length = 0;
    for (size_t at = 0; at < encoded.length;)
        decoded[length++] = form_char(encoded, &at);
    return (struct rtn_str){ decoded, length };
}

static bool decodes_to(struct rtn_str encoded, struct rtn_str plain)
{
    size_t length = 0;
    for (size_t at = 0; at < encoded.length; length++) {
        if (length == plain.length || form_char(encoded, &at) != plain.data[length])
            return false;
    }
    return length == plain.length;
}

struct rtn_str rtn_form_find(struct rtn_str pairs, struct rtn_str name, size_t index, struct rtn_arena *arena)
{
    struct rtn_str key;
    struct rtn_str value;
    while (rtn_form_next(&pairs, &key, &value)) {
        if (decodes_to(key, name) && index-- == 0)
            return rtn_form_decode(value, arena);
    }
    return (struct rtn_str){ NULL, 0 };
}

static bool is_control(int byte)
{
    return (byte >= 0 && byte < 0x20) || byte == 0x7f;
}

/*
 * How much of a target is a path that is as it stands: neither escaped nor in need of a closer look, without '%',
 * control character, "/.". The query's '?' ends it, too.
 */
static inline size_t plain_length(struct rtn_str target)
{
    static const bool ends[UCHAR_MAX + 1] = {
        [0 ... 0x1f] = true, ['%'] = true, ['.'] = true, ['?'] = true, [0x7f] = true
    };
    size_t i = 0;
    for (; i < target.length; i++) {
        char c = target.data[i];
        if (RTN_UNLIKELY(ends[(unsigned char) c]) && (c != '.' || (i > 0 && target.data[i - 1] == '/')))
            break;
    }
    return i;
}

/* Length of the decoded path in `out`, or -EINVAL. */
static ssize_t path_unescape(struct rtn_str raw, char *out)
{
    size_t length = 0;
    for (size_t at = 0; at < raw.length;) {
        bool escape = raw.data[at] == '%';
        int byte = escape ? rtn_percent_byte(raw, at) : (unsigned char) raw.data[at];
        if (byte < 0 || is_control(byte))
            return -EINVAL;
        out[length++] = (char) byte;
        at += escape ? 3 : 1;
    }
    return (ssize_t) length;
}

/* Where the last segment of path[0..length), which starts with '/', begins; its slash included. */
static size_t parent_length(const char *path, size_t length)
{
    while (path[--length] != '/')
        ;
    return length;
}

/* Removes dot segments in place (RFC 3986, 5.2.4). The new length, or -EINVAL for a climb above the root. */
static ssize_t path_remove_dots(char *path, size_t length)
{
    size_t out = 0;
    for (size_t at = 0; at < length;) {
        const char *slash = memchr(path + at + 1, '/', length - at - 1);
        size_t end = slash != NULL ? (size_t) (slash - path) : length;
        struct rtn_str segment = { path + at + 1, end - at - 1 };
        bool dot = rtn_str_equal(segment, RTN_STR("."));
        bool dots = rtn_str_equal(segment, RTN_STR(".."));
        if (dots && out == 0)
            return -EINVAL;
        if (dots)
            out = parent_length(path, out);
        if (!dot && !dots) {
            memmove(path + out, path + at, end - at);
            out += end - at;
        } else if (end == length) {
            path[out++] = '/';
        }
        at = end;
    }
    return (ssize_t) out;
}

int rtn_path_decode(struct rtn_str raw, struct rtn_arena *arena, struct rtn_str *ret)
{
    if (raw.length == 0 || raw.data[0] != '/')
        return -EINVAL;
    if (plain_length(raw) == raw.length) {
        *ret = raw;
        return 0;
    }
    char *path = rtn_arena_alloc(arena, raw.length + 1);
    if (path == NULL)
        return -ENOMEM;
    ssize_t length = path_unescape(raw, path);
    if (length >= 0)
        length = path_remove_dots(path, (size_t) length);
    if (length < 0)
        return (int) length;
    *ret = (struct rtn_str){ path, (size_t) length };
    return 0;
}

/* What is not plain up to its end or its query. */
RTN_COLD static int decode_target(struct rtn_str target, struct rtn_arena *arena, struct rtn_str *ret_path,
                                  struct rtn_str *ret_query)
{
    const char *mark = memchr(target.data, '?', target.length);
    struct rtn_str path = target;
    struct rtn_str query = { 0 };
    if (mark != NULL) {
        path.length = (size_t) (mark - target.data);
        query = (struct rtn_str){ mark + 1, target.length - path.length - 1 };
    }
    *ret_query = query;
    return rtn_path_decode(path, arena, ret_path);
}

int rtn_target_split(struct rtn_str target, struct rtn_arena *arena, struct rtn_str *ret_path,
                     struct rtn_str *ret_query)
{
    size_t length = plain_length(target);
    bool has_query = length < target.length && target.data[length] == '?';
    if (length == 0 || target.data[0] != '/' || (length < target.length && !has_query))
        return decode_target(target, arena, ret_path, ret_query);
    *ret_path = (struct rtn_str){ target.data, length };
    *ret_query =
        has_query ? (struct rtn_str){ target.data + length + 1, target.length - length - 1 } : (struct rtn_str){ 0 };
    return 0;
}
