/* Listen addresses taken apart, and socket addresses as text. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/un.h>

#include <criterion/criterion.h>

#include "base/macros.h"
#include "net/addr.h"

Test(addr, parses)
{
    static const struct {
        const char *text;
        enum rtn_addr_kind kind;
        const char *host; /* or name */
        const char *port;
    } table[] = {
        { "80", RTN_ADDR_TCP, "", "80" },
        { "0", RTN_ADDR_TCP, "", "0" },
        { "65535", RTN_ADDR_TCP, "", "65535" },
        { "127.0.0.1:8080", RTN_ADDR_TCP, "127.0.0.1", "8080" },
        { "localhost:1", RTN_ADDR_TCP, "localhost", "1" },
        { "[::1]:443", RTN_ADDR_TCP, "::1", "443" },
        { "[fe80::1%eth0]:443", RTN_ADDR_TCP, "fe80::1%eth0", "443" },
        { "unix:/run/x.sock", RTN_ADDR_UNIX, "/run/x.sock", NULL },
        { "unix:/run/with:colon", RTN_ADDR_UNIX, "/run/with:colon", NULL },
        { "unix:@name", RTN_ADDR_UNIX, "@name", NULL },
        { "systemd:web", RTN_ADDR_SYSTEMD, "web", NULL },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        struct rtn_addr addr;
        cr_assert_eq(rtn_addr_parse(table[i].text, &addr), 0, "%s", table[i].text);
        cr_expect_eq(addr.kind, table[i].kind, "%s", table[i].text);
        cr_expect_str_eq(addr.kind == RTN_ADDR_TCP ? addr.host : addr.name, table[i].host, "%s", table[i].text);
        if (table[i].port != NULL)
            cr_expect_str_eq(addr.port, table[i].port, "%s", table[i].text);
    }
}

Test(addr, refuses_what_is_no_port_and_leaves_the_output)
{
    char long_host[300];
    memset(long_host, 'a', sizeof(long_host));
    memcpy(long_host + sizeof(long_host) - 4, ":80", 4);
    const char *table[] = { "",
                            "http",
                            "localhost",
                            "127.0.0.1:",
                            "127.0.0.1:http",
                            "127.0.0.1:65536",
                            "65536",
                            "-1",
                            "host:-1",
                            "host:8080 ",
                            " 80",
                            "host:80x",
                            "[::1]",
                            "host:+",
                            "80:",
                            "host:0000000080",
                            long_host };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        struct rtn_addr addr = { .kind = RTN_ADDR_SYSTEMD, .name = "untouched" };
        cr_expect_eq(rtn_addr_parse(table[i], &addr), -EINVAL, "\"%s\"", table[i]);
        cr_expect_eq(addr.kind, RTN_ADDR_SYSTEMD);
        cr_expect_str_eq(addr.name, "untouched");
    }
}

Test(addr, formats_inet)
{
    static const struct {
        int family;
        const char *host;
        unsigned port;
        const char *text;
    } table[] = {
        { AF_INET, "127.0.0.1", 80, "127.0.0.1:80" },
        { AF_INET, "255.255.255.255", 65535, "255.255.255.255:65535" },
        { AF_INET6, "::1", 443, "[::1]:443" },
        { AF_INET6, "::", 1, "[::]:1" },
        { AF_INET6, "2001:db8::1:2", 8080, "[2001:db8::1:2]:8080" },
        { AF_INET6, "2001:db8:1111:2222:3333:4444:5555:6666", 65535, "[2001:db8:1111:2222:3333:4444:5555:6666]:65535" },
        { AF_INET6, "::ffff:192.0.2.7", 9, "192.0.2.7:9" },
        { AF_INET6, "::192.0.2.7", 9, "[::192.0.2.7]:9" },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        char text[RTN_ADDR_TEXT_SIZE];
        struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t) table[i].port) };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t) table[i].port) };
        if (table[i].family == AF_INET) {
            cr_assert_eq(inet_pton(AF_INET, table[i].host, &v4.sin_addr), 1);
            rtn_addr_format(text, (struct sockaddr *) &v4, sizeof(v4));
        } else {
            cr_assert_eq(inet_pton(AF_INET6, table[i].host, &v6.sin6_addr), 1);
            rtn_addr_format(text, (struct sockaddr *) &v6, sizeof(v6));
        }
        cr_expect_str_eq(text, table[i].text, "%s", text);
    }
}

static void format_unix(char out[RTN_ADDR_TEXT_SIZE], const char *path, size_t length)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    memcpy(un.sun_path, path, length);
    rtn_addr_format(out, (struct sockaddr *) &un, (socklen_t) (offsetof(struct sockaddr_un, sun_path) + length));
}

Test(addr, formats_unix_and_others)
{
    char text[RTN_ADDR_TEXT_SIZE];
    char longest[sizeof(((struct sockaddr_un *) NULL)->sun_path)];

    format_unix(text, "/run/x", 7);
    cr_expect_str_eq(text, "unix:/run/x");
    format_unix(text, "", 0);
    cr_expect_str_eq(text, "unix:");
    format_unix(text, "\0name", 5);
    cr_expect_str_eq(text, "unix:@name");
    memset(longest, 'p', sizeof(longest)); /* the kernel gives such a path without a NUL */
    format_unix(text, longest, sizeof(longest));
    cr_expect_eq(strlen(text), 5 + sizeof(longest));

    struct sockaddr other = { .sa_family = AF_NETLINK };
    rtn_addr_format(text, &other, sizeof(other));
    cr_expect_str_eq(text, "address family 16");
}

/* "127.0.0.1:80", "[::1]:80", "unix:/path" or "unix:@name" as a socket address. */
static socklen_t address_of(const char *text, struct sockaddr_storage *ret)
{
    struct rtn_addr addr;
    memset(ret, 0, sizeof(*ret));
    cr_assert_eq(rtn_addr_parse(text, &addr), 0);
    struct sockaddr_in *v4 = (struct sockaddr_in *) ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) ret;
    struct sockaddr_un *un = (struct sockaddr_un *) ret;
    if (addr.kind == RTN_ADDR_UNIX) {
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, addr.name, strlen(addr.name));
        if (addr.name[0] == '@')
            un->sun_path[0] = '\0';
        return (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(addr.name));
    }
    if (inet_pton(AF_INET, addr.host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t) atoi(addr.port));
        return sizeof(*v4);
    }
    cr_assert_eq(inet_pton(AF_INET6, addr.host, &v6->sin6_addr), 1);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t) atoi(addr.port));
    return sizeof(*v6);
}

Test(addr, equal_ones_and_those_in_the_way)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
        bool overlaps;
    } table[] = {
        { "127.0.0.1:80", "127.0.0.1:80", true, true },   { "127.0.0.1:80", "127.0.0.1:81", false, false },
        { "127.0.0.1:80", "127.0.0.2:80", false, false }, { "127.0.0.1:80", "0.0.0.0:80", false, true },
        { "[::]:80", "0.0.0.0:80", false, true },         { "[::]:80", "127.0.0.1:80", false, true },
        { "[::]:80", "[::1]:80", false, true },           { "[::]:80", "[::1]:81", false, false },
        { "[::1]:80", "[::1]:80", true, true },           { "[::1]:80", "[::2]:80", false, false },
        { "[::1]:80", "127.0.0.1:80", false, false },     { "[::ffff:127.0.0.1]:80", "127.0.0.1:80", false, true },
        { "unix:/run/a", "unix:/run/a", true, false },    { "unix:/run/a", "unix:/run/ab", false, false },
        { "unix:@name", "unix:@name", true, false },      { "unix:@name", "unix:@names", false, false },
        { "unix:/run/a", "127.0.0.1:80", false, false },  { "unix:@name", "unix:/run/a", false, false },
    };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(table); i++) {
        struct sockaddr_storage a;
        struct sockaddr_storage b;
        socklen_t a_length = address_of(table[i].a, &a);
        socklen_t b_length = address_of(table[i].b, &b);
        const struct sockaddr *one = (struct sockaddr *) &a;
        const struct sockaddr *two = (struct sockaddr *) &b;
        cr_expect_eq(rtn_addr_is_equal(one, a_length, two, b_length), table[i].equal, "%s %s", table[i].a, table[i].b);
        cr_expect_eq(rtn_addr_is_equal(two, b_length, one, a_length), table[i].equal, "%s %s", table[i].b, table[i].a);
        cr_expect_eq(rtn_addr_overlaps(one, two), table[i].overlaps, "%s %s", table[i].a, table[i].b);
        cr_expect_eq(rtn_addr_overlaps(two, one), table[i].overlaps, "%s %s", table[i].b, table[i].a);
    }
}

Test(addr, a_path_is_equal_with_and_without_its_nul)
{
    struct sockaddr_storage a;
    socklen_t length = address_of("unix:/run/a", &a);
    const struct sockaddr *address = (struct sockaddr *) &a;
    cr_expect(rtn_addr_is_equal(address, length, address, length + 1));
    cr_expect_not(rtn_addr_is_equal(address, offsetof(struct sockaddr_un, sun_path), address, length));
}
