/*
 * Scalars as YAML that reads back as the same text: plain where that is safe, else in double quotes,
 * with everything escaped that our own reader refuses or would replace.
 */
#include "config/yaml_write.h"

#include "base/utf8.h"

/* Text that means itself without quotes, in lists too. */
static bool is_plain(struct rtn_str text)
{
    static const char more[] = "_./@-:";
    struct rtn_node node = { .kind = RTN_NODE_SCALAR, .text = text };

    if (rtn_node_is_null(&node) || text.data[text.length - 1] == ':')
        return false;
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        bool word = rtn_is_alnum(c) || c == '/';
        bool minus = i == 0 && c == '-' && text.length > 1 && rtn_is_digit(text.data[1]);
        if (!word && !minus && (i == 0 || c == '\0' || strchr(more, c) == NULL))
            return false;
    }
    return true;
}

/* U+0085, U+2028 and U+2029 end lines, U+0080 to U+009F and U+FEFF are refused: all are escaped. */
static bool needs_escape(struct rtn_str rest, unsigned length)
{
    unsigned char c = (unsigned char) rest.data[0];

    return length == 0 || c < 0x20 || c == 0x7f || (length == 2 && c == 0xc2 && (unsigned char) rest.data[1] < 0xa0) ||
           (length == 3 && (memcmp(rest.data, "\xe2\x80\xa8", 3) == 0 || memcmp(rest.data, "\xe2\x80\xa9", 3) == 0 ||
                            memcmp(rest.data, "\xef\xbb\xbf", 3) == 0 || memcmp(rest.data, "\xef\xbf\xbe", 3) == 0 ||
                            memcmp(rest.data, "\xef\xbf\xbf", 3) == 0));
}

static unsigned code_point(struct rtn_str rest, unsigned length)
{
    unsigned char a = (unsigned char) rest.data[0];

    if (length == 2)
        return (a & 0x1fU) << 6 | ((unsigned char) rest.data[1] & 0x3fU);
    if (length == 3)
        return (a & 0x0fU) << 12 | ((unsigned char) rest.data[1] & 0x3fU) << 6 | ((unsigned char) rest.data[2] & 0x3fU);
    return a;
}

static void append_quoted(struct rtn_buf *out, struct rtn_str text, bool is_value)
{
    rtn_buf_append_char(out, '"');
    while (text.length > 0) {
        unsigned length = rtn_utf8_next(text);
        if (needs_escape(text, length))
            rtn_buf_printf(out, "\\u%04x", code_point(text, length));
        else if (*text.data == '"' || *text.data == '\\')
            rtn_buf_printf(out, "\\%c", *text.data);
        else if (*text.data == '$' && is_value)
            rtn_buf_append_text(out, "$$");
        else
            rtn_buf_append(out, text.data, length);
        text.data += RTN_MAX(length, 1U);
        text.length -= RTN_MAX(length, 1U);
    }
    rtn_buf_append_char(out, '"');
}

void rtn_yaml_append_text(struct rtn_buf *out, const char *text)
{
    struct rtn_str value = rtn_str_of(text);

    if (is_plain(value))
        rtn_buf_append_str(out, value);
    else
        append_quoted(out, value, true);
}

void rtn_yaml_append_scalar(struct rtn_buf *out, const struct rtn_node *node)
{
    if (!node->quoted && (rtn_node_is_null(node) || is_plain(node->text)))
        rtn_buf_append_text(out, node->text.length > 0 ? node->text.data : "null");
    else
        append_quoted(out, node->text, true);
}

void rtn_yaml_append_name(struct rtn_buf *out, struct rtn_str name)
{
    if (is_plain(name))
        rtn_buf_append_str(out, name);
    else
        append_quoted(out, name, false);
    rtn_buf_append_char(out, ':');
}
