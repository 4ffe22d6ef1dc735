/* Header fields: what a value may hold, and which fields may be added to the handshake of a WebSocket. */
#include <criterion/criterion.h>

#include "base/header.h"
#include "base/macros.h"

#define OWN "the handshake sets this field itself"
#define NAME "the name has a character that names of fields do not have"
#define CONTROL "the value has a control character"

static const struct {
    const char *header;
    const char *wrong; /* NULL: nothing */
} headers_table[] = {
    { "Origin: http://a", NULL },
    { "Authorization: Basic dTpw", NULL },
    { "X:", NULL },
    { "X:\tv\xc3\xa9", NULL },
    { "Hosts: a", NULL },
    { "Sec-Fetch-Mode: websocket", NULL },
    { "", "there is no colon behind the name" },
    { "X", "there is no colon behind the name" },
    { ": x", NAME },
    { "X : x", NAME },
    { " X: x", NAME },
    { "X\r\nY: x", NAME },
    { "X: a\r\nY: b", CONTROL },
    { "X: a\n", CONTROL },
    { "X: a\x7f", CONTROL },
    { "Host: a", OWN },
    { "HOST:a", OWN },
    { "upgrade: h2c", OWN },
    { "Connection: close", OWN },
    { "Content-Length: 1", OWN },
    { "Transfer-Encoding: chunked", OWN },
    { "Expect: 100-continue", OWN },
    { "Sec-WebSocket-Key: x", OWN },
    { "sec-websocket-anything: x", OWN },
};

Test(header, fields_that_may_be_added)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(headers_table); i++) {
        struct rtn_str name;
        const char *wrong = rtn_header_words(rtn_header_check(rtn_str_of(headers_table[i].header), &name));
        const char *expected = headers_table[i].wrong;
        bool same = (wrong == NULL) == (expected == NULL) && (wrong == NULL || strcmp(wrong, expected) == 0);
        cr_expect(same, "%s: %s", headers_table[i].header, wrong != NULL ? wrong : "good");
    }
}

Test(header, the_name_is_given_also_when_it_is_wrong)
{
    struct rtn_str name = RTN_STR("untouched");
    cr_expect_eq(rtn_header_check(RTN_STR("X"), &name), RTN_HEADER_NO_COLON);
    cr_expect_eq(rtn_header_check((struct rtn_str){ NULL, 0 }, &name), RTN_HEADER_NO_COLON);
    cr_expect(rtn_str_equal(name, RTN_STR("untouched")));
    cr_expect_eq(rtn_header_check(RTN_STR("a b:c:d"), &name), RTN_HEADER_NAME);
    cr_expect(rtn_str_equal(name, RTN_STR("a b")));
    cr_expect_eq(rtn_header_check(RTN_STR("HOST: a"), &name), RTN_HEADER_OF_HANDSHAKE);
    cr_expect(rtn_str_equal(name, RTN_STR("HOST")));
    cr_expect_eq(rtn_header_check(RTN_STR("X: a\0b"), &name), RTN_HEADER_VALUE);
    cr_expect(rtn_str_equal(name, RTN_STR("X")));
}

Test(header, a_view_is_not_read_past_its_end)
{
    struct rtn_str name;
    const char text[] = "X: a\r\n";
    cr_expect_eq(rtn_header_check((struct rtn_str){ text, 1 }, &name), RTN_HEADER_NO_COLON);
    cr_expect_eq(rtn_header_check((struct rtn_str){ text, 4 }, &name), RTN_HEADER_GOOD);
    cr_expect_eq(rtn_header_check((struct rtn_str){ text, 5 }, &name), RTN_HEADER_VALUE);
}

Test(header, bytes_of_values)
{
    for (int i = 0; i <= 255; i++) {
        char c = (char) i;
        bool expected = (i >= ' ' && i != 0x7f) || i == '\t';
        cr_expect_eq(rtn_header_is_value_char(c), expected, "byte %d", i);
        cr_expect_eq(rtn_header_is_value((struct rtn_str){ &c, 1 }), expected, "byte %d", i);
    }
    cr_expect(rtn_header_is_value((struct rtn_str){ NULL, 0 }));
    cr_expect_not(rtn_header_is_value(RTN_STR("a\nb")));
}

/* Wherever a byte stands, and however long the value is. */
Test(header, what_is_seen_in_values)
{
    for (size_t length = 1; length < 20; length++) {
        for (size_t at = 0; at < length; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char value[20];
                memset(value, at % 2 ? '\xff' : 'a', sizeof(value));
                value[at] = (char) byte;
                bool good = byte == '\t' || (byte >= ' ' && byte != 0x7f);
                bool visible = byte > ' ' && byte != 0x7f;
                cr_assert_eq(rtn_header_is_value((struct rtn_str){ value, length }), good, "%d at %zu", byte, at);
                cr_assert_eq(rtn_header_is_visible((struct rtn_str){ value, length }), visible, "%d at %zu", byte, at);
            }
        }
    }
    cr_expect(rtn_header_is_visible((struct rtn_str){ NULL, 0 }));
    cr_expect(rtn_header_is_value((struct rtn_str){ NULL, 0 }));
}
