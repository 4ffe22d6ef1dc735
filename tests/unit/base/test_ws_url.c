/* URLs of outgoing connections: their parts, and why some are none. */
#include <criterion/criterion.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/ws_url.h"

static const struct {
    const char *text;
    const char *host;
    int port;
    const char *authority;
    const char *target;
    const char *path; /* NULL: TCP */
} good[] = {
    { "ws://example.org", "example.org", 80, "example.org", "/", NULL },
    { "ws://example.org/", "example.org", 80, "example.org", "/", NULL },
    { "WS://Example.ORG:80/A", "Example.ORG", 80, "Example.ORG", "/A", NULL },
    { "ws://example.org:5050/a/b?c=d&e=%20%2f", "example.org", 5050, "example.org:5050", "/a/b?c=d&e=%20%2f", NULL },
    { "ws://h?x", "h", 80, "h", "?x", NULL },
    { "ws://h:81?x/y:z", "h", 81, "h:81", "?x/y:z", NULL },
    { "ws://h/a@b:c//[d]?e?f", "h", 80, "h", "/a@b:c//[d]?e?f", NULL },
    { "ws://127.0.0.1:1", "127.0.0.1", 1, "127.0.0.1:1", "/", NULL },
    { "ws://[::1]", "::1", 80, "[::1]", "/", NULL },
    { "ws://[::1]:80/", "::1", 80, "[::1]", "/", NULL },
    { "ws://[2001:DB8::7.8.9.10]:65535/x", "2001:DB8::7.8.9.10", 65535, "[2001:DB8::7.8.9.10]:65535", "/x", NULL },
    { "ws://a_b-c.d.", "a_b-c.d.", 80, "a_b-c.d.", "/", NULL },
    { "ws+unix:/run/a.sock", "", 0, "localhost", "/", "/run/a.sock" },
    { "ws+unix:/run/a.sock:", "", 0, "localhost", "/", "/run/a.sock" },
    { "WS+Unix:/run/a.sock:/b:c?d", "", 0, "localhost", "/b:c?d", "/run/a.sock" },
    { "ws+unix:/run/a.sock:?d", "", 0, "localhost", "?d", "/run/a.sock" },
};

static const char *read_url(struct rtn_str text, struct rtn_ws_url *ret)
{
    return rtn_ws_url_words(rtn_ws_url_read(text, ret));
}

static void expect_view(const char *text, struct rtn_str view, const char *expected)
{
    cr_expect_eq(view.data == NULL, expected == NULL, "%s", text);
    cr_expect(rtn_str_equal(view, rtn_str_of(expected)), "%s: %.*s", text, RTN_STR_ARG(view));
}

Test(ws_url, parts)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(good); i++) {
        struct rtn_ws_url url;
        const char *text = good[i].text;
        const char *wrong = read_url(rtn_str_of(text), &url);
        cr_assert_null(wrong, "%s: %s", text, wrong);
        expect_view(text, url.host, good[i].host);
        expect_view(text, url.authority, good[i].authority);
        expect_view(text, url.target, good[i].target);
        expect_view(text, url.path, good[i].path);
        cr_expect_eq(url.port, good[i].port, "%s", text);
    }
}

#define CHARACTER "the URL has a character that must be percent-encoded"
#define SCHEME "the URL begins neither with ws:// nor with ws+unix:"
#define PORT "the port is not a number from 1 to 65535"
#define HOST "the host has a character that names of hosts do not have"
#define LITERAL "what is in brackets is no IPv6 address"
#define TLS "wss is not possible: there is no TLS yet"

static const struct {
    const char *text;
    const char *wrong;
} bad[] = {
    { "", SCHEME },
    { "ws:", SCHEME },
    { "ws:/h", SCHEME },
    { "http://h/", SCHEME },
    { "h:80", SCHEME },
    { "wss://h/", TLS },
    { "WSS://h/", TLS },
    { "wss+unix:/a", TLS },
    { "ws://", "the host is missing" },
    { "ws:///x", "the host is missing" },
    { "ws://?x", "the host is missing" },
    { "ws://:80/", "the host is missing" },
    { "ws://h:/", PORT },
    { "ws://h:0/", PORT },
    { "ws://h:65536/", PORT },
    { "ws://h:-1/", PORT },
    { "ws://h:+1/", PORT },
    { "ws://h:1:2/", PORT },
    { "ws://h:99999999999999999999/", PORT },
    { "ws://h:80x/", PORT },
    { "ws://u@h/", "the URL has a user; headers can carry one" },
    { "ws://u:p@h:80/", "the URL has a user; headers can carry one" },
    { "ws://@h/", "the URL has a user; headers can carry one" },
    { "ws://h/#f", "the URL of a WebSocket has no fragment (#)" },
    { "ws://h#", "the URL of a WebSocket has no fragment (#)" },
    { "ws+unix:/a:/#", "the URL of a WebSocket has no fragment (#)" },
    { "ws://h/ x", CHARACTER },
    { "ws://h/\r\nHost: b", CHARACTER },
    { "ws://h/\x7f", CHARACTER },
    { "ws://h\xc3\xa9/", CHARACTER },
    { " ws://h/", CHARACTER },
    { "ws://h%20/", HOST },
    { "ws://a,b/", HOST },
    { "ws://a\\b/", HOST },
    { "ws://::1/", "the host is missing" },
    { "ws://a]/", HOST },
    { "ws://[::1/", LITERAL },
    { "ws://[]/", LITERAL },
    { "ws://[", LITERAL },
    { "ws://[127.0.0.1]/", LITERAL },
    { "ws://[fe80::1%25eth0]/", LITERAL },
    { "ws://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]/", LITERAL },
    { "ws://[::1]x/", "behind the host there is something other than a port" },
    { "ws://[::1]:x/", PORT },
    { "ws+unix:", "the path of the socket does not begin with /" },
    { "ws+unix:a", "the path of the socket does not begin with /" },
    { "ws+unix::/", "the path of the socket does not begin with /" },
    { "ws+unix:/a:b", "what follows the path of the socket does not begin with /" },
};

Test(ws_url, those_that_are_none)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(bad); i++) {
        struct rtn_ws_url url = { .port = 7 };
        const char *wrong = read_url(rtn_str_of(bad[i].text), &url);
        cr_assert_not_null(wrong, "%s", bad[i].text);
        cr_expect_str_eq(wrong, bad[i].wrong, "%s", bad[i].text);
        cr_expect_eq(url.port, 7);
    }
}

/* A URL with a part of `length` characters between `before` and `behind`. */
static const char *read_long(const char *before, size_t length, const char *behind)
{
    RTN_CLEANUP(rtn_buf_done) struct rtn_buf text = { 0 };
    struct rtn_ws_url url;
    rtn_buf_append_text(&text, before);
    for (size_t i = 0; i < length; i++)
        rtn_buf_append_char(&text, 'x');
    rtn_buf_append_text(&text, behind);
    return read_url(rtn_buf_str(&text), &url);
}

Test(ws_url, lengths)
{
    cr_expect_null(read_long("ws://", 253, "/"));
    cr_expect_str_eq(read_long("ws://", 254, "/"), "the host is too long");
    cr_expect_null(read_long("ws+unix:/", 106, ":/"));
    cr_expect_str_eq(read_long("ws+unix:/", 107, ":/"), "the path of the socket is too long");
    cr_expect_null(read_long("ws://h/", 100000, ""));
}

Test(ws_url, a_view_is_not_read_past_its_end)
{
    struct rtn_ws_url url;
    const char text[] = "ws://[::1]:8080/x";
    cr_expect_str_eq(read_url((struct rtn_str){ text, 9 }, &url), LITERAL);
    cr_expect_null(read_url((struct rtn_str){ text, 10 }, &url));
    cr_expect_null(read_url((struct rtn_str){ text, 12 }, &url));
    cr_expect_eq(url.port, 8);
    cr_expect_str_eq(read_url((struct rtn_str){ NULL, 0 }, &url), SCHEME);
}

Test(ws_url, a_split_leaves_the_authority_as_it_is)
{
    static const char *const texts[] = { "ws://h:80/x", "ws://*:x/x", "ws://[::1/x", "ws:///x" };
    static const char *const authorities[] = { "h:80", "*:x", "[::1", "" };
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(texts); i++) {
        struct rtn_ws_url url = { .port = 7 };
        cr_assert_eq(rtn_ws_url_split(rtn_str_of(texts[i]), &url), RTN_WS_URL_GOOD, "%s", texts[i]);
        expect_view(texts[i], url.authority, authorities[i]);
        expect_view(texts[i], url.target, "/x");
        expect_view(texts[i], url.host, NULL);
        expect_view(texts[i], url.path, NULL);
        cr_expect_eq(url.port, 0);
    }
}

Test(ws_url, a_split_reads_all_of_a_socket)
{
    struct rtn_ws_url url;
    cr_assert_eq(rtn_ws_url_split(RTN_STR("ws+unix:/a:/b"), &url), RTN_WS_URL_GOOD);
    expect_view("path", url.path, "/a");
    expect_view("authority", url.authority, "localhost");
    expect_view("target", url.target, "/b");
}

Test(ws_url, a_split_refuses_all_but_hosts_and_ports)
{
    for (size_t i = 0; i < RTN_ARRAY_LENGTH(bad); i++) {
        struct rtn_ws_url url = { .port = 7 };
        enum rtn_ws_url_fault whole = rtn_ws_url_read(rtn_str_of(bad[i].text), &url);
        enum rtn_ws_url_fault part = rtn_ws_url_split(rtn_str_of(bad[i].text), &url);
        cr_expect_eq(part, whole >= RTN_WS_URL_NO_HOST ? RTN_WS_URL_GOOD : whole, "%s", bad[i].text);
        cr_expect_eq(url.port, part == RTN_WS_URL_GOOD ? 0 : 7, "%s", bad[i].text);
    }
}
