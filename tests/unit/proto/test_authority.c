/* Hosts with ports: what is one, and where it is in a URL. */
#include "proto/authority.h"

#include <criterion/criterion.h>

#include "base/macros.h"

struct validity {
    struct rtn_str text;
    bool valid;
};

#define GOOD(text)                           \
    {                                        \
        { (text), sizeof(text) - 1 }, (true) \
    }
#define BAD(text)                             \
    {                                         \
        { (text), sizeof(text) - 1 }, (false) \
    }

static const struct validity validities[] = {
    GOOD(""),
    GOOD("a"),
    GOOD("example.org"),
    GOOD("EXAMPLE.org."),
    GOOD("a-b_c~d"),
    GOOD("!$&'()*+;="),
    GOOD("127.0.0.1"),
    GOOD("a%20b"),
    GOOD("%c3%A9"),
    GOOD("a:80"),
    GOOD("a:"), /* the port may be empty (RFC 3986, 3.2.3) */
    GOOD(":80"),
    GOOD(":"),
    GOOD("a:99999999999999999999"),
    GOOD("[::1]"),
    GOOD("[::1]:80"),
    GOOD("[::1]:"),
    GOOD("[2001:DB8::7.8.9.10]"),
    GOOD("[v1.a:b]"),
    BAD("a b"),
    BAD(" a"),
    BAD("a "),
    BAD("a\t"),
    BAD("a,b"), /* what two Host fields look like when somebody has joined them */
    BAD("a/"),
    BAD("a?"),
    BAD("a#"),
    BAD("user@a"),
    BAD("user:password@a"),
    BAD("a:b"),
    BAD("a:80b"),
    BAD("a:-1"),
    BAD("a: 80"),
    BAD("a:80:80"),
    BAD("::1"),
    BAD("a%"),
    BAD("a%2"),
    BAD("a%2g"),
    BAD("a%g2"),
    BAD("%:80"),
    BAD("["),
    BAD("[]"),
    BAD("[]:80"),
    BAD("[::1"),
    BAD("[::1]a"),
    BAD("[::1]80"),
    BAD("[::1]]"),
    BAD("[[::1]]"),
    BAD("[::1%25eth0]"),
    BAD("[a b]"),
    BAD("::1]"),
    BAD("a]"),
    BAD("a[b]"),
    BAD("<a>"),
    BAD("\"a\""),
    BAD("a\\b"),
    BAD("a^"),
    BAD("`"),
    BAD("{a}"),
    BAD("a|b"),
    BAD("a\0"),
    BAD("\0"),
    BAD("a\x7f"),
    BAD("a\r\n"),
    BAD("\xc3\xa9"),
    BAD("a\xff"),
    BAD("[\xff]"),
};

Test(authority, valid)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(validities); i++) {
        const struct validity *row = &validities[i];
        cr_expect_eq(rtn_authority_valid(row->text), row->valid, "\"%.*s\" should be %s", RTN_STR_ARG(row->text),
                     row->valid ? "valid" : "refused");
    }
}

/* What is behind the view makes no difference. */
Test(authority, valid_reads_the_view_only)
{
    cr_expect(rtn_authority_valid((struct rtn_str){ "a b", 1 }));
    cr_expect(rtn_authority_valid((struct rtn_str){ "a:80x", 4 }));
    cr_expect(rtn_authority_valid((struct rtn_str){ "a%20", 1 }));
    cr_expect_not(rtn_authority_valid((struct rtn_str){ "a%20", 2 }));
    cr_expect_not(rtn_authority_valid((struct rtn_str){ "a%20", 3 }));
    cr_expect_not(rtn_authority_valid((struct rtn_str){ "[::1]", 4 }));
    cr_expect(rtn_authority_valid((struct rtn_str){ NULL, 0 }));
}

static const struct {
    const char *target;
    const char *authority; /* NULL: absent */
} targets[] = {
    { "http://a", "a" },
    { "http://a/", "a" },
    { "http://a/b?c", "a" },
    { "http://a?c", "a" },
    { "http://a?/", "a" },
    { "http://a:80/", "a:80" },
    { "https://[::1]:443/x", "[::1]:443" },
    { "HTTP://A/", "A" },
    { "HttpS://a", "a" },
    { "http://", "" },
    { "http:///a", "" },
    { "http://?a", "" },
    { "http://u@a/", "u@a" }, /* left to rtn_authority_valid */
    { "http://a#b/", "a#b" },
    { "", NULL },
    { "/", NULL },
    { "/http://a", NULL },
    { "*", NULL },
    { "a:80", NULL },
    { "http:/a", NULL },
    { "http:", NULL },
    { "http:/", NULL },
    { "https:/", NULL },
    { "httpx://a", NULL },
    { "ftp://a/", NULL },
    { "//a/", NULL },
    { " http://a", NULL },
};

Test(authority, of_a_target)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(targets); i++) {
        struct rtn_str found = rtn_authority_of(rtn_str_of(targets[i].target));
        const char *expected = targets[i].authority;
        cr_expect_eq(found.data == NULL, expected == NULL, "%s", targets[i].target);
        cr_expect(rtn_str_equal(found, rtn_str_of(expected)), "%s gave %.*s", targets[i].target, RTN_STR_ARG(found));
    }
}

Test(authority, of_a_target_is_a_view_into_it)
{
    const char *target = "http://a:80/";

    cr_expect_eq(rtn_authority_of(rtn_str_of(target)).data, target + 7);
}
