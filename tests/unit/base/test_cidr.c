#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/cidr.h"
#include "base/macros.h"

static struct rtn_ip ip(const char *text)
{
    struct rtn_ip address;
    cr_assert_eq(rtn_ip_parse(rtn_str_of(text), &address), 0, "%s", text);
    return address;
}

static struct rtn_cidr range(const char *text)
{
    struct rtn_cidr cidr;
    const char *wrong = rtn_cidr_parse(rtn_str_of(text), &cidr);
    cr_assert_null(wrong, "%s: %s", text, wrong);
    return cidr;
}

Test(ip, parse_and_format)
{
    static const char *const pairs[][2] = {
        { "127.0.0.1", "127.0.0.1" },
        { "255.255.255.255", "255.255.255.255" },
        { "0.0.0.0", "0.0.0.0" },
        { "::", "::" },
        { "::1", "::1" },
        { "2001:DB8:0:0::1", "2001:db8::1" },
        { "::ffff:1.2.3.4", "1.2.3.4" },
        { "0:0:0:0:0:ffff:0102:0304", "1.2.3.4" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(pairs); i++) {
        struct rtn_ip address = ip(pairs[i][0]);
        char text[RTN_IP_TEXT_SIZE];
        rtn_ip_format(&address, text);
        cr_expect_str_eq(text, pairs[i][1]);
    }
}

Test(ip, refused)
{
    static const struct rtn_str bad[] = {
        { NULL, 0 },        { "", 0 },
        { "1.2.3", 5 },     { "1.2.3.4.", 8 },
        { "1.2.3.256", 9 }, { "01.2.3.4", 8 },
        { "0x1.2.3.4", 9 }, { " 1.2.3.4", 8 },
        { "1.2.3.4\0", 8 }, { "[::1]", 5 },
        { "::1%lo", 6 },    { "1.2.3.4:80", 10 },
        { ":::", 3 },       { "1:2:3:4:5:6:7:8:9", 17 },
        { "localhost", 9 }, { "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2551", 46 },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(bad); i++) {
        struct rtn_ip address = { { 7 } };
        cr_expect_eq(rtn_ip_parse(bad[i], &address), -EINVAL, "case %zu", i);
        cr_expect_eq(address.bytes[0], 7, "case %zu", i);
    }
}

/* Views need no NUL behind them. */
Test(ip, view)
{
    struct rtn_ip address;
    cr_assert_eq(rtn_ip_parse((struct rtn_str){ "10.0.0.123", 9 }, &address), 0);
    cr_assert_eq(address.bytes[15], 12);
}

Test(ip, of_socket_addresses)
{
    struct rtn_ip got;
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001) };
    cr_assert(rtn_ip_of((const struct sockaddr *) &v4, &got));
    cr_assert(rtn_ip_is_v4(&got));
    struct rtn_ip wanted = ip("10.0.0.1");
    cr_assert_arr_eq(got.bytes, wanted.bytes, 16);

    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    cr_assert(rtn_ip_of((const struct sockaddr *) &v6, &got));
    cr_assert_not(rtn_ip_is_v4(&got));
    wanted = ip("::1");
    cr_assert_arr_eq(got.bytes, wanted.bytes, 16);

    const struct sockaddr_un un = { .sun_family = AF_UNIX };
    cr_assert_not(rtn_ip_of((const struct sockaddr *) &un, &got));
}

struct contains_case {
    const char *range;
    const char *address;
    bool inside;
};

static const struct contains_case contains_cases[] = {
    { "10.0.0.0/8", "10.0.0.0", true },
    { "10.0.0.0/8", "10.255.255.255", true },
    { "10.0.0.0/8", "11.0.0.0", false },
    { "10.0.0.0/8", "9.255.255.255", false },
    { "172.16.0.0/12", "172.31.255.255", true },
    { "172.16.0.0/12", "172.32.0.0", false },
    { "127.0.0.1", "127.0.0.1", true },
    { "127.0.0.1", "127.0.0.2", false },
    { "127.0.0.1/32", "127.0.0.1", true },
    { "10.0.0.0/31", "10.0.0.1", true },
    { "10.0.0.0/31", "10.0.0.2", false },
    { "0.0.0.0/0", "255.1.2.3", true },
    { "0.0.0.0/0", "::1", false },
    { "0.0.0.0/0", "::ffff:9.9.9.9", true },
    { "2001:db8::/32", "2001:db8:ffff::1", true },
    { "2001:db8::/32", "2001:db9::", false },
    { "fe80::/10", "febf::1", true },
    { "fe80::/10", "fec0::1", false },
    { "::1", "::1", true },
    { "::1", "::2", false },
    { "::/0", "2001:db8::1", true },
    { "::/0", "10.0.0.1", false },
    { "::ffff:0:0/96", "10.0.0.1", true },
    { "::ffff:10.0.0.0/104", "10.1.2.3", true },
    { "::ffff:10.0.0.0/104", "11.1.2.3", false },
};

Test(cidr, contains)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(contains_cases); i++) {
        const struct contains_case *c = &contains_cases[i];
        struct rtn_cidr cidr = range(c->range);
        struct rtn_ip address = ip(c->address);
        cr_expect_eq(rtn_cidr_contains(&cidr, &address), c->inside, "%s in %s", c->address, c->range);
    }
}

/* Each length of prefix: the bit in front of its end counts, the one behind does not. */
Test(cidr, every_prefix)
{
    for (unsigned prefix = 96; prefix <= 128; prefix++) {
        struct rtn_cidr cidr = { .address = ip("0.0.0.0"), .prefix = prefix };
        for (unsigned bit = 96; bit < 128; bit++) {
            struct rtn_ip address = ip("0.0.0.0");
            address.bytes[bit / 8] = (uint8_t) (0x80 >> bit % 8);
            cr_expect_eq(rtn_cidr_contains(&cidr, &address), bit >= prefix, "/%u bit %u", prefix, bit);
        }
    }
}

Test(cidr, any)
{
    const struct rtn_cidr ranges[] = { range("10.0.0.0/8"), range("::1") };
    struct rtn_ip v4 = ip("10.1.1.1");
    struct rtn_ip v6 = ip("::1");
    cr_assert(rtn_cidr_any_contains(ranges, 2, &v4));
    cr_assert(rtn_cidr_any_contains(ranges, 2, &v6));
    cr_assert_not(rtn_cidr_any_contains(ranges, 1, &v6));
    cr_assert_not(rtn_cidr_any_contains(NULL, 0, &v6));
}

Test(cidr, prefix_is_of_128)
{
    cr_assert_eq(range("10.0.0.0/8").prefix, 104);
    cr_assert_eq(range("10.0.0.1").prefix, 128);
    cr_assert_eq(range("2001:db8::/32").prefix, 32);
}

Test(cidr, refused)
{
    static const char *const bad[][2] = {
        { "", "not an IPv4 or IPv6 address" },
        { "/8", "not an IPv4 or IPv6 address" },
        { "10.0.0/8", "not an IPv4 or IPv6 address" },
        { "example.org", "not an IPv4 or IPv6 address" },
        { "10.0.0.0/", "the prefix behind \"/\" must be a number of bits" },
        { "10.0.0.0/08", "the prefix behind \"/\" must be a number of bits" },
        { "10.0.0.0/-1", "the prefix behind \"/\" must be a number of bits" },
        { "10.0.0.0/8/8", "the prefix behind \"/\" must be a number of bits" },
        { "10.0.0.0/255.0.0.0", "the prefix behind \"/\" must be a number of bits" },
        { "10.0.0.0/33", "an IPv4 prefix has at most 32 bits" },
        { "10.0.0.0/99999999999999999999", "an IPv4 prefix has at most 32 bits" },
        { "::/129", "an IPv6 prefix has at most 128 bits" },
        { "10.0.0.1/8", "bits behind the prefix are set" },
        { "10.128.0.0/8", "bits behind the prefix are set" },
        { "2001:db8::1/64", "bits behind the prefix are set" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(bad); i++) {
        struct rtn_cidr cidr = { .prefix = 7 };
        const char *wrong = rtn_cidr_parse(rtn_str_of(bad[i][0]), &cidr);
        cr_assert_not_null(wrong, "%s", bad[i][0]);
        cr_expect_str_eq(wrong, bad[i][1], "%s: %s", bad[i][0], wrong);
        cr_expect_eq(cidr.prefix, 7);
    }
}
