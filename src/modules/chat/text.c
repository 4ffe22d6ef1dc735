/*
 * Control characters are where the danger is: with an escape sequence, one who chats could write anywhere on the
 * screens of the others. Marks of direction can make a line look as if somebody else had said it.
 */
#include "text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xfffdu
#define INVALID UINT32_MAX
#define MOST_BYTES 3 /* of what comes out for one byte that goes in */

struct range {
    uint32_t first;
    uint32_t last;
};

/* C0 without TAB, DEL and C1; separators of lines, marks of direction. */
static const struct range unfit[] = {
    { 0x00, 0x08 }, { 0x0a, 0x1f }, { 0x7f, 0x9f }, { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
};

/* The least that a character of so many bytes is: below that, it would be written with more bytes than it needs. */
static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

static unsigned length_by(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* INVALID when those bytes are no character. */
static uint32_t decode(const unsigned char *bytes, unsigned count)
{
    uint32_t c = count == 1 ? bytes[0] : bytes[0] & (0xffu >> (count + 1));
    for (unsigned i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return INVALID;
        c = c << 6 | (bytes[i] & 0x3fu);
    }
    bool surrogate = c >= 0xd800 && c <= 0xdfff;
    return c < least[count] || c > 0x10ffff || surrogate ? INVALID : c;
}

uint32_t text_next(const char **text, size_t *left)
{
    const unsigned char *bytes = (const unsigned char *) *text;
    unsigned count = length_by(bytes[0]);
    uint32_t c = count == 0 || count > *left ? INVALID : decode(bytes, count);
    size_t taken = c != INVALID ? count : 1;
    *text += taken;
    *left -= taken;
    return c != INVALID ? c : REPLACEMENT;
}

static bool is_fit(uint32_t c)
{
    for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
        if (c >= unfit[i].first && c <= unfit[i].last)
            return false;
    }
    return c != REPLACEMENT;
}

static char *append(char *out, const char *bytes, size_t length)
{
    memcpy(out, bytes, length);
    return out + length;
}

char *text_clean(const char *text, size_t length)
{
    char *clean = malloc(MOST_BYTES * length + 1);
    char *out = clean;
    if (clean == NULL)
        return NULL;
    while (length > 0) {
        const char *before = text;
        uint32_t c = text_next(&text, &length);
        if (is_fit(c))
            out = append(out, before, (size_t) (text - before));
        else if (c == '\n' || c == '\r')
            *out++ = ' ';
        else
            out = append(out, "\xef\xbf\xbd", 3);
    }
    *out = '\0';
    return clean;
}
