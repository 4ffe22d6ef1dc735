#include "base/base64.h"

#include <criterion/criterion.h>

/* RFC 4648, 10, and all digits. */
Test(base64, encode)
{
    static const struct {
        const char *bytes;
        size_t length;
        const char *text;
    } cases[] = {
        { "", 0, "" },
        { "f", 1, "Zg==" },
        { "fo", 2, "Zm8=" },
        { "foo", 3, "Zm9v" },
        { "foob", 4, "Zm9vYg==" },
        { "fooba", 5, "Zm9vYmE=" },
        { "foobar", 6, "Zm9vYmFy" },
        { "\xff\xef\xbe", 3, "/+++" },
        { "\0\x10\x83\x10\x51\x87\x20\x92\x8b\x30\xd3\x8f\x41\x14\x93\x51\x55\x97", 18, "ABCDEFGHIJKLMNOPQRSTUVWX" },
    };
    char out[RTN_BASE64_SIZE(18)];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        rtn_base64_encode(cases[i].bytes, cases[i].length, out);
        cr_expect_str_eq(out, cases[i].text);
    }
    cr_expect_eq(RTN_BASE64_SIZE(16), 25);
    cr_expect_eq(RTN_BASE64_SIZE(20), 29);
}
