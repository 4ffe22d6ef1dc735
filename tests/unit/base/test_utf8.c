#include <criterion/criterion.h>

#include "base/macros.h"
#include "base/utf8.h"

struct utf8_case {
    struct rtn_str text;
    unsigned next;
};

#define CASE(text, next)                     \
    {                                        \
        { (text), sizeof(text) - 1 }, (next) \
    }

static const struct utf8_case cases[] = {
    CASE("", 0),
    CASE("a", 1),
    CASE("\0", 1),
    CASE("\x7f", 1),
    CASE("\xc2\x80", 2),
    CASE("\xdf\xbf", 2),
    CASE("\xe0\xa0\x80", 3),
    CASE("\xed\x9f\xbf", 3),
    CASE("\xee\x80\x80", 3),
    CASE("\xef\xbf\xbf", 3),
    CASE("\xf0\x90\x80\x80", 4),
    CASE("\xf4\x8f\xbf\xbf", 4),
    CASE("\x80", 0), /* a lone continuation */
    CASE("\xc0\x80", 0), /* overlong, 2 to 4 bytes */
    CASE("\xc1\xbf", 0),
    CASE("\xe0\x9f\xbf", 0),
    CASE("\xf0\x8f\xbf\xbf", 0),
    CASE("\xed\xa0\x80", 0), /* surrogates */
    CASE("\xed\xbf\xbf", 0),
    CASE("\xf4\x90\x80\x80", 0), /* above U+10FFFF */
    CASE("\xf5\x80\x80\x80", 0),
    CASE("\xff", 0),
    CASE("\xc3", 0), /* cut */
    CASE("\xe2\x82", 0),
    CASE("\xf0\x9f\x98", 0),
    CASE("\xe2\x82x", 0),
    CASE("\xf0\x9f\x98x", 0),
    CASE("\xc3(", 0),
};

Test(utf8, next)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(cases); i++)
        cr_expect_eq(rtn_utf8_next(cases[i].text), cases[i].next, "case %zu", i);
}

/* Every code point once, encoded by the book. */
Test(utf8, all_code_points)
{
    for (unsigned long c = 0x80; c <= 0x10ffff; c++) {
        unsigned char b[4] = { 0 };
        unsigned length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (unsigned i = length - 1; i > 0; i--)
            b[i] = (unsigned char) (0x80 | ((c >> (6 * (length - 1 - i))) & 0x3f));
        b[0] = (unsigned char) ((0xf00U >> length & 0xff) | c >> (6 * (length - 1)));
        bool surrogate = c >= 0xd800 && c <= 0xdfff;
        unsigned got = rtn_utf8_next((struct rtn_str){ (const char *) b, length });
        cr_assert_eq(got, surrogate ? 0 : length, "U+%04lX: %u", c, got);
    }
}

Test(utf8, valid)
{
    cr_assert(rtn_utf8_valid(RTN_STR("")));
    cr_assert(rtn_utf8_valid((struct rtn_str){ NULL, 0 }));
    cr_assert(rtn_utf8_valid(RTN_STR("na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80")));
    cr_assert_not(rtn_utf8_valid(RTN_STR("ok\xff")));
    cr_assert_not(rtn_utf8_valid(RTN_STR("ok\xe2\x82")));
}

Test(utf8, count)
{
    cr_assert_eq(rtn_utf8_count(RTN_STR("")), 0);
    cr_assert_eq(rtn_utf8_count(RTN_STR("na\xc3\xafve")), 5);
    cr_assert_eq(rtn_utf8_count(RTN_STR("\xe2\x82\xac\xf0\x9f\x98\x80")), 2);
    cr_assert_eq(rtn_utf8_count(RTN_STR("a\xff\xe2\x82z")), 5);
}
