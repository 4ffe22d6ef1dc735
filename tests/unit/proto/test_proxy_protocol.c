#include <criterion/criterion.h>

#include "base/macros.h"
#include "net/addr.h"
#include "proto/proxy_protocol.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define BYTES(literal) (literal), sizeof(literal) - 1

static const char *source_text(const struct rtn_proxy_header *header)
{
    static char text[RTN_ADDR_TEXT_SIZE];
    rtn_addr_format(text, (const struct sockaddr *) &header->source, header->address_length);
    return text;
}

static const char *destination_text(const struct rtn_proxy_header *header)
{
    static char text[RTN_ADDR_TEXT_SIZE];
    rtn_addr_format(text, (const struct sockaddr *) &header->destination, header->address_length);
    return text;
}

struct good_case {
    const char *bytes;
    size_t length;
    const char *source; /* NULL: local */
    const char *destination;
};

#define GOOD(literal, source, destination)      \
    {                                           \
        BYTES(literal), (source), (destination) \
    }

static const struct good_case good[] = {
    GOOD("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n", "192.0.2.1:56324", "198.51.100.2:443"),
    GOOD("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535",
         "255.255.255.255:65535"),
    GOOD("PROXY TCP4 1.2.3.4 5.6.7.8 0 1\r\n", "1.2.3.4:0", "5.6.7.8:1"),
    GOOD("PROXY TCP6 2001:db8::1 2001:DB8::2 4000 80\r\n", "[2001:db8::1]:4000", "[2001:db8::2]:80"),
    GOOD("PROXY TCP6 ::ffff:1.2.3.4 ::1 4000 80\r\n", "1.2.3.4:4000", "[::1]:80"),
    GOOD("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"),
    GOOD("PROXY UNKNOWN\r\n", NULL, NULL),
    GOOD("PROXY UNKNOWN ffff:f...f:ffff what ever 65535\r\n", NULL, NULL),
    GOOD(SIGNATURE "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb", "192.0.2.1:56324",
         "198.51.100.2:443"),
    GOOD(SIGNATURE
         "\x21\x21\0\x24 \x01\r\xb8\0\0\0\0\0\0\0\0\0\0\0\x01 \x01\r\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x0f\xa0\0P",
         "[2001:db8::1]:4000", "[2001:db8::2]:80"),
    GOOD(SIGNATURE "\x20\0\0\0", NULL, NULL),
    GOOD(SIGNATURE "\x20\x11\0\x03"
                   "abc",
         NULL, NULL), /* what LOCAL carries is thrown away */
    GOOD(SIGNATURE "\x20\x77\0\0", NULL, NULL),
    GOOD(SIGNATURE "\x21\0\0\x05"
                   "12345",
         NULL, NULL), /* UNSPEC */
    GOOD(SIGNATURE "\x21\x11\0\x16\x01\x02\x03\x04\x05\x06\x07\x08\0\x09\0\x0a\x04\0\0\xee\0\x04host", "1.2.3.4:9",
         "5.6.7.8:10"), /* extensions: padding, an unknown one */
    GOOD(SIGNATURE "\x21\x11\0\x13\x01\x02\x03\x04\x05\x06\x07\x08\0\x09\0\x0a\x03\0\x04\x61\x47\xe1\xca", "1.2.3.4:9",
         "5.6.7.8:10"), /* with checksum */
};

Test(proxy_protocol, good)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(good); i++) {
        struct rtn_proxy_header header;
        const char *problem = NULL;
        enum rtn_proxy_result result = rtn_proxy_parse(good[i].bytes, good[i].length, &header, &problem);
        cr_assert_eq(result, RTN_PROXY_COMPLETE, "case %zu: %s", i, problem != NULL ? problem : "more");
        cr_expect_eq(header.length, good[i].length, "case %zu", i);
        cr_expect_eq(header.local, good[i].source == NULL, "case %zu", i);
        if (good[i].source == NULL)
            continue;
        cr_expect_str_eq(source_text(&header), good[i].source);
        cr_expect_str_eq(destination_text(&header), good[i].destination);
    }
}

/* Every beginning asks for more; what follows the header changes nothing. */
Test(proxy_protocol, every_length)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(good); i++) {
        struct rtn_proxy_header header = { .length = 7 };
        const char *problem = NULL;
        for (size_t length = 0; length < good[i].length; length++) {
            cr_expect_eq(rtn_proxy_parse(good[i].bytes, length, &header, &problem), RTN_PROXY_MORE, "case %zu, %zu", i,
                         length);
            cr_expect_eq(header.length, 7);
        }
        char longer[256];
        memcpy(longer, good[i].bytes, good[i].length);
        memcpy(longer + good[i].length, "GET /\n", 6);
        cr_expect_eq(rtn_proxy_parse(longer, good[i].length + 6, &header, &problem), RTN_PROXY_COMPLETE, "case %zu", i);
        cr_expect_eq(header.length, good[i].length, "case %zu", i);
    }
}

struct bad_case {
    const char *bytes;
    size_t length;
    const char *problem;
};

#define BAD(literal, problem)     \
    {                             \
        BYTES(literal), (problem) \
    }
#define NOT_PROXY "the connection does not begin with a PROXY header"
#define MALFORMED "the addresses or ports in the PROXY header are malformed"
#define LINE_END "the PROXY header does not end with CR LF"
#define PROTOCOL "the PROXY header names a protocol that is neither TCP4, TCP6 nor UNKNOWN"

static const struct bad_case bad[] = {
    BAD("G", NOT_PROXY),
    BAD("GET / HTTP/1.1\r\n", NOT_PROXY),
    BAD("proxy TCP4", NOT_PROXY),
    BAD("PROXYx", NOT_PROXY),
    BAD("\r\n\r\n\0\r\nQUIX", NOT_PROXY),
    BAD("\r\nGET", NOT_PROXY),
    BAD("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", LINE_END),
    BAD("PROXY \n", LINE_END),
    BAD("PROXY \r\n", PROTOCOL),
    BAD("PROXY TCP\r\n", PROTOCOL),
    BAD("PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n", PROTOCOL),
    BAD("PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n", PROTOCOL),
    BAD("PROXY UNKNOWNS\r\n", PROTOCOL),
    BAD("PROXY TCP4 \r\n", MALFORMED),
    BAD("PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", MALFORMED),
    BAD("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n", MALFORMED),
    BAD("PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n", MALFORMED),
    BAD("PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n", MALFORMED),
    BAD("PROXY TCP4 1.2.3.4\t5.6.7.8 1 2\r\n", MALFORMED),
    BAD("PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n", MALFORMED),
    BAD("PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", MALFORMED),
    BAD("PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n", MALFORMED),
    BAD("PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n", MALFORMED),
    BAD("PROXY TCP4 1.2.3.4 5.6.7.8 1 -0\r\n", MALFORMED),
    BAD("PROXY TCP4 ::1 ::1 1 2\r\n", MALFORMED),
    BAD("PROXY TCP4 ::ffff:1.2.3.4 5.6.7.8 1 2\r\n", MALFORMED),
    BAD("PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n", MALFORMED),
    BAD("PROXY TCP6 ::1 1.2.3.4 1 2\r\n", MALFORMED),
    BAD("PROXY TCP6 [::1] ::1 1 2\r\n", MALFORMED),
    BAD("PROXY TCP4 1.2.3.4\0 5.6.7.8 1 2\r\n", MALFORMED),
    BAD(SIGNATURE "\x11", "the PROXY header has an unknown version"),
    BAD(SIGNATURE "\x31\x11\0\x0c", "the PROXY header has an unknown version"),
    BAD(SIGNATURE "\x22", "the PROXY header has an unknown command"),
    BAD(SIGNATURE "\x21\x11\x0f\xf1", "the PROXY header is longer than 4096 bytes"),
    BAD(SIGNATURE "\x20\0\xff\xff", "the PROXY header is longer than 4096 bytes"),
    BAD(SIGNATURE "\x21\x12\0\0", "the PROXY header has an unknown address family"), /* datagrams */
    BAD(SIGNATURE "\x21\x41\0\0", "the PROXY header has an unknown address family"),
    BAD(SIGNATURE "\x21\x13\0\0", "the PROXY header has an unknown address family"),
    BAD(SIGNATURE "\x21\x01\0\0", "the PROXY header has an unknown address family"),
    BAD(SIGNATURE "\x21\x11\0\x0b"
                  "12345678901",
        "the PROXY header is too short for its addresses"),
    BAD(SIGNATURE "\x21\x21\0\x0c"
                  "123456789012",
        "the PROXY header is too short for its addresses"),
    BAD(SIGNATURE "\x21\x11\0\x0d"
                  "123456789012\x04",
        "an extension reaches over the end of the PROXY header"),
    BAD(SIGNATURE "\x21\x11\0\x0e"
                  "123456789012\x04\0",
        "an extension reaches over the end of the PROXY header"),
    BAD(SIGNATURE "\x21\x11\0\x0f"
                  "123456789012\x04\0\x01",
        "an extension reaches over the end of the PROXY header"),
    BAD(SIGNATURE "\x21\x11\0\x0f"
                  "123456789012\x04\xff\xff",
        "an extension reaches over the end of the PROXY header"),
    BAD(SIGNATURE "\x21\x11\0\x13\x01\x02\x03\x04\x05\x06\x07\x08\0\x09\0\x0a\x03\0\x04\x61\x47\xe1\xcb",
        "the checksum of the PROXY header is wrong"),
    BAD(SIGNATURE "\x21\x11\0\x13\x01\x02\x03\x05\x05\x06\x07\x08\0\x09\0\x0a\x03\0\x04\x61\x47\xe1\xca",
        "the checksum of the PROXY header is wrong"),
    BAD(SIGNATURE "\x21\x11\0\x11\x01\x02\x03\x04\x05\x06\x07\x08\0\x09\0\x0a\x03\0\x02\0\0",
        "the checksum of the PROXY header is wrong"),
};

Test(proxy_protocol, bad)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(bad); i++) {
        struct rtn_proxy_header header = { .length = 7 };
        const char *problem = NULL;
        cr_assert_eq(rtn_proxy_parse(bad[i].bytes, bad[i].length, &header, &problem), RTN_PROXY_BROKEN, "case %zu", i);
        cr_expect_str_eq(problem, bad[i].problem, "case %zu: %s", i, problem);
        cr_expect_eq(header.length, 7);
    }
}

Test(proxy_protocol, version_1_ends_somewhere)
{
    char line[RTN_PROXY_V1_MAX + 1];
    struct rtn_proxy_header header;
    const char *problem = NULL;
    memset(line, 'x', sizeof(line));
    memcpy(line, "PROXY UNKNOWN ", 14);
    cr_expect_eq(rtn_proxy_parse(line, RTN_PROXY_V1_MAX - 1, &header, &problem), RTN_PROXY_MORE);
    cr_expect_eq(rtn_proxy_parse(line, RTN_PROXY_V1_MAX, &header, &problem), RTN_PROXY_BROKEN);
    cr_expect_str_eq(problem, "the PROXY header is longer than 107 bytes");

    memcpy(line + RTN_PROXY_V1_MAX - 2, "\r\n", 2);
    cr_expect_eq(rtn_proxy_parse(line, sizeof(line), &header, &problem), RTN_PROXY_COMPLETE);
    memcpy(line + RTN_PROXY_V1_MAX - 1, "\r\n", 2);
    cr_expect_eq(rtn_proxy_parse(line, sizeof(line), &header, &problem), RTN_PROXY_BROKEN);
}

Test(proxy_protocol, unix_sockets_have_no_path)
{
    char bytes[16 + 216] = SIGNATURE "\x21\x31\0\xd8/tmp/client";
    struct rtn_proxy_header header;
    const char *problem = NULL;
    cr_assert_eq(rtn_proxy_parse(bytes, sizeof(bytes), &header, &problem), RTN_PROXY_COMPLETE);
    cr_expect_not(header.local);
    cr_expect_str_eq(source_text(&header), "unix:");
    bytes[15] = (char) 0xd7;
    cr_expect_eq(rtn_proxy_parse(bytes, sizeof(bytes), &header, &problem), RTN_PROXY_BROKEN);
}

Test(proxy_protocol, as_long_as_allowed)
{
    static char bytes[RTN_PROXY_V2_MAX] = SIGNATURE "\x21\x11\x0f\xf0\x01\x02\x03\x04\x05\x06\x07\x08\0\x09\0\x0a";
    struct rtn_proxy_header header;
    const char *problem = NULL;
    size_t rest = sizeof(bytes) - 16 - 12 - 3;
    bytes[28] = 0x04;
    bytes[29] = (char) (rest >> 8);
    bytes[30] = (char) (rest & 255);
    cr_expect_eq(rtn_proxy_parse(bytes, sizeof(bytes) - 1, &header, &problem), RTN_PROXY_MORE);
    cr_expect_eq(rtn_proxy_parse(bytes, sizeof(bytes), &header, &problem), RTN_PROXY_COMPLETE);
    cr_expect_eq(header.length, sizeof(bytes));
}
