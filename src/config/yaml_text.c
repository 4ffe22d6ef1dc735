/*
 * The text under a tree: what bytes it may hold, and how places of libyaml's become marks. Line ends
 * other than \n and \r\n are refused, so that libyaml and the renderer of diagnostics count alike.
 */
#include "base/utf8.h"
#include "config/yaml_internal.h"

struct rtn_str rtn_yaml_strip_bom(struct rtn_str text)
{
    if (rtn_str_starts_with(text, RTN_STR("\xef\xbb\xbf"))) {
        text.data += 3;
        text.length -= 3;
    }
    return text;
}

struct rtn_mark rtn_yaml_mark(const struct rtn_yaml_reader *reader, const yaml_mark_t *start, const yaml_mark_t *end)
{
    return (struct rtn_mark){
        .source = reader->source,
        .line = (unsigned) start->line + 1,
        .column = (unsigned) start->column + 1,
        .length = end->index > start->index ? (unsigned) (end->index - start->index) : 1,
    };
}

static size_t skip_chars(struct rtn_str text, size_t offset, size_t count)
{
    for (; count > 0 && offset < text.length; count--) {
        unsigned length = rtn_utf8_next((struct rtn_str){ text.data + offset, text.length - offset });
        offset += length > 0 ? length : 1;
    }
    return offset;
}

size_t rtn_yaml_find(struct rtn_yaml_reader *reader, const yaml_mark_t *place)
{
    struct rtn_str text = reader->source->text;

    if (place->line < reader->found_line) {
        reader->found_line = 0;
        reader->found_offset = 0;
    }
    while (reader->found_line < place->line && reader->found_offset < text.length) {
        const char *from = text.data + reader->found_offset;
        const char *end = memchr(from, '\n', text.length - reader->found_offset);
        reader->found_offset = end != NULL ? (size_t) (end - text.data) + 1 : text.length;
        reader->found_line++;
    }
    return skip_chars(text, reader->found_offset, place->column);
}

/* Code point of a valid character of `length` bytes. */
static unsigned decode(const char *data, unsigned length)
{
    static const unsigned char lead[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    unsigned code = (unsigned char) data[0] & lead[length];

    for (unsigned i = 1; i < length; i++)
        code = code << 6 | ((unsigned char) data[i] & 0x3f);
    return code;
}

static bool is_utf16(struct rtn_str text)
{
    return rtn_str_starts_with(text, RTN_STR("\xff\xfe")) || rtn_str_starts_with(text, RTN_STR("\xfe\xff"));
}

/* Why the character at the start of `rest` may not stand in a file; NULL when it may. */
static const char *why_refused(struct rtn_str rest, unsigned length, unsigned code)
{
    if (length == 0)
        return "this byte is not UTF-8; save the file as UTF-8";
    if (code == 0)
        return "a NUL character is not allowed; is this a text file in UTF-8?";
    if (code == '\r' && (rest.length == 1 || rest.data[1] != '\n'))
        return "a carriage return without a line feed is not allowed";
    if (code == 0x85 || code == 0x2028 || code == 0x2029)
        return "this line end is not allowed; end lines with a line feed";
    if (code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code < 0x7f))
        return NULL;
    if (code < 0xa0 || code == 0xfffe || code == 0xffff || code == 0xfeff)
        return "this control character is not allowed";
    return NULL;
}

bool rtn_yaml_check_text(const struct rtn_source *source, struct rtn_diags *diags)
{
    struct rtn_str rest = source->text;
    struct rtn_mark mark = { .source = source, .line = 1, .column = 1, .length = 1 };

    while (rest.length > 0) {
        unsigned length = rtn_utf8_next(rest);
        unsigned code = length > 0 ? decode(rest.data, length) : 0;
        const char *problem = rest.data == source->text.data && is_utf16(rest)
                                  ? "this is UTF-16; save the file as UTF-8"
                                  : why_refused(rest, length, code);
        if (problem != NULL) {
            rtn_diags_error(diags, mark, "%s", problem);
            return false;
        }
        mark.column = code == '\n' ? 1 : mark.column + 1;
        mark.line += code == '\n';
        rest.data += length;
        rest.length -= length;
    }
    return true;
}
