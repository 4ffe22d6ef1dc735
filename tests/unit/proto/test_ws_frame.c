#include <limits.h>
#include <stdlib.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "base/str.h"
#include "proto/ws_frame.h"

static const unsigned char mask[4] = { 0x11, 0x92, 0x33, 0xf4 };

struct header_case {
    unsigned first;
    uint64_t length;
    const char *bytes;
    size_t count;
};

#define CASE(first, length, bytes)                    \
    {                                                 \
        (first), (length), (bytes), sizeof(bytes) - 1 \
    }

static const struct header_case headers[] = {
    CASE(RTN_WS_FIN | RTN_WS_OP_TEXT, 0, "\x81\x00"),
    CASE(RTN_WS_OP_BINARY, 125, "\x02\x7d"),
    CASE(RTN_WS_FIN | RTN_WS_RSV1 | RTN_WS_OP_TEXT, 126, "\xc1\x7e\x00\x7e"),
    CASE(RTN_WS_FIN, 0xffff, "\x80\x7e\xff\xff"),
    CASE(RTN_WS_FIN, 0x10000, "\x80\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    CASE(RTN_WS_FIN, 0x0123456789abcdef, "\x80\x7f\x01\x23\x45\x67\x89\xab\xcd\xef"),
};

Test(ws_frame, header)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(headers); i++) {
        const struct header_case *c = &headers[i];
        unsigned char out[RTN_WS_HEADER_MOST];
        cr_assert_eq(rtn_ws_header_write(out, c->first, c->length, NULL), c->count, "case %zu", i);
        cr_assert_eq(memcmp(out, c->bytes, c->count), 0, "case %zu", i);
    }
}

Test(ws_frame, header_with_a_mask)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(headers); i++) {
        const struct header_case *c = &headers[i];
        unsigned char out[RTN_WS_HEADER_MOST];
        cr_assert_eq(rtn_ws_header_write(out, c->first, c->length, mask), c->count + 4, "case %zu", i);
        cr_assert_eq(out[0], (unsigned char) c->bytes[0]);
        cr_assert_eq(out[1], ((unsigned char) c->bytes[1] | 0x80));
        cr_assert_eq(memcmp(out + 2, c->bytes + 2, c->count - 2), 0, "case %zu", i);
        cr_assert_eq(memcmp(out + c->count, mask, 4), 0, "case %zu", i);
    }
}

/* Against the formula of RFC 6455, 5.3; at every alignment, nothing beside it touched. */
Test(ws_frame, mask)
{
    enum { MOST = 70, MARGIN = 8 };

    for (size_t length = 0; length <= MOST; length++) {
        for (unsigned offset = 0; offset < 9; offset++) {
            for (size_t start = 0; start < MARGIN; start++) {
                unsigned char bytes[MARGIN + MOST + MARGIN];
                for (size_t i = 0; i < sizeof(bytes); i++)
                    bytes[i] = (unsigned char) (i * 7);
                (void) rtn_ws_mask(bytes + start, length, mask, offset);
                for (size_t i = 0; i < sizeof(bytes); i++) {
                    bool inside = i >= start && i < start + length;
                    unsigned key = inside ? mask[(i - start + offset) % 4] : 0;
                    cr_assert_eq(bytes[i], (unsigned char) (i * 7 ^ key), "%zu bytes from %u", length, offset);
                }
            }
        }
    }
}

/* Whether ASCII is what masking leaves, of bytes at every place; what stands beside them is none. */
Test(ws_frame, mask_knows_ascii)
{
    enum { MOST = 150, MARGIN = 1 };

    for (size_t length = 0; length <= MOST; length++) {
        for (size_t high = 0; high <= length; high++) {
            unsigned char bytes[MARGIN + MOST + MARGIN];
            memset(bytes, 'x', sizeof(bytes));
            if (high < length)
                bytes[MARGIN + high] = 0x80;
            (void) rtn_ws_mask(bytes + MARGIN, length, mask, high);
            bytes[0] = bytes[MARGIN + length] = 0xff;
            cr_assert_eq(rtn_ws_mask(bytes + MARGIN, length, mask, high), high == length, "%zu of %zu", high, length);
        }
    }
}

Test(ws_frame, mask_far_inside_of_a_frame)
{
    unsigned char byte = 0;
    (void) rtn_ws_mask(&byte, 1, mask, UINT64_MAX);
    cr_assert_eq(byte, mask[3]);
}

Test(ws_frame, codes)
{
    for (int code = -1; code <= 0x10000; code++) {
        bool reserved = code < 1000 || (code >= 1004 && code <= 1006) || (code >= 1015 && code < 3000) || code >= 5000;
        cr_assert_eq(rtn_ws_code_is_valid(code), !reserved, "%d", code);
    }
    cr_assert_not(rtn_ws_code_is_valid(INT_MIN));
    cr_assert_not(rtn_ws_code_is_valid(INT_MAX));
}
