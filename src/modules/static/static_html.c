/*
 * Names of files are bytes; a page is UTF-8. What is no UTF-8 is replaced byte by byte, so that no broken sequence
 * swallows the markup behind it.
 */
#include "static_html.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

static const char *escaped(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* First bytes of sequences, and what their second byte may be (Unicode 15, table 3-7); the others are 80..bf. */
static const struct {
    unsigned char first;
    unsigned char last;
    unsigned char length;
    unsigned char low;
    unsigned char high;
} sequences[] = {
    { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf }, { 0xe1, 0xec, 3, 0x80, 0xbf },
    { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf }, { 0xf0, 0xf0, 4, 0x90, 0xbf },
    { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static bool continues(const unsigned char *bytes, size_t length, unsigned char low, unsigned char high)
{
    if (bytes[1] < low || bytes[1] > high)
        return false;
    for (size_t i = 2; i < length; i++) {
        if (bytes[i] < 0x80 || bytes[i] > 0xbf)
            return false;
    }
    return true;
}

/* Bytes of the sequence that begins here; 0: none does. */
static size_t sequence_length(const char *text, size_t left)
{
    const unsigned char *bytes = (const unsigned char *) text;
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        if (bytes[0] < sequences[i].first || bytes[0] > sequences[i].last)
            continue;
        size_t length = sequences[i].length;
        return length <= left && continues(bytes, length, sequences[i].low, sequences[i].high) ? length : 0;
    }
    return 0;
}

void static_html_text(FILE *out, rtn_str text)
{
    for (size_t at = 0; at < text.length;) {
        const char *here = text.data + at;
        const char *entity = escaped(*here);
        size_t length = (unsigned char) *here < 0x80 ? 1 : sequence_length(here, text.length - at);
        if (entity != NULL)
            (void) fputs(entity, out);
        else if (length > 0)
            (void) fwrite(here, 1, length, out);
        else
            (void) fputs(REPLACEMENT, out);
        at += length > 0 ? length : 1;
    }
}
