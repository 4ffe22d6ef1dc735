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

/* How many bytes are taken before the check fails when they come one by one; all of them when it does not. */
static size_t feed_bytes(struct rtn_str text, bool *whole)
{
    struct rtn_utf8_state state = { 0 };
    for (size_t i = 0; i < text.length; i++) {
        if (!rtn_utf8_feed(&state, (struct rtn_str){ text.data + i, 1 }))
            return i;
    }
    *whole = rtn_utf8_is_whole(&state);
    return text.length;
}

struct feed_case {
    struct rtn_str text;
    size_t taken; /* the first bad byte, or all */
    bool whole;
};

#define FEED(text, taken, whole)                       \
    {                                                  \
        { (text), sizeof(text) - 1 }, (taken), (whole) \
    }

static const struct feed_case feed_cases[] = {
    FEED("", 0, true),
    FEED("plain", 5, true),
    FEED("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, true),
    FEED("a\xc3", 2, false),
    FEED("a\xe2\x82", 3, false),
    FEED("\xf0\x9f\x98", 3, false),
    FEED("a\x80", 1, false),
    FEED("\xc0\x80", 0, false),
    FEED("\xc1\xbf", 0, false),
    FEED("\xc3(", 1, false),
    FEED("\xe0\x9f\xbf", 1, false),
    FEED("\xed\xa0\x80", 1, false),
    FEED("\xe2\x82x", 2, false),
    FEED("\xe2\x82\xe2", 2, false),
    FEED("\xf0\x8f\xbf\xbf", 1, false),
    FEED("\xf0\x90\x80(", 3, false),
    FEED("\xf4\x90\x80\x80", 1, false),
    FEED("\xf5\x80\x80\x80", 0, false),
    FEED("\xff", 0, false),
};

/* The byte that shows it is refused at once, whatever comes or does not come behind it. */
Test(utf8, feed_fails_fast)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(feed_cases); i++) {
        const struct feed_case *c = &feed_cases[i];
        bool whole = false;
        cr_assert_eq(feed_bytes(c->text, &whole), c->taken, "case %zu", i);
        cr_assert_eq(whole, c->whole, "case %zu", i);
        for (size_t length = 0; length <= c->text.length; length++) {
            struct rtn_utf8_state state = { 0 };
            struct rtn_str piece = { c->text.data, length };
            bool valid = c->taken == c->text.length || length <= c->taken;
            cr_assert_eq(rtn_utf8_feed(&state, piece), valid, "case %zu, %zu bytes", i, length);
        }
    }
}

static void feed_cut(struct rtn_str text, size_t cut)
{
    struct rtn_utf8_state state = { 0 };
    bool valid = rtn_utf8_feed(&state, (struct rtn_str){ text.data, cut }) &&
                 rtn_utf8_feed(&state, (struct rtn_str){ text.data + cut, text.length - cut });
    cr_assert_eq(valid && rtn_utf8_is_whole(&state), rtn_utf8_valid(text), "cut at %zu", cut);
}

/* Every byte at every place of text that is otherwise ASCII, around the ends of words. */
Test(utf8, feed_words)
{
    char text[20];

    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < sizeof(text); at++) {
            memset(text, 'x', sizeof(text));
            text[at] = (char) byte;
            struct rtn_str s = { text, sizeof(text) };
            cr_assert_eq(rtn_utf8_valid(s), byte < 0x80, "%02x at %zu", byte, at);
            for (size_t cut = 0; cut <= sizeof(text); cut++)
                feed_cut(s, cut);
        }
    }
}

/* Every lead with every second byte, cut everywhere, is what the check of a whole character says. */
Test(utf8, feed_is_next_in_pieces)
{
    static const char thirds[] = { '\x7f', '\x80', '\xbf', '\xc0' };

    for (unsigned long i = 0; i < 0x10000; i++) {
        for (size_t third = 0; third < sizeof(thirds); third++) {
            char text[] = { (char) (i >> 8), (char) (i & 0xff), thirds[third], '\x80' };
            for (size_t length = 1; length <= sizeof(text); length++) {
                struct rtn_str s = { text, length };
                unsigned step = rtn_utf8_next(s);
                struct rtn_utf8_state state = { 0 };
                bool valid = rtn_utf8_feed(&state, (struct rtn_str){ text, 1 });
                for (size_t k = 1; valid && k < length && !rtn_utf8_is_whole(&state); k++)
                    valid = rtn_utf8_feed(&state, (struct rtn_str){ text + k, 1 });
                cr_assert_eq(valid && rtn_utf8_is_whole(&state), step > 0, "%04lx", i);
            }
        }
    }
}

/* One byte that is no ASCII, in text that is long enough for blocks, behind text that is not ASCII. */
Test(utf8, feed_blocks)
{
    enum { MOST = 300 }; /* more than two of them */
    static const char begins[][12] = { "", "\xc3\xa4", "1234567\xc3\xa4", "\xc3\xa4 \xc3\xa4" };

    for (size_t b = 0; b < RTN_ARRAY_LENGTH(begins); b++) {
        for (size_t at = strlen(begins[b]); at < MOST; at++) {
            char text[MOST];
            memset(text, 'x', sizeof(text));
            memcpy(text, begins[b], strlen(begins[b]));
            cr_assert(rtn_utf8_valid((struct rtn_str){ text, sizeof(text) }));
            text[at] = '\x80';
            cr_assert_not(rtn_utf8_valid((struct rtn_str){ text, sizeof(text) }), "%zu: %zu", b, at);
        }
    }
}
