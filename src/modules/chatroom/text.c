/*
 * Names are what people trust in: characters that are not seen, or that turn the text around them, would let one look
 * like another. Letters that look alike stay possible.
 */
#include "text.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define KEY_SHORTEST 16
#define KEY_LONGEST 64

struct range {
    uint32_t first;
    uint32_t last;
};

static const struct range controls[] = { { 0x00, 0x08 }, { 0x0b, 0x1f }, { 0x7f, 0x9f } };

/* Beside the controls: spaces of other widths, marks of direction, fillers, and what only formats. */
static const struct range unseen[] = {
    { 0x09, 0x0a },     { 0xa0, 0xa0 },        { 0xad, 0xad },     { 0x61c, 0x61c },   { 0x115f, 0x1160 },
    { 0x180b, 0x180f }, { 0x2000, 0x200f },    { 0x2028, 0x202f }, { 0x205f, 0x206f }, { 0x2800, 0x2800 },
    { 0x3000, 0x3000 }, { 0x3164, 0x3164 },    { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb },
    { 0xe000, 0xf8ff }, { 0xe0000, 0x10ffff },
};

static bool is_in(uint32_t c, const struct range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    }
    return false;
}

#define IS_IN(c, ranges) is_in(c, ranges, sizeof(ranges) / sizeof((ranges)[0]))

/* The code point at *text, which is left behind it. The text is valid UTF-8 and not at its end. */
static uint32_t next(const char **text)
{
    const unsigned char *bytes = (const unsigned char *) *text;
    unsigned more = bytes[0] < 0x80 ? 0 : bytes[0] < 0xe0 ? 1 : bytes[0] < 0xf0 ? 2 : 3;
    uint32_t c = more == 0 ? bytes[0] : bytes[0] & (0x3fu >> more);
    for (unsigned i = 1; i <= more; i++)
        c = c << 6 | (bytes[i] & 0x3fu);
    *text += more + 1;
    return c;
}

int64_t text_length(const char *text)
{
    int64_t length = 0;
    for (; *text != '\0'; text++)
        length += ((unsigned char) *text & 0xc0) != 0x80;
    return length;
}

static bool has_loose_spaces(const char *name)
{
    return name[0] == ' ' || name[strlen(name) - 1] == ' ' || strstr(name, "  ") != NULL;
}

const char *text_wrong_name(const char *name, int64_t most)
{
    if (name[0] == '\0')
        return "must not be empty";
    if (text_length(name) > most)
        return "is too long";
    if (has_loose_spaces(name))
        return "must not begin or end with a space, or have two in a row";
    while (*name != '\0') {
        uint32_t c = next(&name);
        if (IS_IN(c, controls) || IS_IN(c, unseen))
            return "must not have invisible characters";
    }
    return NULL;
}

const char *text_wrong_message(const char *text, int64_t most)
{
    bool blank = true;
    if (text_length(text) > most)
        return "is too long";
    while (*text != '\0') {
        uint32_t c = next(&text);
        if (IS_IN(c, controls))
            return "must not have control characters";
        blank = blank && (c == ' ' || IS_IN(c, unseen));
    }
    return blank ? "must not be empty" : NULL;
}

bool text_is_key(const char *key)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t length = strlen(key);
    return length >= KEY_SHORTEST && length <= KEY_LONGEST && strspn(key, allowed) == length;
}
