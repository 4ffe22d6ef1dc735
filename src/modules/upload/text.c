/* Text: which names are safe in a folder and on a terminal, and how strings are written in JSON. */
#include "text.h"

#include <string.h>
#include <strings.h>

#define NAME_MAX_BYTES 255

static bool continues(rtn_str s, size_t at, unsigned char low, unsigned char high)
{
    return at < s.length && (unsigned char) s.data[at] >= low && (unsigned char) s.data[at] <= high;
}

/* Length of the UTF-8 character (RFC 3629) at the start of s; 0 when there is none. */
static size_t character_length(rtn_str s)
{
    static const struct {
        unsigned char first, last; /* range of the first byte */
        unsigned char low, high; /* range of the second */
        size_t length;
    } forms[] = {
        { 0x00, 0x7f, 0, 0, 1 },       { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (!continues(s, 0, forms[i].first, forms[i].last))
            continue;
        bool good = forms[i].length < 2 || continues(s, 1, forms[i].low, forms[i].high);
        for (size_t at = 2; at < forms[i].length; at++)
            good = good && continues(s, at, 0x80, 0xbf);
        return good ? forms[i].length : 0;
    }
    return 0;
}

/* U+0000 to U+001F, U+007F and U+0080 to U+009F. */
static bool is_control(const char *character, size_t length)
{
    unsigned char first = (unsigned char) character[0];
    return length == 1 ? first < 0x20 || first == 0x7f : first == 0xc2 && (unsigned char) character[1] < 0xa0;
}

const char *text_wrong_name(rtn_str name)
{
    if (name.length == 0)
        return "the file has no name";
    if (name.length > NAME_MAX_BYTES)
        return "the name of the file is longer than 255 bytes";
    if (name.data[0] == '.')
        return "the name of the file begins with a dot";
    for (size_t at = 0; at < name.length;) {
        size_t length = character_length((rtn_str){ name.data + at, name.length - at });
        if (length == 0)
            return "the name of the file is not UTF-8";
        if (is_control(name.data + at, length))
            return "the name of the file has a control character";
        if (name.data[at] == '/' || name.data[at] == '\\')
            return "the name of the file has a folder";
        at += length;
    }
    return NULL;
}

bool text_has_extension(rtn_str name, const struct rtn_strings *extensions)
{
    for (size_t i = 0; i < extensions->count; i++) {
        size_t length = strlen(extensions->items[i]);
        if (name.length <= length + 1)
            continue;
        const char *end = name.data + name.length - length;
        if (end[-1] == '.' && strncasecmp(end, extensions->items[i], length) == 0)
            return true;
    }
    return false;
}

void text_print_json(FILE *out, rtn_str value)
{
    (void) fputc('"', out);
    for (size_t at = 0; at < value.length;) {
        size_t length = character_length((rtn_str){ value.data + at, value.length - at });
        unsigned char c = (unsigned char) value.data[at];
        if (length == 0)
            (void) fputs("\\ufffd", out);
        else if (c < 0x20)
            (void) fprintf(out, "\\u%04x", c);
        else
            (void) fprintf(out, "%s%.*s", c == '"' || c == '\\' ? "\\" : "", (int) length, value.data + at);
        at += length > 0 ? length : 1;
    }
    (void) fputc('"', out);
}
