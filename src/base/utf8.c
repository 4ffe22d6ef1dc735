/*
 * UTF-8 by a table of lead bytes. The second byte carries all the special cases of RFC 3629 (no
 * overlong forms, no surrogates, nothing above U+10FFFF), so each row names its range.
 */
#include "base/utf8.h"

#include "base/macros.h"

struct lead {
    unsigned char first, last; /* lead bytes */
    unsigned char length;
    unsigned char second_min, second_max;
};

static const struct lead leads[] = {
    { 0xc2, 0xdf, 2, 0x80, 0xbf }, { 0xe0, 0xe0, 3, 0xa0, 0xbf }, { 0xe1, 0xec, 3, 0x80, 0xbf },
    { 0xed, 0xed, 3, 0x80, 0x9f }, { 0xee, 0xef, 3, 0x80, 0xbf }, { 0xf0, 0xf0, 4, 0x90, 0xbf },
    { 0xf1, 0xf3, 4, 0x80, 0xbf }, { 0xf4, 0xf4, 4, 0x80, 0x8f },
};

static const struct lead *find_lead(unsigned char byte)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(leads); i++) {
        if (byte >= leads[i].first && byte <= leads[i].last)
            return &leads[i];
    }
    return NULL;
}

unsigned rtn_utf8_next(struct rtn_str s)
{
    const unsigned char *bytes = (const unsigned char *) s.data;

    if (s.length == 0)
        return 0;
    if (bytes[0] < 0x80)
        return 1;
    const struct lead *lead = find_lead(bytes[0]);
    if (lead == NULL || s.length < lead->length)
        return 0;
    if (bytes[1] < lead->second_min || bytes[1] > lead->second_max)
        return 0;
    for (unsigned i = 2; i < lead->length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    return lead->length;
}

bool rtn_utf8_valid(struct rtn_str s)
{
    while (s.length > 0) {
        unsigned step = rtn_utf8_next(s);
        if (step == 0)
            return false;
        s.data += step;
        s.length -= step;
    }
    return true;
}

size_t rtn_utf8_count(struct rtn_str s)
{
    size_t count = 0;

    while (s.length > 0) {
        unsigned step = rtn_utf8_next(s);
        if (step == 0)
            step = 1;
        s.data += step;
        s.length -= step;
        count++;
    }
    return count;
}
